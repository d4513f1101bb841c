//! Asks for confirmation before a verb acts on many documents, or removes one.

use super::exit::CliError;
use super::output::{is_interactive, note};
use std::io::{self, BufRead as _, Write as _};

/// Largest number of documents matched by a filter for which a verb does not ask for confirmation.
pub(super) const CONFIRM_THRESHOLD: usize = 100;

/// Returns true if the user agrees: with `--yes` (`yes`), else by answering `question` on the terminal.
///
/// # Errors
/// `--yes` is missing and there is no terminal to ask on, or the answer cannot be read.
pub(super) fn agreed(yes: bool, question: &str) -> Result<bool, CliError> {
    if yes {
        return Ok(true);
    }
    if !is_interactive() {
        return Err(CliError::Usage(format!("{question} No terminal to answer on: confirm with --yes")));
    }
    let _ = write!(io::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    let agreed = matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes");
    if !agreed {
        note("nothing was done");
    }
    Ok(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_is_not_asked() {
        assert!(agreed(true, "Sync?").expect("yes"));
    }
}
