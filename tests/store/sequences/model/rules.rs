//! The queue's rules in memory, as a second implementation: written from their description, not from the store, and
//! without the domain's transitions, so that a mistake there is not repeated here.

use super::steps::{Line, Said, Took};
use quarterdeck::domain::document::{Status, SyncStatus};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::JobId;
use quarterdeck::domain::job::{JobState, QueueClass};
use quarterdeck::domain::outcome::OutcomeResult as Result;
use quarterdeck::domain::request::{RequestAnswer, RequestKind, RequestScope, SkipReason};
use quarterdeck::domain::retry::Counters;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{JobLease, MarkTiming};
use std::collections::BTreeMap;
use std::time::Duration;

/// The columns of a document's row that a job writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub status: Option<SyncStatus>,
    pub code: Option<ErrorCode>,
    pub attempted: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct Document {
    pub account: i64,
    pub host: String,
    pub available: bool,
    pub row: Row,
    pub synced: Option<Timestamp>,
    /// The last failure, kept until a success.
    pub failure: Option<ErrorCode>,
    /// The stored text.
    pub text: Option<String>,
    pub updated: Timestamp,
    /// Number of times that the content was replaced.
    pub replaced: u32,
    pub recent: String,
    /// The live job, else the last one.
    pub job: Option<i64>,
}

#[derive(Clone, Debug)]
pub struct Job {
    pub document: i64,
    pub state: JobState,
    pub class: QueueClass,
    pub run_at: Timestamp,
    pub counters: Counters,
    pub failed_with: Option<ErrorCode>,
    pub before: Option<Row>,
    pub asked_by: &'static str,
    pub asked_at: Timestamp,
    pub cancel: bool,
    /// Its lease: token, until, worker.
    pub lease: Option<(i64, Timestamp, String)>,
    pub tried_at: Option<Timestamp>,
    /// The attempt during which a request was answered that it runs.
    pub told_attempt: Option<u32>,
    /// The lock holder that was last reported; `waits_for_lock` says if the job still waits for it.
    pub hold: Option<String>,
    pub waits_for_lock: bool,
    /// Position in the order of its account and class.
    pub place: u64,
}

pub struct Model {
    pub now: Timestamp,
    pub documents: BTreeMap<i64, Document>,
    pub jobs: BTreeMap<i64, Job>,
    /// Outcomes recorded since they were last taken.
    pub lines: Vec<Line>,
    pub seq: i64,
    pub last_job: i64,
    pub last_token: i64,
    places: u64,
    /// Consecutive claims that passed over the lowest class; unknown after claims in which jobs ended.
    pub passed_over: Option<u32>,
    /// Results of finishes, for workers that repeat a finish.
    pub(super) answered: BTreeMap<(i64, i64), Said>,
}

pub(super) fn later(class: QueueClass) -> QueueClass {
    if class == QueueClass::Manual { QueueClass::Manual } else { QueueClass::Retry }
}

impl Model {
    pub fn new(now: Timestamp) -> Self {
        let (documents, jobs, answered) = Default::default();
        let (seq, last_job, last_token, places) = Default::default();
        let (lines, passed_over) = (Vec::new(), Some(0));
        Self { now, documents, jobs, lines, seq, last_job, last_token, places, passed_over, answered }
    }

    pub fn add(&mut self, id: i64, account: i64, host: &str) {
        let document = Document {
            account,
            host: host.into(),
            available: true,
            row: Row::default(),
            synced: None,
            failure: None,
            text: None,
            updated: self.now,
            replaced: 0,
            recent: String::new(),
            job: None,
        };
        self.documents.insert(id, document);
    }

    pub(super) fn live(&self, document: i64) -> Option<i64> {
        let job = self.documents.get(&document)?.job?;
        self.jobs.get(&job).filter(|job| job.state.is_live()).map(|_| job)
    }

    pub(super) fn next_place(&mut self) -> u64 {
        self.places += 1;
        self.places
    }

