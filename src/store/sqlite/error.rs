//! What an error of SQLite means to the caller: wait, drop the data, or look at the file.

use super::super::StoreError;
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
pub(in crate::store) fn reading(error: Error) -> StoreError {
    match primary(&error) {
        Some(1 | 11 | 26) => StoreError::Corrupt(words(&error)),
        _ if matches!(error, Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_)) => {
            StoreError::Corrupt(words(&error))
        }
        _ => StoreError::Unavailable(words(&error)),
    }
}

/// An error of a statement that writes. `Refused` is what the data itself was refused for; everything else may pass.
pub(in crate::store) fn writing(error: Error) -> StoreError {
    match primary(&error) {
        // SQLITE_ERROR comes from functions on the data (malformed JSON), TOOBIG, CONSTRAINT, MISMATCH, RANGE.
        Some(1 | 18 | 19 | 20 | 25) => StoreError::Refused(words(&error)),
        _ if matches!(error, Error::Encode(_)) => StoreError::Refused(words(&error)),
        _ => reading(error),
    }
}

fn words(error: &Error) -> String {
    // In words that say whom to look at; each stands on its own.
    match primary(error) {
        Some(5 | 6) => return "another program holds the database locked".to_owned(),
        Some(13) => return "the disk is full".to_owned(),
        Some(14) => return "the database file cannot be opened".to_owned(),
        _ => {}
    }
    match error {
        Error::PoolTimedOut => "the database is too busy to be read".to_owned(),
        Error::Database(error) => error.message().to_owned(),
        other => other.to_string(),
    }
}
