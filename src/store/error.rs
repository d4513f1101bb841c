//! Errors of the store, the same for both databases.

use crate::store::version::SchemaMismatch;
use thiserror::Error;

/// The reason why a call to the store failed. Only `Refused` and `Corrupt` may count as a failure of a document.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database is unreachable, busy for too long, out of space or closed. A later call may succeed. Nothing was
    /// written, unless a PostgreSQL server has committed and its response was lost.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The data of the call was refused, such as the result of an attempt, a worker's id or a filter. In a group of
    /// finishes only the one with the refused data fails.
    #[error("the database refused the data: {0}")]
    Refused(String),
    #[error("the store is open read-only")]
    ReadOnly,
    /// The URL names no store; the message says how it is written.
    #[error("{0}")]
    Address(String),
    /// The URL names a store that this program cannot use, or the database lacks something that the call
    /// needs, such as a table. The message says what to do.
    #[error("{0}")]
    Unusable(String),
    /// The role lacks a right, or the call would change what belongs to another program. The message says what to do.
    #[error("{0}")]
    Forbidden(String),
    /// The store's schema version differs from this program's. Nothing was written, and further writes fail as long as
    /// the versions differ.
    #[error("{0}")]
    Schema(SchemaMismatch),
    /// An optimistic transaction found that rows have changed since it read them, or would have to lock rows. The store
    /// repeats the transaction with locks, so no caller gets this error.
    #[error("the rows have changed meanwhile")]
    Conflict,
    /// A row contains a value that this program cannot have written, or the database file is damaged.
    #[error("the database contains an unreadable value: {0}")]
    Corrupt(String),
}

/// The result of a call to the store.
pub type Result<T> = std::result::Result<T, StoreError>;
