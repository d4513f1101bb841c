//! Maps PostgreSQL's SQLSTATE codes (its manual, appendix A) to [`StoreError`].

use crate::store::StoreError;
use sqlx::Error;

/// Returns the SQLSTATE code, if PostgreSQL returned one.
pub(super) fn code(error: &Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Returns the message of PostgreSQL or of the connection, for display.
pub(in crate::store) fn message(error: &Error) -> String {
    match code(error).as_deref() {
        Some("57014" | "55P03") => {
            "the database is busy: the statement waited too long for a lock or a result".to_owned()
        }
        _ => match error {
            Error::Io(error) => error.to_string(),
            error => error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned()),
        },
    }
}

/// Returns the [`StoreError`] for the error of a statement that reads.
pub(in crate::store) fn reading(error: &Error) -> StoreError {
    match code(error).as_deref() {
        Some("42501") => {
            let words = message(error);
            StoreError::Forbidden(format!("{words}; this role lacks a right (`quarterdeck doctor` names it)"))
        }
        Some("42P01" | "42703" | "42883" | "3F000") => {
            StoreError::Unusable(format!("{}; run `quarterdeck migrate`", message(error)))
        }
        Some("25006") => StoreError::ReadOnly,
        _ => StoreError::Unavailable(message(error)),
    }
}

/// Returns the [`StoreError`] for the error of a statement that writes.
pub(in crate::store) fn writing(error: &Error) -> StoreError {
    match code(error).as_deref() {
        // Classes of SQLSTATE: data exceptions (22), violated constraints (23), exceeded limits (54), errors raised by
        // a trigger (P0).
        Some(code) if ["22", "23", "54", "P0"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Refused(message(error))
        }
        _ => reading(error),
    }
}
