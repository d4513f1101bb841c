//! Job state machine: the effect of each event on a job and on its document's row, and the outcomes that are recorded.
//!
//! Every function here takes a job as stored, and those that apply an event return a [`Transition`]; the store applies
//! it in the transaction that read the job. `request` decides what a request does to a live job, and the store makes
//! due jobs ready. `tests/transitions.rs` has the state machine as tables.

mod row;
mod words;

pub use row::{RowBefore, RowWrite};
pub use words::{JobState, QueueClass};

use super::content::{ContentChange, IdenticalBody, Page};
use super::failure::{ErrorCode, Failure, FailureClass};
use super::fingerprint::Fingerprint;
use super::id::{DocumentId, JobId};
use super::lock::LockHolder;
use super::outcome::{OutcomeDraft, OutcomeResult};
use super::retry::{Counters, LAST_ATTEMPT_WAIT, LossCause, RISKY_FROM, RetryPolicy};
use super::text::SafeLine;
use super::time::Timestamp;
use std::time::Duration;

/// Stored job, with the fields that a transition needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub document_id: DocumentId,
    pub state: JobState,
    pub class: QueueClass,
    /// Earliest time of the next run, UTC.
    pub run_at: Timestamp,
    /// Attempts and failures so far.
    pub counters: Counters,
    /// Error code of the job's last failed attempt; `None` if no attempt failed.
    pub last_failure: Option<ErrorCode>,
    /// State of the document's row before the job's first attempt; `None` as long as that attempt has not started.
    pub row_before: Option<RowBefore>,
    /// Name of the person who requested to cancel the running attempt; `None` without such a request.
    pub cancel_requested_by: Option<SafeLine>,
}

/// End of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The page was fetched.
    Fetched {
        page: Box<Page>,
        /// Fingerprint of the page, equal to `page.fingerprint`.
        fingerprint: Fingerprint,
        /// Comparison with the fingerprint that was stored at the claim.
        change: ContentChange,
    },
    /// The server answered that the stored content is still current (304).
    NotModified,
    /// The page was fetched and not converted, because its body is the one that the stored text came from.
    Identical(IdenticalBody),
    /// The page was fetched and is suspect, and no text is stored yet: it is quarantined, and the document fails.
    Withheld(Box<Page>),
    Failed(Failure),
    /// A cancel request stopped the attempt before it had a result.
    Stopped,
}

/// Report of a job that failed for good through errors of this program or lost workers; sent once per job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReport {
    /// Name of the error's type, `panic` or `worker_lost`.
    pub exception_class: String,
    /// Description of the error: one line in plain language.
    pub detail: SafeLine,
}

/// Result of applying an event to a job: its new state, and what the store writes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    pub state: JobState,
    pub class: QueueClass,
    /// Earliest time of the next run, UTC. Used only in the states in which the job waits.
    pub run_at: Timestamp,
    pub counters: Counters,
    pub last_failure: Option<ErrorCode>,
    pub row: RowWrite,
    /// Outcomes to record, in order.
    pub outcomes: Vec<OutcomeDraft>,
    /// Error report to send, at most one per job.
    pub report: Option<ErrorReport>,
}

impl Job {
    /// Returns the counters after a claim: a claim starts a new attempt.
    pub fn claimed(&self) -> Counters {
        Counters { attempt: self.counters.attempt + 1, ..self.counters }
    }

    /// Applies the end of the running attempt. `took` is the wall-clock time since the attempt's start.
    pub fn finished(&self, end: &AttemptEnd, policy: &RetryPolicy, took: Duration, now: Timestamp) -> Transition {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match end {
            AttemptEnd::Fetched { page, change, .. } => {
                let mut draft = OutcomeDraft::new(match change {
                    ContentChange::Changed => OutcomeResult::Updated,
                    _ => OutcomeResult::Unchanged,
                });
                draft.duration_ms = Some(took);
                draft.http_status = Some(page.http_status);
                draft.detail = page.detail(*change);
                draft.content = Some(*change);
                draft.bytes = Some(page.bytes);
                Transition { row: RowWrite::Synced, outcomes: vec![draft], ..self.transition_to(JobState::Done, now) }
            }
            AttemptEnd::NotModified => {
                let mut draft = OutcomeDraft::new(OutcomeResult::Unchanged);
                draft.duration_ms = Some(took);
                draft.http_status = Some(304);
                draft.content = Some(ContentChange::NotModified);
                Transition { row: RowWrite::Synced, outcomes: vec![draft], ..self.transition_to(JobState::Done, now) }
            }
            AttemptEnd::Identical(body) => {
                let mut draft = OutcomeDraft::new(OutcomeResult::Unchanged).with_detail(IdenticalBody::DETAIL);
                draft.duration_ms = Some(took);
                draft.http_status = Some(body.http_status);
                draft.content = Some(ContentChange::Identical);
                draft.bytes = Some(body.bytes);
                Transition { row: RowWrite::Synced, outcomes: vec![draft], ..self.transition_to(JobState::Done, now) }
            }
            AttemptEnd::Withheld(page) => {
                let detail = page.detail(ContentChange::Quarantined).unwrap_or_default();
                let code = if page.is_login { ErrorCode::AccessDenied } else { ErrorCode::FetchFailed };
                let failure = Failure::permanent(code, detail.as_str()).with_status(page.http_status);
                let mut to = self.failed(&failure, policy, took, now);
                if let Some(draft) = to.outcomes.first_mut() {
                    draft.content = Some(ContentChange::Quarantined);
                    draft.bytes = Some(page.bytes);
                }
                to
            }
            AttemptEnd::Failed(failure) => self.failed(failure, policy, took, now),
            AttemptEnd::Stopped => self.cancelled(None, now),
        }
    }

