//! Causes of failures, as the console's failures view shows them.

use crate::domain::failure::ErrorCode;
use crate::domain::failure_cause::FailureCause;
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;

/// Number of equal parts of the last hour in a trend.
pub const TREND_SLOTS: usize = 10;

/// A cause of failures as the failures view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureSummary {
    pub cause: FailureCause,
    pub code: ErrorCode,
    pub http_status: Option<u16>,
    /// Description of the failure of one of the documents.
    pub detail: Option<SafeLine>,
    /// Number of documents whose last attempt failed for this cause.
    pub documents: u64,
    /// Number of hosts of these documents.
    pub hosts: u64,
    /// The host of all documents; `None` if they have several, or if the host is unknown.
    pub only_host: Option<SafeLine>,
    /// The host failed, not the single page.
    pub is_of_host: bool,
    /// End of the back-off of the only host, UTC; `None` without one.
    pub backoff_until: Option<Timestamp>,
    /// Time of the first failure of those documents that still fail, UTC; `None` if it was not recorded.
    pub first_at: Option<Timestamp>,
    /// Time of the last failure, UTC; `None` if it was not recorded.
    pub last_at: Option<Timestamp>,
    /// Number of the documents that failed last in each tenth of the last hour, the oldest first.
    pub trend: [u64; TREND_SLOTS],
    /// One of the documents.
    pub sample: DocumentId,
}
