//! What a store holds, in figures.

use crate::domain::time::Timestamp;

/// Contents of a store or of its backup, as far as a person needs them to tell one from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreContents {
    /// The schema version.
    pub version: i64,
    /// Size of the database in bytes.
    pub bytes: u64,
    pub documents: u64,
    pub outcomes: u64,
    pub last_outcome: Option<Timestamp>,
}