    /// Returns the first status that applies.
    pub fn status(&self, id: i64) -> Status {
        let document = &self.documents[&id];
        if let Some(job) = self.live(id).map(|job| &self.jobs[&job]) {
            match job.state {
                _ if job.waits_for_lock => return Status::Waiting,
                JobState::Running => return Status::Syncing,
                JobState::Ready => return Status::Queued,
                JobState::Scheduled if job.counters.attempt > 0 => return Status::Waiting,
                _ => {}
            }
        }
        match document.row.status {
            None => Status::Never,
            Some(SyncStatus::Failed) => Status::Failed,
            Some(SyncStatus::Synced) => Status::Synced,
            Some(SyncStatus::Syncing) => match document.row.attempted {
                Some(at) if self.now.since(at) <= Duration::from_secs(7_200) => Status::Syncing,
                _ => Status::Stuck,
            },
        }
    }

    // Requests by people.

    pub fn request(
        &mut self,
        id: i64,
        verb: RequestKind,
        class: QueueClass,
        scope: RequestScope,
        by: &'static str,
    ) -> RequestAnswer {
        let Some(document) = self.documents.get(&id) else { return RequestAnswer::Skipped(SkipReason::Missing) };
        if !document.available {
            return RequestAnswer::Skipped(SkipReason::Unavailable);
        }
        let live = self.live(id);
        let state = live.map(|job| self.jobs[&job].state);
        let status = self.status(id);
        if verb == RequestKind::Retry
            && state != Some(JobState::Running)
            && !matches!(status, Status::Failed | Status::Waiting | Status::Stuck)
        {
            return RequestAnswer::Skipped(SkipReason::NotFailed(status));
        }
        let (now, place) = (self.now, self.next_place());
        let Some(id_of_job) = live else {
            self.last_job += 1;
            let job = Job {
                document: id,
                state: JobState::Ready,
                class,
                run_at: now,
                counters: Counters::default(),
                failed_with: None,
                before: None,
                asked_by: by,
                asked_at: now,
                cancel: false,
                lease: None,
                tried_at: None,
                told_attempt: None,
                hold: None,
                waits_for_lock: false,
                place,
            };
            self.jobs.retain(|_, old| old.document != id);
            self.jobs.insert(self.last_job, job);
            self.documents.get_mut(&id).unwrap().job = Some(self.last_job);
            return RequestAnswer::Queued(JobId(self.last_job));
        };
        let name = JobId(id_of_job);
        let job = self.jobs.get_mut(&id_of_job).unwrap();
        let holder = job.lease.as_ref().map(|(_, _, worker)| worker.as_str().into());
        match (job.state, class) {
            (JobState::Running, QueueClass::Auto) => RequestAnswer::AlreadySyncing(name, holder),
            (_, QueueClass::Auto) => RequestAnswer::AlreadyQueued(name),
            (JobState::Running, _) if scope == RequestScope::Bulk => RequestAnswer::Skipped(SkipReason::Running),
            (JobState::Running, _) => {
                if job.told_attempt != Some(job.counters.attempt) {
                    job.told_attempt = Some(job.counters.attempt);
                    let worker = job.lease.as_ref().map(|(_, _, worker)| worker.clone());
                    let mut line = self.line(id_of_job, Result::AlreadySyncing, worker);
                    line.asked_by = by;
                    self.record(line);
                }
                RequestAnswer::AlreadySyncing(name, holder)
            }
            (JobState::Ready, _) if job.class == QueueClass::Manual => RequestAnswer::AlreadyQueued(name),
            (was, _) => {
                job.state = JobState::Ready;
                job.class = QueueClass::Manual;
                (job.run_at, job.asked_at, job.asked_by, job.place) = (now, now, by, place);
                if was == JobState::Ready { RequestAnswer::Promoted(name) } else { RequestAnswer::RunsNow(name) }
            }
        }
    }

    pub fn cancel(&mut self, id: i64) -> RequestAnswer {
        let Some(job) = self.live(id) else {
            let known = self.documents.contains_key(&id);
            return RequestAnswer::Skipped(if known { SkipReason::NothingToCancel } else { SkipReason::Missing });
        };
        let name = JobId(job);
        if self.jobs[&job].state == JobState::Running {
            self.jobs.get_mut(&job).unwrap().cancel = true;
            return RequestAnswer::Stopping(name);
        }
        self.stop(job, None);
        RequestAnswer::Cancelled(name)
    }

