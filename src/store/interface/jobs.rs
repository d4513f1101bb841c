//! The interface for workers: registration, claims, leases, and ends of attempts.

use crate::chatwoot::crawling::Crawling;
use crate::domain::chatwoot_text::Generation;
use crate::domain::content::{PriorResponse, StoredBaseline};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{AccountId, DocumentId, JobId, Token, WorkerId};
use crate::domain::job::{AttemptEnd, ErrorReport, JobState, QueueClass};
use crate::domain::lock::LockHolder;
use crate::domain::outcome::Outcome;
use crate::domain::representation::{HostMarkdown, MarkdownFinding};
use crate::domain::retry::{Counters, RetryPolicy};
use crate::domain::site_rule::Unfetchable;
use crate::domain::stages::Stages;
use crate::domain::template::TemplateVersion;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// Access of workers to jobs. A worker owns a job's lease under the token of its claim; a call with another token
/// changes nothing.
#[async_trait]
pub trait JobStore: StoreBase {
    /// Registers this process as a live worker.
    async fn register(&self, worker: &WorkerInfo) -> Result<()>;

    /// Changes capacity and unfetchable documents of a worker of this process that is registered.
    async fn update_worker(&self, worker: &WorkerInfo) -> Result<()>;

    /// Removes a worker that shuts down cleanly and releases the jobs that it still has.
    async fn unregister(&self, worker: &WorkerId) -> Result<()>;

    /// Makes due jobs ready and claims some, in the order of class and virtual time (a job's position in the fair order
    /// of accounts), but at least every eighth from the lowest class. Marks the documents' rows as `syncing` unless
    /// `limits` contains [`MarkTiming::AfterLock`]. A job ends as `cancelled` instead if its document is gone, is a
    /// PDF, is unavailable or was synced elsewhere. A worker runs at most one job at a time whose earlier attempt lost
    /// its worker. Leaves out the documents that the worker registered as those that it cannot fetch.
    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<ClaimedJob>>;

    /// Returns true if a job is ready or waits for its next attempt that is not paused and that `worker` can fetch.
    async fn has_fetchable_jobs(&self, worker: &WorkerId) -> Result<bool>;

    /// Marks the document's row as `syncing` for a job that was claimed with [`MarkTiming::AfterLock`]. Before the
    /// job's first attempt, saves the row's values in the job. Also sets the time of the attempt, clears step and error
    /// code, and leaves the fence unchanged. Ends the job instead if the document has been removed, made unavailable or
    /// synced elsewhere since the claim. Several marks may share a transaction; returns once the transaction is
    /// committed.
    async fn mark(&self, lease: JobLease) -> Result<MarkResult>;

    /// Postpones a job whose document is locked by `holder`: schedules the job after `delay`, with attempt number and
    /// counters as before the claim, and leaves the document's row unchanged. Records an `already_syncing` outcome,
    /// unless the job was last postponed for the same acquisition of the lock (`holder.value`). A job with a cancel
    /// request ends as cancelled instead. Returns [`FinishResult::LeaseLost`] if the token is no longer current.
    async fn defer(&self, lease: JobLease, holder: &LockHolder, delay: Duration) -> Result<FinishResult>;

    /// Renews those leases in `leased` whose token is still current, for the duration `lease` from now, and records a
    /// heartbeat of `worker`. Returns one status per lease, in order. Fails if there is no response within a third of
    /// `lease`.
    async fn heartbeat(&self, worker: &WorkerId, leased: &[JobLease], lease: Duration) -> Result<Vec<LeaseStatus>>;

    /// Returns those leases in `leased` whose job somebody requested to cancel.
    async fn cancel_requested(&self, leased: &[JobLease]) -> Result<Vec<JobLease>>;

    /// Returns what is known of the Markdown that a host offers; `None` if nothing is.
    async fn host_markdown(&self, host: &str) -> Result<Option<HostMarkdown>>;

    /// Returns the stored text of a document, to compare it with a fetched one.
    async fn stored_text(&self, document: DocumentId) -> Result<Option<String>>;

    /// Returns the generation of Chatwoot's converter that wrote the newest of the texts in which one was seen; `None` if
    /// none was.
    async fn chatwoot_generation(&self) -> Result<Option<Generation>>;

    /// Returns how Chatwoot itself fetches pages. Only for stores whose documents are Chatwoot's own.
    async fn crawling(&self) -> Result<Crawling>;

    /// Records what a fetch found out about a host's Markdown, and returns what is known of the host now.
    async fn record_markdown(&self, host: &str, finding: MarkdownFinding) -> Result<HostMarkdown>;

    /// Ends an attempt: writes job, document and outcomes in one transaction, which several finishes may share.
    /// `policy` decides on a retry. Returns once the transaction is committed.
    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<FinishResult>;

