//! Requests to the queue (sync, retry, cancel) and its answer for each document.

use super::document::Status;
use super::id::{DocumentId, JobId};
use super::job::{JobState, QueueClass};
use super::text::SafeLine;
use std::fmt;

/// Kind of a sync request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Sync it, whatever its status.
    Sync,
    /// The same, and fetch the page whole, whatever its server would say of it.
    SyncWhole,
    /// Sync it if it failed, waits for its next try, or is stuck.
    Retry,
}

/// A request to sync documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Sync or retry.
    pub verb: Verb,
    /// `Manual` for people, `Auto` for the schedule and the demo.
    pub class: QueueClass,
    /// Name of the requester, recorded in the outcome.
    pub by: SafeLine,
    /// Named document or bulk: a bulk request on a running document records nothing.
    pub scope: Scope,
}

/// Origin of the documents of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Named one by one.
    Named,
    /// Matched by a filter, or marked in bulk.
    Bulk,
}

/// Why a document is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// The link leads to a PDF.
    Pdf,
    /// The document's `status` is not `available`.
    Unavailable,
    /// The document is being synced (bulk requests only).
    Running,
    /// Only failed, waiting and stuck documents are retried.
    NotFailed(Status),
    /// There is no job to cancel.
    NothingToCancel,
    /// No such document.
    Missing,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pdf => f.write_str("is a PDF, which is never synced by a fetch"),
            Self::Unavailable => f.write_str("is not available yet"),
            Self::Running => f.write_str("is syncing already"),
            Self::NotFailed(status) => {
                write!(f, "is {}; only failed, waiting and stuck documents are retried", status.word())
            }
            Self::NothingToCancel => f.write_str("has nothing to cancel"),
            Self::Missing => f.write_str("does not exist"),
        }
    }
}

/// The live job that a request meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveJob {
    /// The job.
    pub id: JobId,
    /// State of the job.
    pub state: JobState,
    /// Class of the job.
    pub class: QueueClass,
    /// The attempt that runs, or that ran last.
    pub attempt: u32,
    /// The attempt for which a request has been recorded as `already_syncing`.
    pub recorded_attempt: Option<u32>,
    /// The worker that runs it.
    pub held_by: Option<SafeLine>,
}

/// Step that the store takes for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestStep {
    /// Put a new job in the queue.
    Insert,
    /// Make the ready job one of class manual.
    Promote,
    /// Make the scheduled job ready now, as manual; counters stay.
    RunNow,
    /// Record `already_syncing`, once per attempt.
    RecordRunning,
    /// Nothing to write.
    Nothing,
}

/// Answer to a request, for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A new job is in the queue.
    Queued(JobId),
    /// The ready job became manual and goes first.
    Promoted(JobId),
    /// The waiting job became ready.
    RunsNow(JobId),
    /// The job was ready already.
    AlreadyQueued(JobId),
    /// The job is running, on this worker if known.
    AlreadySyncing(JobId, Option<SafeLine>),
    /// The document was skipped.
    Skipped(SkipReason),
    /// A cancel: the job ended.
    Cancelled(JobId),
    /// A cancel: the running attempt was told.
    Stopping(JobId),
}

impl Answer {
    /// Returns true if the request changed something for this document.
    pub const fn is_accepted(&self) -> bool {
        match self {
            Self::Queued(_) | Self::Promoted(_) | Self::RunsNow(_) | Self::Cancelled(_) | Self::Stopping(_) => true,
            Self::AlreadyQueued(_) | Self::AlreadySyncing(..) | Self::Skipped(_) => false,
        }
    }
}

/// Answer for one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The document.
    pub document_id: DocumentId,
    /// The answer.
    pub answer: Answer,
}

impl Request {
    /// Returns the step for a document with this status and live job. `syncable` is the reason if the document can
    /// never be synced.
    pub fn meets(
        &self,
        syncable: Result<(), SkipReason>,
        status: Status,
        live: Option<&LiveJob>,
    ) -> Result<RequestStep, SkipReason> {
        syncable?;
        if self.verb == Verb::Retry && !matches!(status, Status::Failed | Status::Waiting | Status::Stuck) {
            // A running document is told apart from one that merely is not failed.
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
            JobState::Running if self.scope == Scope::Bulk => Err(SkipReason::Running),
            JobState::Running if job.recorded_attempt == Some(job.attempt) => Ok(RequestStep::Nothing),
            JobState::Running => Ok(RequestStep::RecordRunning),
            JobState::Done | JobState::Failed | JobState::Cancelled | JobState::Purged => Ok(RequestStep::Insert),
        }
    }
}