    pub fn remove(&mut self, id: i64) -> u64 {
        if !self.documents.contains_key(&id) {
            return 0;
        }
        if let Some(job) = self.live(id) {
            let worker = self.worker_of(job);
            self.stop(job, worker);
        }
        // The highest id is that of the last job.
        let job = self.jobs.iter().filter(|(_, job)| job.document == id).map(|(job, _)| *job).max();
        self.seq += 1;
        self.lines.push(Line {
            seq: self.seq,
            at: self.now,
            document: id,
            job: job.unwrap_or_default(),
            attempt: 0,
            class: QueueClass::Manual,
            result: Result::Removed,
            code: None,
            next: None,
            worker: None,
            asked_by: "ana",
        });
        self.jobs.retain(|_, job| job.document != id);
        self.documents.remove(&id);
        1
    }

    // Actions of workers.

    /// Adopts the store's choice of jobs, if the rules allow it.
    pub fn claim(&mut self, took: &[Took], ended: &[i64], worker: &str, slots: usize, caps: Caps, marking: MarkTiming) {
        let mut due: Vec<_> = self.jobs.iter().filter(|(_, job)| job.state == JobState::Scheduled).collect();
        due.retain(|(_, job)| job.run_at <= self.now);
        due.sort_by_key(|(id, job)| (job.run_at, **id));
        for id in due.into_iter().map(|(id, _)| *id).collect::<Vec<_>>() {
            let place = self.next_place();
            let job = self.jobs.get_mut(&id).unwrap();
            (job.state, job.place) = (JobState::Ready, place);
        }
        for id in ended {
            let job = &self.jobs[id];
            assert_eq!(job.state, JobState::Ready, "job {id} ended on the way");
            assert!(!self.is_to_sync(*id), "job {id} ended on the way, and there was something to sync");
            self.end_unfit(*id, None);
        }
        assert!(took.len() <= slots, "more than asked for");
        for one in took {
            let may = self.claimable(worker, caps);
            assert!(may.contains(&one.job), "job {} was claimed, allowed are {may:?}", one.job);
            assert!(self.is_to_sync(one.job), "job {} was claimed, and there is nothing to sync", one.job);
            let lane = |job: &Job| (self.documents[&job.document].account, job.class, job.counters.crashes > 1);
            let job = &self.jobs[&one.job];
            let host = &self.documents[&job.document].host;
            let first = may
                .iter()
                .filter(|id| lane(&self.jobs[id]) == lane(job) && &self.documents[&self.jobs[id].document].host == host)
                .min_by_key(|id| self.jobs[id].place);
            assert_eq!(first, Some(&one.job), "the first of its lane is served first");
            let class_of = |id: &i64| self.jobs[id].class;
            let (highest, lowest) = (may.iter().map(class_of).min().unwrap(), may.iter().map(class_of).max().unwrap());
            if !ended.is_empty() {
                self.passed_over = None;
            } else {
                match self.passed_over {
                    Some(times) if times >= 7 => assert_eq!(job.class, lowest, "every eighth is of the lowest class"),
                    Some(_) => assert_eq!(job.class, highest, "the highest class is served first"),
                    None => assert!(job.class == highest || job.class == lowest, "neither highest nor lowest class"),
                }
                self.passed_over = match self.passed_over {
                    _ if job.class == lowest => Some(0),
                    times => times.map(|times| times + 1),
                };
            }
            assert!(one.token > self.last_token, "tokens grow");
            self.last_token = one.token;
            let until = self.now.plus(caps.lease);
            let job = self.jobs.get_mut(&one.job).unwrap();
            job.state = JobState::Running;
            job.counters.attempt += 1;
            job.lease = Some((one.token, until, worker.into()));
            assert_eq!((one.document, one.class, one.counters), (job.document, job.class, job.counters));
            if marking == MarkTiming::AtClaim {
                self.start(one.job);
            }
        }
        if !ended.is_empty() {
            self.passed_over = None;
        }
        let left = self.claimable(worker, caps);
        assert!(took.len() == slots || left.is_empty(), "{left:?} could have been claimed");
    }

