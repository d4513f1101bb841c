//! Prints the difference of two texts, for the verbs that show one.

use super::output::Output;
use crate::domain::difference::{Line, difference};
use crate::domain::text::safe_block;
use std::io;

/// Unchanged lines printed before and after each change.
const AROUND: usize = 2;
const SHOWN: usize = 60;

/// Prints the difference from `old` to `new`, at most [`SHOWN`] lines of it.
pub(super) fn print(old: &str, new: &str, out: &mut Output) -> io::Result<()> {
    let (old, new) = (safe_block(old), safe_block(new));
    let lines = difference(&old, &new, AROUND);
    for line in lines.iter().take(SHOWN) {
        match line {
            Line::Same(text) => out.line(format!("  {text}"))?,
            Line::Gone(text) => out.line(format!("- {text}"))?,
            Line::New(text) => out.line(format!("+ {text}"))?,
            Line::Skipped(count) => out.line(format!("  ({count} the same)"))?,
        }
    }
    if lines.len() > SHOWN {
        out.line(format!("  (and {} lines more)", lines.len() - SHOWN))?;
    }
    Ok(())
}
