//! Errors of the store, whichever database is underneath.

use crate::store::version::SchemaMismatch;
use thiserror::Error;

/// Why the store did not answer. Never a document's failure.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Unreachable, busy for too long, out of space: may pass, nothing was written.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The database refused the data of one document; others of the same batch are not touched by it.
    #[error("the database refused the data: {0}")]
    Refused(String),
    /// Opened without the right to write.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// The place is not a store of ours, or not one that this program can use. The message says what to do.
    #[error("{0}")]
    Unusable(String),
    /// The schema is not the one that this process works with: nothing was written, and nothing ever will be.
    #[error("{0}")]
    Schema(SchemaMismatch),
    /// A row that this program cannot have written.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

/// An answer of the store.
pub type Result<T> = std::result::Result<T, StoreError>;
