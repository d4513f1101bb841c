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

/// The effect of a compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionPlan {
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Size of the new file in bytes, at most, which is also the space that the compaction needs beside the old one.
    pub needed: u64,
    /// True if the file gives unused pages back by itself.
    pub shrinks_itself: bool,
}
