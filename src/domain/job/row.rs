//! A document's row before a job, and a job's writes to it.

use crate::domain::document::SyncStatus;
use crate::domain::failure::ErrorCode;
use crate::domain::time::Timestamp;

/// State of a document's row before the first attempt of a job, kept so that it can be restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowBefore {
    pub sync_status: Option<SyncStatus>,
    /// Key `last_sync_error_code` of the row's metadata.
    pub error_code: Option<String>,
    /// Column `last_sync_attempted_at`, UTC.
    pub attempted_at: Option<Timestamp>,
}

/// Write of a transition to the document's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowWrite {
    /// The row is not touched.
    Keep,
    /// The row becomes `synced` as of now, with the new content if the
    /// [`ContentChange`](super::super::content::ContentChange) writes it.
    Synced,
    /// The row becomes `failed` with this code, attempted now.
    Failed(ErrorCode),
    /// If the row is still `syncing`, it becomes `failed` with this code, and its times stay: the job was stopped after
    /// one of its attempts had failed.
    BackToFailed(ErrorCode),
    /// If the row is still `syncing`, it gets the values that it had before the job's first attempt.
    Restore(RowBefore),
}
