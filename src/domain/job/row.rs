//! A document's row as a job finds it, and what a job makes of it.

use crate::domain::document::SyncStatus;
use crate::domain::failure::ErrorCode;
use crate::domain::time::Timestamp;

/// The document's row before the first try of a job, kept to be restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowBefore {
    /// `sync_status`.
    pub sync_status: Option<SyncStatus>,
    /// `last_sync_error_code` of the metadata.
    pub error_code: Option<String>,
    /// `last_sync_attempted_at`.
    pub attempted_at: Option<Timestamp>,
}

/// Write to the document's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowWrite {
    /// Not touched.
    Keep,
    /// `synced`, now; with the content when the change writes it.
    Synced,
    /// `failed` with this code, attempted now.
    Failed(ErrorCode),
    /// `failed` with this code, the times untouched: a job that started was stopped after a failed try.
    BackToFailed(ErrorCode),
    /// The values before the job's first try are restored.
    Restore(RowBefore),
}
