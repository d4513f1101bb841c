//! Errors of the store, the same for both databases.

use crate::store::version::SchemaMismatch;
use thiserror::Error;

/// The reason why the store could not do what it was asked. Never counts as a failure of a document.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database is unreachable, busy for too long or out of space. May pass; nothing was written.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The database refused the data of one document. Other documents of the same batch are not affected.
    #[error("the database refused the data: {0}")]
    Refused(String),
    #[error("the store is open read-only")]
    ReadOnly,
    /// The URL does not name a store, or not one that this program can use. The message says what to do.
    #[error("{0}")]
    Unusable(String),
    /// The store's schema version differs from this program's. Nothing was written, and every later write fails too.
    #[error("{0}")]
    Schema(SchemaMismatch),
    /// A row contains a value that this program cannot have written.
    #[error("the database contains an unreadable value: {0}")]
    Corrupt(String),
}

/// The result of a call to the store.
pub type Result<T> = std::result::Result<T, StoreError>;