    fn failed(&self, failure: &Failure, policy: &RetryPolicy, took: u64, now: Timestamp) -> Transition {
        let mut counters = self.counters;
        let result = match failure.class {
            FailureClass::Permanent => OutcomeResult::PermanentFailure,
            FailureClass::Transient => {
                counters.transient += 1;
                OutcomeResult::TransientFailure
            }
            FailureClass::Unexpected => {
                counters.unexpected += 1;
                OutcomeResult::UnexpectedFailure
            }
        };
        let mut line = OutcomeDraft::new(result);
        line.error_code = Some(failure.code);
        line.exception_class.clone_from(&failure.exception_class);
        line.duration_ms = Some(took);
        line.http_status = failure.http_status;
        line.detail = Some(failure.detail.clone());

        let ended = |state, extra: Option<OutcomeDraft>, report| Transition {
            counters,
            last_failure: Some(failure.code),
            row: RowWrite::Failed(failure.code),
            outcomes: std::iter::once(line.clone()).chain(extra).collect(),
            report,
            ..self.transition_to(state, now)
        };
        if self.cancel_requested_by.is_some() {
            return ended(JobState::Cancelled, Some(self.cancel_line()), None);
        }
        let failures = counters.of(failure.class);
        if let Some(wait) = policy.wait(failure.class, failures, failure.retry_after) {
            let run_at = now.plus(wait);
            line.next_attempt_at = Some(run_at);
            return Transition {
                class: self.class.after_attempt(),
                run_at,
                counters,
                last_failure: Some(failure.code),
                // Between transient attempts the row stays `syncing`; between unexpected ones it is failed, as in
                // Chatwoot.
                row: match failure.class {
                    FailureClass::Unexpected => RowWrite::Failed(failure.code),
                    _ => RowWrite::Keep,
                },
                outcomes: vec![line],
                ..self.transition_to(JobState::Scheduled, now)
            };
        }
        let exhausted = match failure.class {
            FailureClass::Permanent => return ended(JobState::Failed, None, None),
            FailureClass::Transient => OutcomeResult::TransientRetryExhausted,
            FailureClass::Unexpected => OutcomeResult::UnexpectedRetryExhausted,
        };
        let mut last = OutcomeDraft::new(exhausted).with_detail(format!("given up after {failures} attempts"));
        last.error_code = Some(failure.code);
        last.exception_class.clone_from(&failure.exception_class);
        let report = failure
            .exception_class
            .as_ref()
            .map(|class| ErrorReport { exception_class: class.clone(), detail: failure.detail.clone() });
        ended(JobState::Failed, Some(last), report)
    }

    /// Applies the loss of the worker: it died, or its lease expired.
    pub fn lost(&self, worker: &str, cause: LossCause, now: Timestamp) -> Transition {
        self.lost_because(&format!("worker {worker} died"), cause, now)
    }

    /// Breaks the worker's lease on request of a person. The break counts as a lost worker, so that a job whose lease
    /// is broken repeatedly ends.
    pub fn lease_broken(&self, by: &SafeLine, now: Timestamp) -> Transition {
        self.lost_because(&format!("lease broken by {by}"), LossCause::Suspect, now)
    }

