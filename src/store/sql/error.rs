//! Classification of database errors by what the caller should do: wait, drop the data, or refuse the store.

use crate::store::StoreError;
use crate::store::postgres::error as postgres;
use crate::store::sqlite::error as sqlite;
use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

/// Returns true if PostgreSQL reported the error.
fn is_postgres(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| error.try_downcast_ref::<PgDatabaseError>().is_some())
}

/// Returns the [`StoreError`] for the error of a statement that reads.
pub(in crate::store) fn reading(error: Error) -> StoreError {
    match &error {
        Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_) => {
            StoreError::Corrupt(message(&error))
        }
        Error::Database(_) if is_postgres(&error) => postgres::reading(&error),
        Error::Database(_) => sqlite::reading(&error),
        _ => StoreError::Unavailable(message(&error)),
    }
}

/// Returns the [`StoreError`] for the error of a statement that writes. [`StoreError::Refused`] means that the database
/// refused the data itself.
pub(in crate::store) fn writing(error: Error) -> StoreError {
    match &error {
        Error::Encode(_) => StoreError::Refused(message(&error)),
        Error::Database(_) if is_postgres(&error) => postgres::writing(&error),
        Error::Database(_) => sqlite::writing(&error),
        _ => reading(error),
    }
}

/// Returns the message of the database or of the connection, for display.
pub(in crate::store) fn message(error: &Error) -> String {
    match error {
        Error::Database(_) if is_postgres(error) => postgres::message(error),
        Error::Database(_) => sqlite::message(error),
        Error::PoolTimedOut => "the database is too busy to be read".to_owned(),
        other => other.to_string(),
    }
}

/// Returns the error for a statement that always has a row but returned none.
pub(in crate::store) fn no_row() -> StoreError {
    reading(Error::RowNotFound)
}
