//! Requests to the queue (sync, retry, cancel), and the answer for each document.

use super::document::Status;
use super::id::{DocumentId, JobId};
use super::job::{JobState, QueueClass};
use super::text::SafeLine;
use super::time::age;
use std::fmt;
use std::time::Duration;

/// Kind of a sync request, which decides to which document statuses the request applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Sync the document, whatever its status.
    Sync,
    /// Sync the document and fetch and convert the full page: without the validators by which the server could answer
    /// 304, and even if its body is the one that the stored text came from.
    SyncWhole,
    /// Sync the document if it failed, waits for its next attempt, or is stuck.
    Retry,
}

/// Request to sync documents, by a person or the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub kind: RequestKind,
    /// Queue class: `Manual` for people, `Auto` for the schedule and the demo.
    pub class: QueueClass,
    /// Name of the requester, recorded in the outcome.
    pub by: SafeLine,
    /// Origin of the documents; a bulk request on a running document records nothing.
    pub scope: RequestScope,
}

/// Origin of a request's documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestScope {
    /// Documents that were named one by one.
    Named,
    /// Documents that a filter matched, or that were marked (selected) in the console.
    Bulk,
}

/// Reason why a request skips a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The document is a PDF: an upload, or a URL that ends in `.pdf`.
    Pdf,
    /// The document's `status` is not `available`.
    Unavailable,
    /// The document is being synced; for bulk requests only.
    Running,
    /// Only failed, waiting and stuck documents are retried; this one has the given status.
    NotFailed(Status),
    NothingToCancel,
    Missing,
    /// Chatwoot starts no FAQ job for a PDF once it is available.
    PdfFaqs,
    /// The document has no text to make FAQs of.
    NoText,
    /// An FAQ job of the document is noted, and not yet in Sidekiq's queue.
    FaqWaits,
    /// Somebody asked for an FAQ job of the document this long ago, and Redis remembers it.
    FaqStarted(Duration),
}

/// Adds `documents` to those that are skipped for `reason`. Of reasons with a time, the shortest is kept.
pub fn add_skipped(skipped: &mut Vec<(SkipReason, u64)>, reason: SkipReason, documents: u64) {
    match skipped.iter_mut().find(|(known, _)| known.is_like(reason)) {
        Some((known, count)) => (*known, *count) = ((*known).min(reason), *count + documents),
        None => skipped.push((reason, documents)),
    }
}

impl SkipReason {
    /// Returns true if both are the same reason, whatever the times in it.
    fn is_like(self, other: Self) -> bool {
        self == other || matches!((self, other), (Self::FaqStarted(_), Self::FaqStarted(_)))
    }
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pdf => f.write_str("is a PDF, which is never fetched"),
            Self::Unavailable => f.write_str("is not available yet"),
            Self::Running => f.write_str("is syncing already"),
            Self::NotFailed(Status::Never) => {
                f.write_str("was never synced; only failed, waiting and stuck documents are retried")
            }
            Self::NotFailed(status) => {
                write!(f, "is {}; only failed, waiting and stuck documents are retried", status.word())
            }
            Self::NothingToCancel => f.write_str("has nothing to cancel"),
            Self::Missing => f.write_str("does not exist"),
            Self::PdfFaqs => f.write_str("is a PDF, for which Chatwoot starts no FAQ job again"),
            Self::NoText => f.write_str("has no text to make FAQs of"),
            Self::FaqWaits => f.write_str("has an FAQ job that waits already"),
            Self::FaqStarted(ago) => write!(f, "has an FAQ job already started {} ago", age(*ago)),
        }
    }
}

/// Live job of a document to which a request applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveJob {
    pub id: JobId,
    pub state: JobState,
    pub class: QueueClass,
    /// Number of the running attempt, else of the last attempt.
    pub attempt: u32,
    /// Last attempt for which a refused request was recorded as `already_syncing`.
    pub recorded_attempt: Option<u32>,
    /// Name of the worker that runs the job.
    pub worker: Option<SafeLine>,
}

/// Change that the store makes for a request to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Insert a new job into the queue.
    Insert,
    /// Raise the ready job to class manual.
    Promote,
    /// Make the scheduled job ready now, in class manual; counters stay.
    RunNow,
    /// Record `already_syncing`, once per attempt.
    RecordRunning,
    /// Write nothing.
    Nothing,
}

/// Answer to a request for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestAnswer {
    /// A new job is in the queue.
    Queued(JobId),
    /// The ready job moved to the class `manual`, which is served first.
    Promoted(JobId),
    /// The scheduled job became ready.
    RunsNow(JobId),
    /// The job was ready already.
    AlreadyQueued(JobId),
    /// The job is running, on this worker if known.
    AlreadySyncing(JobId, Option<SafeLine>),
    Skipped(SkipReason),
    /// The job ended because of a cancel request.
    Cancelled(JobId),
    /// The running attempt was requested to stop.
    Stopping(JobId),
    /// An FAQ job is noted; a worker puts it into Sidekiq's queue.
    FaqNoted,
}

impl RequestAnswer {
    /// Returns true if the request changed something for this document.
    pub const fn is_accepted(&self) -> bool {
        match self {
            Self::Queued(_)
            | Self::Promoted(_)
            | Self::RunsNow(_)
            | Self::Cancelled(_)
            | Self::Stopping(_)
            | Self::FaqNoted => true,
            Self::AlreadyQueued(_) | Self::AlreadySyncing(..) | Self::Skipped(_) => false,
        }
    }
}

/// Document of a request, with the answer for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentAnswer {
    pub document_id: DocumentId,
    pub answer: RequestAnswer,
}

impl Request {
    /// Returns the change that the store makes for a document with this status and live job, or the reason to skip the
    /// document. `syncable` is an error if the document cannot be synced at all.
    pub fn step(
        &self,
        syncable: Result<(), SkipReason>,
        status: Status,
        live: Option<&LiveJob>,
    ) -> Result<RequestStep, SkipReason> {
        syncable?;
        if self.kind == RequestKind::Retry && !matches!(status, Status::Failed | Status::Waiting | Status::Stuck) {
            // A retry of a running document reports that it is running, not that it has not failed.
            if !live.is_some_and(|job| job.state == JobState::Running) {
                return Err(SkipReason::NotFailed(status));
            }
        }
        let Some(job) = live else {
            return Ok(RequestStep::Insert);
        };
        if self.class == QueueClass::Auto {
            return Ok(RequestStep::Nothing);
        }
        match job.state {
            JobState::Ready if job.class == QueueClass::Manual => Ok(RequestStep::Nothing),
            JobState::Ready => Ok(RequestStep::Promote),
            JobState::Scheduled => Ok(RequestStep::RunNow),
            JobState::Running if self.scope == RequestScope::Bulk => Err(SkipReason::Running),
            JobState::Running if job.recorded_attempt == Some(job.attempt) => Ok(RequestStep::Nothing),
            JobState::Running => Ok(RequestStep::RecordRunning),
            JobState::Done | JobState::Failed | JobState::Cancelled | JobState::Purged => Ok(RequestStep::Insert),
        }
    }
}
