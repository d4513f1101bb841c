//! What an error of a database means to the caller: wait, drop the data, or look at the place.

use crate::store::{StoreError, postgres, sqlite};
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
        Error::Database(_) if is_postgres(&error) => postgres::error::reading(&error),
        Error::Database(_) => sqlite::error::reading(&error),
        _ => StoreError::Unavailable(words(&error)),
    }
}

/// An error of a statement that writes. `Refused` is what the data itself was refused for; everything else may pass.
pub(in crate::store) fn writing(error: Error) -> StoreError {
    match &error {
        Error::Encode(_) => StoreError::Refused(words(&error)),
        Error::Database(_) if is_postgres(&error) => postgres::error::writing(&error),
        Error::Database(_) => sqlite::error::writing(&error),
        _ => reading(error),
    }
}

/// What the database said.
pub(in crate::store) fn words(error: &Error) -> String {
    match error {
        Error::Database(_) if is_postgres(error) => postgres::error::words(error),
        Error::Database(_) => sqlite::error::words(error),
        Error::PoolTimedOut => "the database is too busy to be read".to_owned(),
        other => other.to_string(),
    }
}
