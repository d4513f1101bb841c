//! The recorded result of an attempt: append-only, one structured line each (assets/docs/json.md, "Outcomes"). Its first
//! fields are those of Chatwoot's own log lines, in their order.

use super::content::ContentChange;
use super::document::RecentResult;
use super::failure::ErrorCode;
use super::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use super::job::QueueClass;
use super::text::SafeLine;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What an attempt, or a request, came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// New content replaced another.
    Updated,
    /// Nothing new; also a first content (as upstream, [`ContentChange`] tells them apart).
    Unchanged,
    /// A request met a running attempt.
    AlreadySyncing,
    /// Not tried again.
    PermanentFailure,
    /// Tried again after a wait, unless an exhaustion follows.
    TransientFailure,
    /// An error of ours; tried again soon, unless an exhaustion follows.
    UnexpectedFailure,
    /// The last transient attempt has failed.
    TransientRetryExhausted,
    /// The last unexpected attempt has failed; reported once.
    UnexpectedRetryExhausted,
    /// The worker died or lost its lease.
    WorkerLost,
    /// Lost three times; reported once.
    CrashExhausted,
    /// Stopped by a person or because its document is gone.
    Cancelled,
    /// Dropped from the queue.
    Purged,
}

impl OutcomeResult {
    /// All of them; upstream's eight come first.
    pub const ALL: [Self; 12] = [
        Self::Updated,
        Self::Unchanged,
        Self::AlreadySyncing,
        Self::PermanentFailure,
        Self::TransientFailure,
        Self::UnexpectedFailure,
        Self::TransientRetryExhausted,
        Self::UnexpectedRetryExhausted,
        Self::WorkerLost,
        Self::CrashExhausted,
        Self::Cancelled,
        Self::Purged,
    ];

    /// The word in outcome lines and filters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::AlreadySyncing => "already_syncing",
            Self::PermanentFailure => "permanent_failure",
            Self::TransientFailure => "transient_failure",
            Self::UnexpectedFailure => "unexpected_failure",
            Self::TransientRetryExhausted => "transient_retry_exhausted",
            Self::UnexpectedRetryExhausted => "unexpected_retry_exhausted",
            Self::WorkerLost => "worker_lost",
            Self::CrashExhausted => "crash_exhausted",
            Self::Cancelled => "cancelled",
            Self::Purged => "purged",
        }
    }

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.word() == word)
    }

    /// Whether upstream prints a line of this result.
    pub const fn is_upstreams(self) -> bool {
        !matches!(self, Self::WorkerLost | Self::CrashExhausted | Self::Cancelled | Self::Purged)
    }

    /// Whether it follows the failure line of the same attempt and ends the job.
    pub const fn is_exhaustion(self) -> bool {
        matches!(self, Self::TransientRetryExhausted | Self::UnexpectedRetryExhausted | Self::CrashExhausted)
    }

    /// Whether it says that something went wrong.
    pub const fn is_failure(self) -> bool {
        self.is_exhaustion()
            || matches!(
                self,
                Self::PermanentFailure | Self::TransientFailure | Self::UnexpectedFailure | Self::WorkerLost
            )
    }

    /// What the strip of recent results makes of it; `None` for those that are no attempt's end. An exhaustion turns
    /// the glyph of its own failure into [`RecentResult::Failed`] instead of adding one.
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

/// What a transition says of an outcome; the store adds who, where and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeDraft {
    /// What it came to.
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
    /// When the job is tried again.
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
    /// What it came to.
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
    /// When it was recorded.
    pub at: Timestamp,
    /// Its place in the log.
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
    /// When the job is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// The worker that ran the attempt, `host:pid`; absent when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<SafeLine>,
    /// Who asked for the job; for `already_syncing`, who asked in vain.
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

    /// Upstream's own line, with its fields and for its eight results alone.
    pub fn rails(&self) -> Option<String> {
        if !self.result.is_upstreams() {
            return None;
        }
        let line = RailsLine {
            document_id: self.document_id,
            account_id: self.account_id,
            assistant_id: self.assistant_id,
            result: self.result,
            error_code: self.error_code,
            exception_class: self.exception_class.as_deref(),
            duration_ms: self.duration_ms,
        };
        Some(format!("[Captain::Documents::PerformSyncJob] {}", serde_json::to_string(&line).unwrap_or_default()))
    }
}

#[derive(Serialize)]
struct RailsLine<'a> {
    document_id: DocumentId,
    account_id: AccountId,
    assistant_id: AssistantId,
    result: OutcomeResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}
