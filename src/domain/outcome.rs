//! Recorded results of attempts, requests and decisions of people: append-only, one structured line each
//! (assets/docs/json.md, "Outcomes"). The first fields are those of Chatwoot's own log lines, in their order.

use super::content::ContentChange;
use super::document::RecentResult;
use super::failure::ErrorCode;
use super::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use super::job::QueueClass;
use super::stages::Stages;
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};
use serde::{Deserialize, Serialize};

word_enum! {
    /// Result of an attempt, a request or a person's decision, as stored and logged.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum OutcomeResult {
        /// New content replaced the stored one, through a sync or because a person accepted it.
        Updated = "updated",
        /// The page did not change, was quarantined, or is the document's first content, as in Chatwoot; the outcome's
        /// [`ContentChange`] distinguishes these cases.
        Unchanged = "unchanged",
        /// A request was refused because an attempt was running, or a claimed job was postponed because another program
        /// has the document's lock.
        AlreadySyncing = "already_syncing",
        /// Failure that is not retried.
        PermanentFailure = "permanent_failure",
        /// Failure that is retried after a wait, unless an exhaustion follows (the outcome for used-up retries).
        TransientFailure = "transient_failure",
        /// An error of this program; retried soon, unless an exhaustion follows.
        UnexpectedFailure = "unexpected_failure",
        /// The retries after transient failures are used up.
        TransientRetryExhausted = "transient_retry_exhausted",
        /// The retries after unexpected failures are used up; an error report is sent.
        UnexpectedRetryExhausted = "unexpected_retry_exhausted",
        /// The worker died or lost its lease.
        WorkerLost = "worker_lost",
        /// The last worker that the job may lose was lost; an error report is sent.
        CrashExhausted = "crash_exhausted",
        /// Cancelled by a person, or because the document is gone.
        Cancelled = "cancelled",
        Purged = "purged",
        /// The document was removed with its text.
        Removed = "removed",
        /// A person has put an earlier text in place of the stored one.
        Restored = "restored",
    }
}
serde_by_word!(OutcomeResult);

/// Kind of an outcome: its effect on the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutcomeKind {
    Success,
    /// A request was refused because an attempt was running, or a claimed job was postponed because another program has
    /// the document's lock.
    Refused,
    /// The attempt failed; an exhaustion of the same attempt may follow.
    Failure,
    /// The worker died or lost its lease during the attempt.
    Lost,
    /// The attempts of a failure class, or the limit of lost workers, are used up; the job ends.
    Exhaustion,
    Cancelled,
    /// The job was dropped from the queue before its first attempt.
    Purged,
    /// A person has removed the document or restored an earlier text of it.
    Act,
}

impl OutcomeKind {
    /// Returns true for the kinds that count as the end of an attempt. An exhaustion follows such an outcome; a
    /// cancelled job may not have been running.
    pub const fn ends_attempt(self) -> bool {
        match self {
            Self::Success | Self::Failure | Self::Lost => true,
            Self::Refused | Self::Exhaustion | Self::Cancelled | Self::Purged | Self::Act => false,
        }
    }

    /// Returns true for the kinds of which one action (cancel, purge, remove) can record very many; a list combines equal
    /// ones into one entry.
    pub const fn is_combined(self) -> bool {
        match self {
            Self::Cancelled | Self::Purged | Self::Act => true,
            Self::Success | Self::Refused | Self::Failure | Self::Lost | Self::Exhaustion => false,
        }
    }
}

