//! Prints the difference between two texts, for `show` and its option `--probe`.

use super::output::Output;
use super::style::Emphasis;
use crate::domain::difference::{DiffLine, difference};
use crate::domain::text::safe_block;
use crate::format;
use std::io;

/// Number of unchanged lines printed before and after each change.
const CONTEXT_LINES: usize = 2;
const MAX_LINES: usize = 60;

/// Prints the difference from `old` to `new`: at most [`MAX_LINES`] lines of it, and the number of the lines that are
/// left out.
pub(super) fn print(old: &str, new: &str, out: &mut Output) -> io::Result<()> {
    let (old, new) = (safe_block(old), safe_block(new));
    let lines = difference(&old, &new, CONTEXT_LINES);
    for line in lines.iter().take(MAX_LINES) {
        match line {
            DiffLine::Same(text) => out.line(format!("  {text}"))?,
            DiffLine::Removed(text) => out.line(out.painted(Emphasis::Bad, &format!("- {text}")))?,
            DiffLine::Added(text) => out.line(out.painted(Emphasis::Good, &format!("+ {text}")))?,
            DiffLine::Skipped(count) => out.line(format!("  ({})", format::count(*count as u64, "unchanged line")))?,
        }
    }
    if lines.len() > MAX_LINES {
        out.line(format!("  (and {})", format::count((lines.len() - MAX_LINES) as u64, "more line")))?;
    }
    Ok(())
}
