//! The argument `--after` of verbs that go on from a position in the store's history.

use super::exit::CliError;
use crate::domain::cursor::{Cursor, CursorRefusal, History, TextPosition};
use crate::domain::id::Seq;
use std::str::FromStr;

/// A position as a user gives it: a cursor, or the number of an outcome of this store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    Cursor(Cursor),
    Seq(Seq),
}

impl FromStr for After {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(|seq| Self::Seq(Seq(seq))).map_err(|_| "this number is too high".to_owned());
        }
        text.parse().map(Self::Cursor).map_err(|error: crate::domain::cursor::CursorError| error.to_string())
    }
}

impl After {
    /// Returns the position, if the store still has everything after it; otherwise an error that ends the verb with 2.
    pub(super) fn position(&self, history: &History) -> Result<TextPosition, CliError> {
        let cursor = match self {
            Self::Cursor(cursor) => cursor.clone(),
            Self::Seq(seq) => history.cursor(TextPosition::after(*seq)),
        };
        history.check(&cursor).map(|()| cursor.position).map_err(|reason| match reason {
            CursorRefusal::Pruned => CliError::Usage(format!(
                "--after: this cursor {reason} (pruned up to {}); export anew, without --after",
                history.first.0 - 1
            )),
            other => refused(other),
        })
    }
}

/// Returns the error for a cursor that the store refuses.
pub(super) fn refused(reason: CursorRefusal) -> CliError {
    CliError::Usage(format!("--after: this cursor {reason}; export anew, without --after"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_cursor_is_read() {
        assert_eq!("812".parse(), Ok(After::Seq(Seq(812))));
        assert!(matches!("a:1:2".parse(), Ok(After::Cursor(_))));
        assert_eq!("99999999999999999999".parse::<After>(), Err("this number is too high".to_owned()));
        assert!("".parse::<After>().is_err() && "soon".parse::<After>().is_err());
    }
}
