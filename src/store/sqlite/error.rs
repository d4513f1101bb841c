//! SQLite's result codes.

use super::super::StoreError;
use super::super::error::words;
use sqlx::Error;

/// The primary result code, when SQLite answered at all.
fn primary(error: &Error) -> Option<i32> {
    let code: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// Whether another connection was in the way.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(primary(error), Some(5 | 6))
}

/// An error of a statement that reads.
pub(in crate::store) fn reading(error: &Error) -> StoreError {
    match primary(error) {
        Some(1 | 11 | 26) => StoreError::Corrupt(words(error)),
        _ => StoreError::Unavailable(words(error)),
    }
}

/// An error of a statement that writes.
pub(in crate::store) fn writing(error: &Error) -> StoreError {
    match primary(error) {
        // SQLITE_ERROR comes from functions on the data (malformed JSON), TOOBIG, CONSTRAINT, MISMATCH, RANGE.
        Some(1 | 18 | 19 | 20 | 25) => StoreError::Refused(words(error)),
        _ => reading(error),
    }
}
