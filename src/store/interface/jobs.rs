//! The interface of workers: registration, claims, leases, ends of attempts.

use crate::domain::content::{Stored, Validators};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{AccountId, DocumentId, JobId, Token, WorkerId};
use crate::domain::job::{AttemptEnd, ErrorReport, JobState, QueueClass};
use crate::domain::lock::LockHolder;
use crate::domain::outcome::Outcome;
use crate::domain::retry::{Counters, RetryPolicy};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::time::Duration;

/// Jobs as a worker sees them. A worker holds the lease of a job under the token of its claim; a call with another token
/// changes nothing.
#[async_trait]
pub trait JobStore: StoreBase {
    /// Registers this process as a live worker.
    async fn register(&self, worker: &WorkerInfo) -> Result<()>;

    /// Removes a worker that ends in order and releases the jobs it still holds.
    async fn unregister(&self, worker: &WorkerId) -> Result<()>;

    /// Makes due jobs ready and claims some, in the order of class and virtual time. Marks their rows `syncing` unless
    /// the limits say [`Marking::Apart`]. Jobs whose document is gone, a PDF or unavailable end `cancelled` on the way.
    /// A worker gets at most one job at a time that a lost worker has held before.
    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>>;

    /// Marks the row of a job that was claimed with [`Marking::Apart`]: keeps the values from before its first try, sets
    /// status `syncing` and the time of the attempt, clears step and error code. The fence stays as it is. The document
    /// is read again, since it may be gone, unavailable or synced by somebody else by now. Several marks share a
    /// transaction; returns once it is committed.
    async fn mark(&self, held: Held) -> Result<Marked>;

    /// Snoozes a job whose document is locked by `holder`: it is tried again after `again`, with number and counters as
    /// before the claim and the row untouched. Records one `already_syncing` outcome per job and lock holder.
    /// [`Finished::Late`] when the token is not current.
    async fn defer(&self, held: Held, holder: &LockHolder, again: Duration) -> Result<Finished>;

    /// Renews the leases that `worker` still holds, to `lease` from now, and its own heartbeat. One answer per lease, in
    /// order.
    async fn beat(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>>;

    /// Returns those of the held jobs that somebody asked to cancel.
    async fn cancels(&self, held: &[Held]) -> Result<Vec<Held>>;

    /// Ends an attempt: writes job, document and outcomes in one transaction, which several finishes may share. Returns
    /// once it is committed.
    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished>;

    /// Releases held jobs: number and counters as before the claim, no outcome.
    async fn release(&self, held: &[Held]) -> Result<()>;

    /// Makes jobs of dead workers (process gone, or lease expired) ready again and records the loss.
    async fn rescue(&self) -> Result<Rescued>;
}

/// A process that is going to run jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerInfo {
    /// New at every start.
    pub id: WorkerId,
    /// `host:pid`, for people.
    pub name: SafeLine,
    /// How many jobs it runs at a time.
    pub capacity: u32,
}

/// How many jobs to claim and under which limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLimits {
    /// At most so many now.
    pub slots: u32,
    /// How long the lease is.
    pub lease: Duration,
    /// Running jobs of one host, over all workers.
    pub per_host: u32,
    /// Running jobs of one account, over all workers; `None` is no cap.
    pub per_account: Option<u32>,
    /// How far apart two claims of one host are at least, over all workers that say so; zero is no distance.
    pub host_interval: Duration,
    /// Whether the claim marks the rows.
    pub marking: Marking,
}

/// When a document's row becomes `syncing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marking {
    /// With the claim.
    AtClaim,
    /// By [`JobStore::mark`], once its lock is held.
    Apart,
}

/// A claimed job with what an attempt needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The job and the token of its lease.
    pub held: Held,
    /// Its document.
    pub document_id: DocumentId,
    /// Its account.
    pub account_id: AccountId,
    /// The document's URL as stored.
    pub url: String,
    /// Its class.
    pub class: QueueClass,
    /// Its counters, this attempt included.
    pub counters: Counters,
    /// What is stored, as far as a page is compared with it.
    pub stored: Stored,
    /// What to ask the server by; `None` when the whole page is wanted.
    pub validators: Option<Validators>,
    /// When the attempt started.
    pub started_at: Timestamp,
}

/// A job and the token under which it is held: what a worker really has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The job.
    pub job_id: JobId,
    /// The claim's token.
    pub token: Token,
}

/// What a heartbeat learns of a held job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// The lease is longer now.
    Held,
    /// The same, and somebody asked to stop it.
    CancelRequested,
    /// It is not ours any more: stop at once, write nothing.
    Lost,
}

/// The end of an attempt, to be written.
#[derive(Clone, Debug)]
pub struct Finish {
    /// What was held.
    pub held: Held,
    /// What it came to.
    pub end: AttemptEnd,
    /// Wall-clock time of the attempt.
    pub took: Duration,
}

/// What a finish came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// Written; the job's state now, and what is to be reported.
    Written {
        /// The state the job has now.
        state: JobState,
        /// What was recorded, in order.
        outcomes: Vec<Outcome>,
        /// One report per exhausted job.
        report: Option<ErrorReport>,
    },
    /// The token did not stand any more: nothing was written, no outcome either.
    Late,
}

/// What a mark came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// The row is `syncing`.
    Marked {
        /// The fingerprint that stands there now: another program may have written since the claim.
        fingerprint: Option<Fingerprint>,
    },
    /// There is nothing to sync any more: the job has ended `cancelled` with the reason.
    Ended,
    /// The token did not stand any more: nothing was written.
    Late,
}

/// What a rescue did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// What was recorded, in order.
    pub outcomes: Vec<Outcome>,
    /// What is to be reported.
    pub reports: Vec<ErrorReport>,
}
