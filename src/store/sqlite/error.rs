//! SQLite's result codes.

use crate::store::StoreError;
use sqlx::Error;

const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;
/// `SQLITE_IOERR_SHMSIZE`.
const NO_ROOM_FOR_INDEX: i32 = 10 | (19 << 8);

/// The result code, when SQLite answered at all.
fn extended(error: &Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// The result code without its details.
fn primary(error: &Error) -> Option<i32> {
    Some(extended(error)? & 0xff)
}

/// Whether another connection was in the way.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(primary(error), Some(5 | 6))
}

/// Whether there was no space for it.
pub(super) fn is_full(error: &Error) -> bool {
    primary(error) == Some(FULL)
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

/// What SQLite says, and what to do about it where it is something that a person can mend.
pub(in crate::store) fn words(error: &Error) -> String {
    let said = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    match extended(error) {
        _ if is_busy(error) => "the database is locked by another program".to_owned(),
        // The second is the index of the log, which SQLite cannot lengthen: it calls that a disk error, whose only cause
        // is a disk without space.
        Some(FULL | NO_ROOM_FOR_INDEX) => format!("the disk is full; free some space ({said})"),
        Some(CORRUPT | NOT_A_DATABASE) => {
            format!(
                "the file is damaged; take it from a backup, or save what can be with `sqlite3 FILE .recover` ({said})"
            )
        }
        _ => said,
    }
}
