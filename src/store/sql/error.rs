//! What an error of a database means to the caller: wait, drop the data, or look at the place.

use crate::store::StoreError;
use crate::store::postgres::error as postgres;
use crate::store::sqlite::error as sqlite;
use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

/// Whether it was PostgreSQL that answered.
fn is_postgres(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| error.try_downcast_ref::<PgDatabaseError>().is_some())
}

/// An error of a statement that reads.
pub(in crate::store) fn reading(error: Error) -> StoreError {
    match &error {
        Error::ColumnDecode { .. } | Error::ColumnNotFound(_) | Error::Decode(_) => StoreError::Corrupt(words(&error)),
        Error::Database(_) if is_postgres(&error) => postgres::reading(&error),
        Error::Database(_) => sqlite::reading(&error),
        _ => StoreError::Unavailable(words(&error)),
    }
}

/// An error of a statement that writes. `Refused` is what the data itself was refused for; everything else may pass.
pub(in crate::store) fn writing(error: Error) -> StoreError {
    match &error {
        Error::Encode(_) => StoreError::Refused(words(&error)),
        Error::Database(_) if is_postgres(&error) => postgres::writing(&error),
        Error::Database(_) => sqlite::writing(&error),
        _ => reading(error),
    }
}

/// What the database said.
pub(in crate::store) fn words(error: &Error) -> String {
    match error {
        Error::Database(_) if is_postgres(error) => postgres::words(error),
        Error::Database(_) => sqlite::words(error),
        Error::PoolTimedOut => "the database is too busy to be read".to_owned(),
        other => other.to_string(),
    }
}

/// The error of a statement that always has a row, and had none.
pub(in crate::store) fn no_row() -> StoreError {
    reading(Error::RowNotFound)
}
