//! Models the ends of attempts: finishes, releases, losses, and their effect on rows and outcomes.

use super::rules::{Job, Model, Row, later};
use super::steps::{End, Line, Said};
use quarterdeck::domain::document::SyncStatus;
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::job::JobState;
use quarterdeck::domain::outcome::OutcomeResult as Result;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{JobLease, LeaseStatus};
use std::collections::BTreeMap;
use std::time::Duration;

/// Wait of a job whose worker was lost while it ran the job alone.
const ALONE_AGAIN: Duration = Duration::from_secs(30);

impl Model {
    pub fn finish(&mut self, held: JobLease, end: &End) -> Said {
        let id = held.job_id.0;
        if !self.is_held(held) {
            return self.answered.get(&(id, held.token.0)).cloned().unwrap_or(Said::Late);
        }
        let worker = self.worker_of(id);
        let said = self.end(id, end, worker);
        self.answered.insert((id, held.token.0), said.clone());
        said
    }

    fn end(&mut self, id: i64, end: &End, worker: Option<String>) -> Said {
        let now = self.now;
        let document = self.documents.get_mut(&self.jobs[&id].document).unwrap();
        if !document.available || matches!(end, End::Stopped) {
            self.stop(id, worker);
            return Said::Finished(JobState::Cancelled, false);
        }
        let (result, code) = match end {
            End::New(text) => {
                if document.text.is_some() {
                    document.replaced = (document.replaced + 1).min(5);
                }
                document.text = Some(text.clone());
                document.updated = now;
                (Result::Updated, None)
            }
            End::Same | End::Stopped => (Result::Unchanged, None),
            End::Timeout(_) => (Result::TransientFailure, Some(ErrorCode::Timeout)),
            End::Unexpected => (Result::UnexpectedFailure, Some(ErrorCode::SyncError)),
            End::Permanent => (Result::PermanentFailure, Some(ErrorCode::NotFound)),
        };
        let mut line = self.line(id, result, worker.clone());
        line.code = code;
        let job = self.jobs.get_mut(&id).unwrap();
        let Some(code) = code else {
            let document = self.documents.get_mut(&job.document).unwrap();
            document.row = Row { status: Some(SyncStatus::Synced), code: None, attempted: Some(now) };
            document.synced = Some(now);
            document.failure = None;
            job.ends(JobState::Done);
            self.record(line);
            return Said::Finished(JobState::Done, false);
        };
        job.failed_with = Some(code);
        let (wait, exhausted) = match end {
            End::Timeout(retry_after) => {
                job.counters.transient += 1;
                let waits = [30, 120, 300].get(job.counters.transient as usize - 1);
                (waits.map(|wait| (*wait).max((*retry_after).min(3_600))), Some(Result::TransientRetryExhausted))
            }
            End::Unexpected => {
                job.counters.unexpected += 1;
                ([5, 5].get(job.counters.unexpected as usize - 1).copied(), Some(Result::UnexpectedRetryExhausted))
            }
            _ => (None, None),
        };
        let fails = |model: &mut Self| {
            let document = model.documents.get_mut(&model.jobs[&id].document).unwrap();
            document.row = Row { status: Some(SyncStatus::Failed), code: Some(code), attempted: Some(now) };
        };
        if job.cancel {
            job.ends(JobState::Cancelled);
            let cancelled = self.line(id, Result::Cancelled, worker);
            self.record(line);
            self.record(cancelled);
            fails(self);
            return Said::Finished(JobState::Cancelled, false);
        }
        if let Some(wait) = wait {
            let run_at = now.plus(Duration::from_secs(wait));
            (job.state, job.run_at, job.lease) = (JobState::Scheduled, run_at, None);
            job.class = later(job.class);
            line.next = Some(run_at);
            self.record(line);
            if matches!(end, End::Unexpected) {
                fails(self);
            }
            return Said::Finished(JobState::Scheduled, false);
        }
        job.ends(JobState::Failed);
        self.record(line);
        fails(self);
        let Some(exhausted) = exhausted else { return Said::Finished(JobState::Failed, false) };
        let mut last = self.line(id, exhausted, worker);
        last.code = Some(code);
        self.record(last);
        Said::Finished(JobState::Failed, exhausted == Result::UnexpectedRetryExhausted)
    }

    /// Releases a job: number and counters are those before the claim, and nothing is recorded.
    pub fn release(&mut self, held: JobLease) {
        let id = held.job_id.0;
        if !self.is_held(held) {
            return;
        }
        if self.jobs[&id].cancel {
            self.stop(id, self.worker_of(id));
            return;
        }
        self.put_row_back(id);
        let job = self.jobs.get_mut(&id).unwrap();
        job.counters.attempt -= 1;
        (job.state, job.run_at, job.lease) = (JobState::Ready, self.now, None);
    }

    pub fn beat(&mut self, held: &[JobLease], lease: Duration) -> Vec<LeaseStatus> {
        let until = self.now.plus(lease);
        let mut beats = Vec::new();
        for held in held {
            if !self.is_held(*held) {
                beats.push(LeaseStatus::Lost);
                continue;
            }
            let job = self.jobs.get_mut(&held.job_id.0).unwrap();
            job.lease.as_mut().unwrap().1 = until;
            beats.push(if job.cancel { LeaseStatus::CancelRequested } else { LeaseStatus::Renewed });
        }
        beats
    }