    /// Returns the ready jobs that may run now.
    fn claimable(&self, worker: &str, caps: Caps) -> Vec<i64> {
        let running = |fits: &dyn Fn(&Job) -> bool| {
            self.jobs.values().filter(|job| job.state == JobState::Running && fits(job)).count()
        };
        let account = |job: &Job| self.documents[&job.document].account;
        let host = |job: &Job| self.documents[&job.document].host.clone();
        let is_mine = |job: &Job| job.lease.as_ref().is_some_and(|(_, _, name)| name == worker);
        let risk = running(&|job| is_mine(job) && job.counters.crashes > 1) > 0;
        let may = |job: &Job| {
            running(&|other| account(other) == account(job)) < caps.account
                && running(&|other| host(other) == host(job)) < caps.host
                && !(risk && job.counters.crashes > 1)
        };
        self.jobs.iter().filter(|(_, job)| job.state == JobState::Ready && may(job)).map(|(id, _)| *id).collect()
    }

    /// Returns true if a sync is needed: the document is available, and nobody else has synced it since the request.
    fn is_to_sync(&self, id: i64) -> bool {
        let job = &self.jobs[&id];
        let document = &self.documents[&job.document];
        document.available && !self.is_synced_elsewhere(job, document)
    }

    fn is_synced_elsewhere(&self, job: &Job, document: &Document) -> bool {
        let since = match job.class {
            QueueClass::Manual => None,
            _ if job.waits_for_lock => Some(job.tried_at.unwrap_or(job.asked_at).max(job.asked_at)),
            QueueClass::Retry => job.tried_at,
            QueueClass::Auto => Some(job.asked_at),
        };
        since.is_some_and(|since| document.synced.is_some_and(|synced| synced > since))
    }

    fn end_unfit(&mut self, id: i64, worker: Option<String>) {
        let job = &self.jobs[&id];
        let document = job.document;
        let forgets = self.documents[&document].available;
        self.stop(id, worker);
        if forgets {
            self.documents.get_mut(&document).unwrap().failure = None;
        }
    }

    /// Starts an attempt.
    fn start(&mut self, id: i64) {
        let now = self.now;
        let job = self.jobs.get_mut(&id).unwrap();
        let row = &mut self.documents.get_mut(&job.document).unwrap().row;
        job.before.get_or_insert_with(|| row.clone());
        (job.tried_at, job.waits_for_lock) = (Some(now), false);
        *row = Row { status: Some(SyncStatus::Syncing), code: None, attempted: Some(now) };
    }

    pub(super) fn is_held(&self, held: JobLease) -> bool {
        let job = self.jobs.get(&held.job_id.0).filter(|job| job.state == JobState::Running);
        job.is_some_and(|job| job.lease.as_ref().is_some_and(|(token, ..)| *token == held.token.0))
    }

    pub fn mark(&mut self, held: JobLease) -> Said {
        let id = held.job_id.0;
        if !self.is_held(held) {
            return Said::Late;
        }
        if !self.is_to_sync(id) {
            self.end_unfit(id, self.worker_of(id));
            return Said::Ended;
        }
        self.start(id);
        let text = self.documents[&self.jobs[&id].document].text.as_deref();
        Said::Marked(text.map(|text| Fingerprint::of(text).as_str().to_owned()))
    }

    pub fn defer(&mut self, held: JobLease, hold: &str, again: Duration) -> Said {
        let id = held.job_id.0;
        if !self.is_held(held) {
            return Said::Late;
        }
        let worker = self.worker_of(id);
        if self.jobs[&id].cancel {
            self.stop(id, worker);
            return Said::Finished(JobState::Cancelled, false);
        }
        let run_at = self.now.plus(again);
        if self.jobs[&id].hold.as_deref() != Some(hold) {
            let mut line = self.line(id, Result::AlreadySyncing, worker);
            line.next = Some(run_at);
            self.record(line);
        }
        let job = self.jobs.get_mut(&id).unwrap();
        job.counters.attempt -= 1;
        (job.state, job.run_at, job.lease) = (JobState::Scheduled, run_at, None);
        (job.hold, job.waits_for_lock) = (Some(hold.into()), true);
        Said::Finished(JobState::Scheduled, false)
    }
}

/// Limits of a claim.
#[derive(Clone, Copy)]
pub struct Caps {
    pub account: usize,
    pub host: usize,
    pub lease: Duration,
}
