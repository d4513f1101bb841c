//! The recorded result of an attempt: append-only, one structured line each (assets/docs/json.md, "Outcomes"). Its first
//! fields are those of Chatwoot's own log lines, in their order.

use super::content::ContentChange;
use super::document::RecentResult;
use super::failure::ErrorCode;
use super::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use super::job::QueueClass;
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};
use serde::{Deserialize, Serialize};

word_enum! {
    /// Result of an attempt or a request.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum OutcomeResult {
        /// New content replaced another.
        Updated = "updated",
        /// Nothing new; also a first content (as upstream, [`ContentChange`] tells them apart).
        Unchanged = "unchanged",
        /// A request met a running attempt.
        AlreadySyncing = "already_syncing",
        /// Not tried again.
        PermanentFailure = "permanent_failure",
        /// Tried again after a wait, unless an exhaustion follows.
        TransientFailure = "transient_failure",
        /// An error of ours; tried again soon, unless an exhaustion follows.
        UnexpectedFailure = "unexpected_failure",
        /// The last transient attempt has failed.
        TransientRetryExhausted = "transient_retry_exhausted",
        /// The last unexpected attempt has failed; reported once.
        UnexpectedRetryExhausted = "unexpected_retry_exhausted",
        /// The worker died or lost its lease.
        WorkerLost = "worker_lost",
        /// Lost three times; reported once.
        CrashExhausted = "crash_exhausted",
        /// Stopped by a person or because its document is gone.
        Cancelled = "cancelled",
        /// Dropped from the queue.
        Purged = "purged",
    }
}
serde_by_word!(OutcomeResult);

/// The part of an outcome in a job's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    /// The attempt ended with the document synced.
    Success,
    /// A request met a running attempt; no attempt was made.
    Refused,
    /// The attempt failed; an exhaustion of the same attempt may follow.
    Failure,
    /// The worker died or lost its lease during the attempt.
    Lost,
    /// The attempts of a failure class are used up; the job ends.
    Exhaustion,
    /// The job was cancelled.
    Cancelled,
    /// The job was dropped from the queue before its first attempt.
    Purged,
}

impl OutcomeResult {
    /// Returns the part that this result has in a job's life. Exhaustive on purpose: everything else that depends on the
    /// sort of a result asks for its kind, so a new result is sorted in here and nowhere else.
    pub const fn kind(self) -> OutcomeKind {
        match self {
            Self::Updated | Self::Unchanged => OutcomeKind::Success,
            Self::AlreadySyncing => OutcomeKind::Refused,
            Self::PermanentFailure | Self::TransientFailure | Self::UnexpectedFailure => OutcomeKind::Failure,
            Self::WorkerLost => OutcomeKind::Lost,
            Self::TransientRetryExhausted | Self::UnexpectedRetryExhausted | Self::CrashExhausted => {
                OutcomeKind::Exhaustion
            }
            Self::Cancelled => OutcomeKind::Cancelled,
            Self::Purged => OutcomeKind::Purged,
        }
    }

    /// Returns true if the result follows the failure line of the same attempt and ends the job.
    pub const fn is_exhaustion(self) -> bool {
        matches!(self.kind(), OutcomeKind::Exhaustion)
    }

    /// Returns true if something went wrong.
    pub const fn is_failure(self) -> bool {
        matches!(self.kind(), OutcomeKind::Failure | OutcomeKind::Lost | OutcomeKind::Exhaustion)
    }

    /// Returns the glyph for the strip of recent results; `None` for a result that ends no attempt. An exhaustion turns
    /// its own failure's glyph into [`RecentResult::Failed`] instead of adding one.
    pub const fn recent(self) -> Option<RecentResult> {
        match self {
            Self::Updated => Some(RecentResult::Updated),
            Self::Unchanged => Some(RecentResult::Unchanged),
            Self::TransientFailure | Self::UnexpectedFailure => Some(RecentResult::Retrying),
            Self::PermanentFailure => Some(RecentResult::Failed),
            Self::WorkerLost => Some(RecentResult::Lost),
            Self::Cancelled | Self::Purged => Some(RecentResult::Stopped),
            Self::AlreadySyncing
            | Self::TransientRetryExhausted
            | Self::UnexpectedRetryExhausted
            | Self::CrashExhausted => None,
        }
    }
}

/// Outcome as a transition produces it; the store adds who, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeDraft {
    /// Result.
    pub result: OutcomeResult,
    /// The failure's code.
    pub error_code: Option<ErrorCode>,
    /// For unexpected failures.
    pub exception_class: Option<String>,
    /// Wall-clock milliseconds of this attempt; exhaustions have none.
    pub duration_ms: Option<u64>,
    /// The page's status, when it answered.
    pub http_status: Option<u16>,
    /// Plain language.
    pub detail: Option<SafeLine>,
    /// For good attempts.
    pub content: Option<ContentChange>,
    /// Bytes of the body after decompression.
    pub bytes: Option<u64>,
    /// Time of the next attempt, UTC.
    pub next_attempt_at: Option<Timestamp>,
}

impl OutcomeDraft {
    /// A draft with a result alone.
    pub const fn new(result: OutcomeResult) -> Self {
        Self {
            result,
            error_code: None,
            exception_class: None,
            duration_ms: None,
            http_status: None,
            detail: None,
            content: None,
            bytes: None,
            next_attempt_at: None,
        }
    }

    /// The same with a line of plain language.
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = Some(SafeLine::new(detail.as_ref()));
        self
    }
}

/// An outcome as recorded. Field order is the order of the JSON line; absent fields are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Outcomes outlive documents: the row may be gone.
    pub document_id: DocumentId,
    /// The document's account then.
    pub account_id: AccountId,
    /// The document's assistant then.
    pub assistant_id: AssistantId,
    /// Result.
    pub result: OutcomeResult,
    /// The failure's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// For unexpected failures: the error type's name, or `panic`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_class: Option<String>,
    /// Wall-clock milliseconds of this attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Time of recording, UTC.
    pub at: Timestamp,
    /// Number in the log, dense and in commit order.
    pub seq: Seq,
    /// The job.
    pub job_id: JobId,
    /// The claim that led to it, from 1; an exhaustion shares its failure's.
    pub attempt: u32,
    /// The job's class during the attempt.
    pub queue: QueueClass,
    /// The document's URL then.
    pub url: SafeLine,
    /// The page's status, when it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Plain language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<SafeLine>,
    /// For good attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentChange>,
    /// Bytes of the body after decompression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Time of the next attempt, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The worker that ran the attempt, `host:pid`; absent when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<SafeLine>,
    /// Requester of the job; for `already_syncing`, of the request that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<SafeLine>,
    /// The document's name, as it was with this outcome, for the screen; not part of the line.
    #[serde(skip)]
    pub name: SafeLine,
}

impl Outcome {
    /// The JSON line, without a line feed.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