    fn lost_because(&self, reason: &str, cause: LossCause, now: Timestamp) -> Transition {
        let counters = self.counters.lost(cause);
        let mut line = OutcomeDraft::new(OutcomeResult::WorkerLost).with_detail(reason);
        if self.cancel_requested_by.is_some() {
            return Transition {
                counters,
                row: self.stopped_row(),
                outcomes: vec![line, self.cancel_line()],
                ..self.transition_to(JobState::Cancelled, now)
            };
        }
        if !counters.are_exhausted() {
            let (mut state, mut run_at) = (JobState::Ready, now);
            if counters.crashes > RISKY_FROM {
                (state, run_at) = (JobState::Scheduled, now.plus(LAST_ATTEMPT_WAIT));
                line.next_attempt_at = Some(run_at);
            }
            return Transition {
                class: self.class.after_attempt(),
                run_at,
                counters,
                outcomes: vec![line],
                ..self.transition_to(state, now)
            };
        }
        let detail = format!("{} workers died while running the job", counters.losses());
        let mut last = OutcomeDraft::new(OutcomeResult::CrashExhausted).with_detail(&detail);
        last.error_code = Some(ErrorCode::SyncError);
        Transition {
            counters,
            last_failure: Some(ErrorCode::SyncError),
            row: RowWrite::Failed(ErrorCode::SyncError),
            outcomes: vec![line, last],
            report: Some(ErrorReport { exception_class: "worker_lost".into(), detail: SafeLine::new(&detail) }),
            ..self.transition_to(JobState::Failed, now)
        }
    }

    /// Ends the job as cancelled: by a person or, with a `reason`, by the program, such as for a deleted document.
    pub fn cancelled(&self, reason: Option<&str>, now: Timestamp) -> Transition {
        let line = match reason {
            Some(reason) => OutcomeDraft::new(OutcomeResult::Cancelled).with_detail(reason),
            None => self.cancel_line(),
        };
        Transition { row: self.stopped_row(), outcomes: vec![line], ..self.transition_to(JobState::Cancelled, now) }
    }

    /// Drops the job from the queue; the caller passes only auto jobs that have not started.
    pub fn purged(&self, by: &SafeLine, now: Timestamp) -> Transition {
        let line = OutcomeDraft::new(OutcomeResult::Purged).with_detail(format!("purged by {by}"));
        Transition { row: self.stopped_row(), outcomes: vec![line], ..self.transition_to(JobState::Purged, now) }
    }

    /// Returns the job to the queue while its worker drains: the attempt number goes back to its value before the
    /// claim, the row is restored (or becomes failed, if an earlier attempt of the job failed), and no outcome is
    /// recorded. A job with a cancel request ends as cancelled instead.
    pub fn released(&self, now: Timestamp) -> Transition {
        let counters = Counters { attempt: self.counters.attempt.saturating_sub(1), ..self.counters };
        if self.cancel_requested_by.is_some() {
            return self.cancelled(None, now);
        }
        Transition { counters, row: self.stopped_row(), ..self.transition_to(JobState::Ready, now) }
    }

    /// Postpones the job because another program has the document's lock. The attempt number goes back to its value
    /// before the claim, the row stays as it is (the holder writes it), and the lock is polled after `delay`.
    /// `reported` is true if an outcome for this holder has been recorded before; then no further one is recorded. A
    /// job with a cancel request ends as cancelled instead.
    pub fn deferred(&self, holder: &LockHolder, reported: bool, delay: Duration, now: Timestamp) -> Transition {
        let counters = Counters { attempt: self.counters.attempt.saturating_sub(1), ..self.counters };
        if self.cancel_requested_by.is_some() {
            return self.cancelled(None, now);
        }
        let run_at = now.plus(delay);
        let mut line =
            OutcomeDraft::new(OutcomeResult::AlreadySyncing).with_detail(format!("locked by {}", holder.name));
        line.next_attempt_at = Some(run_at);
        let outcomes = if reported { Vec::new() } else { vec![line] };
        Transition { run_at, counters, outcomes, ..self.transition_to(JobState::Scheduled, now) }
    }

    /// Returns the write to the row of a stopped job: none if no attempt has started, failed if one of the job's
    /// attempts failed, else restored to its state before the job.
    fn stopped_row(&self) -> RowWrite {
        match (&self.row_before, self.last_failure) {
            (None, _) => RowWrite::Keep,
            (Some(_), Some(code)) => RowWrite::BackToFailed(code),
            (Some(before), None) => RowWrite::Restore(before.clone()),
        }
    }

    fn cancel_line(&self) -> OutcomeDraft {
        let line = OutcomeDraft::new(OutcomeResult::Cancelled);
        match &self.cancel_requested_by {
            Some(by) => line.with_detail(format!("cancelled by {by}")),
            None => line,
        }
    }

    fn transition_to(&self, state: JobState, now: Timestamp) -> Transition {
        Transition {
            state,
            class: self.class,
            run_at: now,
            counters: self.counters,
            last_failure: self.last_failure,
            row: RowWrite::Keep,
            outcomes: Vec::new(),
            report: None,
        }
    }
}