impl OutcomeResult {
    /// Returns the kind of this result. This match and those of [`OutcomeKind`] are exhaustive on purpose: all rules
    /// that group results are here, so the compiler leads whoever adds a result to each of them.
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
            Self::Removed | Self::Restored => OutcomeKind::Act,
        }
    }

    /// Returns true if the result follows the failure or loss of the same attempt and ends the job.
    pub const fn is_exhaustion(self) -> bool {
        matches!(self.kind(), OutcomeKind::Exhaustion)
    }

    /// Returns true for failures, lost workers and exhaustions.
    pub const fn is_failure(self) -> bool {
        match self.kind() {
            OutcomeKind::Failure | OutcomeKind::Lost | OutcomeKind::Exhaustion => true,
            OutcomeKind::Success
            | OutcomeKind::Refused
            | OutcomeKind::Cancelled
            | OutcomeKind::Purged
            | OutcomeKind::Act => false,
        }
    }

    /// Returns true if the document has failed and its job is not retried.
    pub const fn fails_for_good(self) -> bool {
        match self {
            Self::PermanentFailure
            | Self::TransientRetryExhausted
            | Self::UnexpectedRetryExhausted
            | Self::CrashExhausted => true,
            Self::Updated
            | Self::Unchanged
            | Self::AlreadySyncing
            | Self::TransientFailure
            | Self::UnexpectedFailure
            | Self::WorkerLost
            | Self::Cancelled
            | Self::Purged
            | Self::Removed
            | Self::Restored => false,
        }
    }

    /// Returns the entry that this result adds to the strip of recent results; `None` for `already_syncing` and for
    /// exhaustions. An exhaustion turns the entry of the failure or lost worker before it into
    /// [`RecentResult::Failed`].
    pub const fn recent(self) -> Option<RecentResult> {
        match self {
            Self::Updated | Self::Restored => Some(RecentResult::Updated),
            Self::Unchanged => Some(RecentResult::Unchanged),
            Self::TransientFailure | Self::UnexpectedFailure => Some(RecentResult::Retrying),
            Self::PermanentFailure => Some(RecentResult::Failed),
            Self::WorkerLost => Some(RecentResult::Lost),
            Self::Cancelled | Self::Purged => Some(RecentResult::Stopped),
            Self::AlreadySyncing
            | Self::TransientRetryExhausted
            | Self::UnexpectedRetryExhausted
            | Self::CrashExhausted
            | Self::Removed => None,
        }
    }
}

/// Outcome as a transition produces it; the store adds ids, names and the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeDraft {
    pub result: OutcomeResult,
    pub error_code: Option<ErrorCode>,
    /// Name of the error's type, or `panic`; for unexpected failures and their exhaustion only.
    pub exception_class: Option<String>,
    /// Duration of the attempt in milliseconds, wall clock; `None` unless the attempt succeeded or failed.
    pub duration_ms: Option<u64>,
    /// HTTP status of the response; `None` without a response.
    pub http_status: Option<u16>,
    /// Description of the result: one line in plain language.
    pub detail: Option<SafeLine>,
    /// Effect on the stored content; for successful attempts and accepted texts only.
    pub content: Option<ContentChange>,
    /// Size of the response body in bytes, after decompression.
    pub bytes: Option<u64>,
    /// Time of the next attempt, UTC, if the outcome schedules one.
    pub next_attempt_at: Option<Timestamp>,
}

impl OutcomeDraft {
    /// Creates a draft with all other fields empty.
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

    /// Sets the detail, one line in plain language, made safe to print.
    pub fn with_detail(mut self, detail: impl AsRef<str>) -> Self {
        self.detail = Some(SafeLine::new(detail.as_ref()));
        self
    }
}

/// Recorded outcome. The order of the fields is that of the JSON line; absent fields are omitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Outcomes outlive documents: the row may be gone.
    pub document_id: DocumentId,
    /// Account of the document at the time of recording.
    pub account_id: AccountId,
    /// Assistant of the document at the time of recording.
    pub assistant_id: AssistantId,
    pub result: OutcomeResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<ErrorCode>,
    /// Name of the error's type, or `panic`; for unexpected failures and their exhaustion only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_class: Option<String>,
    /// Duration of the attempt in milliseconds, wall clock; absent unless the attempt succeeded or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// Time of recording, UTC.
    pub at: Timestamp,
    /// Sequence number in the log, without gaps and in commit order.
    pub seq: Seq,
    /// Job of the attempt; for a removed document its last job, or 0 if it had none.
    pub job_id: JobId,
    /// Number of the job's attempt, from 1, or 0 if none has started; an exhaustion has the number of the failure
    /// before it.
    pub attempt: u32,
    /// Class of the job during the attempt.
    pub queue: QueueClass,
    /// URL of the document at the time of recording.
    pub url: SafeLine,
    /// HTTP status of the response, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// Description of the result: one line in plain language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<SafeLine>,
    /// Effect on the stored content; for successful attempts and accepted texts only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentChange>,
    /// Size of the response body in bytes, after decompression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Time of the next attempt, UTC, if the outcome schedules one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// Worker that ran the attempt, `host:pid`; absent if no worker did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<SafeLine>,
    /// Requester of the job; for a refused request, a decision or a removal, the person who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<SafeLine>,
    /// Durations of the stages of the attempt; absent unless it fetched something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stages: Option<Stages>,
    /// Name of the document at the time of recording, for display; not part of the JSON line.
    #[serde(skip)]
    pub name: SafeLine,
}

impl Outcome {
    /// Returns the JSON line, without a line feed.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