    /// Rescues jobs with an expired lease, in the order of their documents; returns the number of error reports.
    pub fn rescue(&mut self) -> usize {
        let ran_out = |job: &Job| job.lease.as_ref().is_some_and(|(_, until, _)| *until < self.now);
        let mut lost: Vec<_> = self.jobs.iter().filter(|(_, job)| ran_out(job)).map(|(id, _)| *id).collect();
        lost.sort_by_key(|id| self.jobs[id].document);
        // A worker that is lost with no job that ran alone shows that something else than such a job stops workers.
        let mut ran_one_alone = BTreeMap::<_, bool>::new();
        for id in &lost {
            *ran_one_alone.entry(self.worker_of(*id)).or_default() |= self.jobs[id].counters.crashes > 1;
        }
        let elsewhere = ran_one_alone.values().any(|alone| !alone);
        let reports = lost.into_iter().filter(|id| self.lose(*id, elsewhere)).count();
        let until = self.now.plus(ALONE_AGAIN);
        for job in self.jobs.values_mut().filter(|job| elsewhere && job.state == JobState::Scheduled) {
            if job.run_at > self.now && job.run_at <= until {
                job.counters.crashes = job.counters.crashes.min(2);
            }
        }
        reports
    }

    fn lose(&mut self, id: i64, elsewhere: bool) -> bool {
        let worker = self.worker_of(id);
        let mut line = self.line(id, Result::WorkerLost, worker.clone());
        let (now, place) = (self.now, self.next_place());
        let job = self.jobs.get_mut(&id).unwrap();
        job.counters.crashes += 1;
        if elsewhere {
            job.counters.crashes = job.counters.crashes.min(2);
        }
        let losses = job.counters.attempt - job.counters.transient - job.counters.unexpected;
        if !job.cancel && job.counters.crashes == 3 && losses < 10 {
            line.next = Some(now.plus(ALONE_AGAIN));
        }
        self.record(line);
        let job = self.jobs.get_mut(&id).unwrap();
        if job.cancel {
            self.stop(id, worker);
        } else if job.counters.crashes < 4 && losses < 10 {
            // The job keeps its position in the order, unless its class changes or it waits.
            if job.class != later(job.class) {
                (job.class, job.place) = (later(job.class), place);
            }
            (job.state, job.run_at, job.lease) = match job.counters.crashes {
                3 => (JobState::Scheduled, now.plus(ALONE_AGAIN), None),
                _ => (JobState::Ready, now, None),
            };
        } else {
            job.failed_with = Some(ErrorCode::SyncError);
            let mut last = self.line(id, Result::CrashExhausted, worker);
            last.code = Some(ErrorCode::SyncError);
            self.record(last);
            let job = self.jobs.get_mut(&id).unwrap();
            job.ends(JobState::Failed);
            let document = self.documents.get_mut(&job.document).unwrap();
            document.row =
                Row { status: Some(SyncStatus::Failed), code: Some(ErrorCode::SyncError), attempted: Some(now) };
            return true;
        }
        false
    }

    /// Ends a job as `cancelled`; its attempt has no result.
    pub(super) fn stop(&mut self, id: i64, worker: Option<String>) {
        let line = self.line(id, Result::Cancelled, worker);
        self.record(line);
        self.put_row_back(id);
        self.jobs.get_mut(&id).unwrap().ends(JobState::Cancelled);
    }

    /// Ensures that a job's end leaves no row `syncing`.
    fn put_row_back(&mut self, id: i64) {
        let job = self.jobs.get_mut(&id).unwrap();
        let row = &mut self.documents.get_mut(&job.document).unwrap().row;
        let is_ours = row.status == Some(SyncStatus::Syncing);
        match (job.before.clone(), job.failed_with) {
            (None, _) => {}
            (Some(_), Some(code)) if is_ours => {
                (row.status, row.code) = (Some(SyncStatus::Failed), Some(code));
            }
            (Some(_), Some(_)) => {}
            (Some(before), None) => {
                if is_ours {
                    *row = before;
                }
                job.before = None;
            }
        }
    }

    pub(super) fn worker_of(&self, id: i64) -> Option<String> {
        self.jobs[&id].lease.as_ref().map(|(_, _, worker)| worker.clone())
    }

    pub(super) fn line(&self, id: i64, result: Result, worker: Option<String>) -> Line {
        let job = &self.jobs[&id];
        Line {
            seq: 0,
            at: self.now,
            document: job.document,
            job: id,
            attempt: job.counters.attempt,
            class: job.class,
            result,
            code: None,
            next: None::<Timestamp>,
            worker,
            asked_by: job.asked_by,
        }
    }

    pub(super) fn record(&mut self, mut line: Line) {
        self.seq += 1;
        line.seq = self.seq;
        let document = self.documents.get_mut(&line.document).unwrap();
        if let Some(code) = line.code {
            document.failure = Some(code);
        }
        let glyph = match line.result {
            Result::Updated => Some('u'),
            Result::Unchanged => Some('s'),
            Result::TransientFailure | Result::UnexpectedFailure => Some('r'),
            Result::PermanentFailure => Some('f'),
            Result::WorkerLost => Some('l'),
            Result::Cancelled | Result::Purged => Some('c'),
            // The failure's glyph becomes that of a final failure.
            result if result.is_exhaustion() => {
                document.recent.pop();
                Some('f')
            }
            _ => None,
        };
        document.recent.extend(glyph);
        if document.recent.len() > 8 {
            document.recent.remove(0);
        }
        self.lines.push(line);
    }
}

impl Job {
    fn ends(&mut self, state: JobState) {
        (self.state, self.lease, self.cancel, self.waits_for_lock) = (state, None, false, false);
    }
}
