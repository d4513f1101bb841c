//! Maps SQLite's result codes to [`StoreError`].

use crate::store::StoreError;
use sqlx::Error;

const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;
/// SQLite's code `SQLITE_IOERR_SHMSIZE`: the index of the log cannot be extended.
const IOERR_SHM_SIZE: i32 = 10 | (19 << 8);

/// Returns the extended result code, if SQLite returned one.
fn extended(error: &Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Returns the primary result code, which is the extended one without its details.
fn primary(error: &Error) -> Option<i32> {
    Some(extended(error)? & 0xff)
}

/// Returns true if another connection has a lock that the statement needs.
pub(super) fn is_busy(error: &Error) -> bool {
    matches!(primary(error), Some(5 | 6))
}

/// Returns true if the disk is full.
pub(super) fn is_full(error: &Error) -> bool {
    primary(error) == Some(FULL)
}

/// Returns the [`StoreError`] for the error of a statement that reads.
pub(in crate::store) fn reading(error: &Error) -> StoreError {
    match primary(error) {
        Some(1 | 11 | 26) => StoreError::Corrupt(message(error)),
        _ => StoreError::Unavailable(message(error)),
    }
}

/// Returns the [`StoreError`] for the error of a statement that writes.
pub(in crate::store) fn writing(error: &Error) -> StoreError {
    match primary(error) {
        // The codes ERROR (from functions on the data, such as malformed JSON), TOOBIG, CONSTRAINT, MISMATCH and RANGE.
        Some(1 | 18 | 19 | 20 | 25) => StoreError::Refused(message(error)),
        _ => reading(error),
    }
}

/// Returns SQLite's message, with advice where a person can repair the cause.
pub(in crate::store) fn message(error: &Error) -> String {
    let text = error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
    match extended(error) {
        _ if is_busy(error) => "the database is locked by another program".to_owned(),
        // With the second code SQLite reports a disk error, but its only cause is a full disk.
        Some(FULL | IOERR_SHM_SIZE) => format!("the disk is full; free some space ({text})"),
        Some(CORRUPT | NOT_A_DATABASE) => {
            format!(
                "the file is damaged; restore it from a backup, or save what you can with `sqlite3 FILE .recover` \
                 ({text})"
            )
        }
        _ => text,
    }
}