    /// Puts leased jobs back into the queue, with attempt number and counters as before the claim; skips jobs whose
    /// lease has ended. Records no outcome, except for a job with a cancel request, which ends as cancelled instead.
    async fn release(&self, leased: &[JobLease]) -> Result<()>;

    /// Makes jobs of dead workers (process gone or lease expired) ready again. Ends those that have lost too many
    /// workers or have a cancel request. Records each loss, unless the worker's program is too old for the store.
    async fn rescue(&self) -> Result<RescueResult>;
}

/// A process that registers to run jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerInfo {
    /// A new id at every start of the process.
    pub id: WorkerId,
    /// Name for display, `host:pid`.
    pub name: SafeLine,
    /// Maximum number of jobs that run at a time.
    pub capacity: u32,
    /// Documents that the worker cannot fetch, because it lacks credentials: it claims none of them.
    pub unfetchable: Arc<Unfetchable>,
}

/// Limits of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimLimits {
    /// Maximum number of jobs to claim now.
    pub slots: u32,
    /// Duration of each lease.
    pub lease: Duration,
    /// Maximum number of running jobs of one host, over all workers.
    pub per_host: u32,
    /// Maximum number of running jobs of one account, over all workers; `None` is no limit.
    pub per_account: Option<u32>,
    /// Minimum time between two claims of one host, over all workers that set it; zero is no limit.
    pub host_interval: Duration,
    pub mark_timing: MarkTiming,
}

/// The step at which a document's row becomes `syncing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkTiming {
    /// In the transaction of the claim.
    AtClaim,
    /// In a later call of [`JobStore::mark`], once the worker has the document's lock.
    AfterLock,
}

/// A claimed job with everything that an attempt needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    pub lease: JobLease,
    pub document_id: DocumentId,
    pub account_id: AccountId,
    /// The document's URL, in stored form.
    pub url: String,
    pub class: QueueClass,
    /// Counters including this attempt.
    pub counters: Counters,
    /// The stored values that the fetched page is compared with.
    pub stored: StoredBaseline,
    /// Facts about the response that the stored text came from, by which an unchanged page is recognised.
    pub prior: PriorResponse,
    /// Time at which the stored text was last fetched as a whole page, UTC; `None` if it is unknown.
    pub fetched_whole_at: Option<Timestamp>,
    /// Current version of the host's template; `None` while nothing is known to recur on the host's pages.
    pub host_template: Option<TemplateVersion>,
    /// Start of the attempt, UTC.
    pub started_at: Timestamp,
}

/// The lease of a job: the job's id, and the token of the claim that made the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobLease {
    pub job_id: JobId,
    pub token: Token,
}

/// The status of a lease after a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseStatus {
    /// The lease is renewed.
    Renewed,
    /// The lease is renewed, and somebody requested to cancel the job.
    CancelRequested,
    /// The lease has ended: the job belongs to another worker, waits in the queue, or has ended. The worker must stop
    /// the attempt at once and write nothing.
    Lost,
}

/// The end of an attempt, to be written to the store.
#[derive(Clone, Debug)]
pub struct Finish {
    pub lease: JobLease,
    pub end: AttemptEnd,
    /// Wall-clock duration of the attempt.
    pub duration: Duration,
    /// Durations of its stages; `None` if it fetched nothing.
    pub stages: Option<Stages>,
}

/// The result of writing the end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishResult {
    /// Job, document and outcomes are written.
    Written {
        /// The job's state after the write.
        state: JobState,
        /// Recorded outcomes, in the order of their numbers.
        outcomes: Vec<Outcome>,
        /// Report to send if errors of this program used up the job's attempts, else `None`.
        report: Option<ErrorReport>,
    },
    /// The token is no longer current. Nothing was written, not even an outcome.
    LeaseLost,
}

/// The result of marking a document's row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MarkResult {
    Marked {
        /// Fingerprint of the stored text at the time of the mark; another program may have changed the text since the
        /// claim. `None` without a stored text or fingerprint.
        fingerprint: Option<Fingerprint>,
    },
    /// Nothing is left to sync: the job has ended as `cancelled`, with an outcome that contains the reason.
    Ended,
    /// The token is no longer current: nothing was written.
    LeaseLost,
}

/// The outcomes and error reports of a rescue or of a broken lease.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RescueResult {
    /// Recorded outcomes, in the order of their numbers.
    pub outcomes: Vec<Outcome>,
    /// One report per job that has lost too many workers and has failed.
    pub reports: Vec<ErrorReport>,
    /// Time since the last heartbeat of each job's worker, for a rescue.
    pub delays: Vec<Duration>,
}
