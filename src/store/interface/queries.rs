//! The interface for reads: lists, contents, figures and outcomes, with the types of the console's views.

use crate::domain::calendar::ClosedWindow;
use crate::domain::content::{ContentChange, StoredBaseline};
use crate::domain::document::{DocumentRow, FailureCount, StatusCounts};
use crate::domain::failure::ErrorCode;
use crate::domain::faq::FaqBacklog;
use crate::domain::filter::Filter;
use crate::domain::host_backoff::HostBackoff;
use crate::domain::id::{AccountId, DocumentId, JobId, Seq, WorkerId};
use crate::domain::job::QueueClass;
use crate::domain::notification::SinkStatus;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::pause::Pause;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use crate::store::interface::dashboard::DashboardFigures;
use crate::store::interface::documents::{
    BulkVerb, DocumentPage, DocumentRef, PageQuery, Preview, QuarantinedContent, Sort, StoredContent, StoredVersion,
    Targets,
};
use crate::store::interface::failures::FailureSummary;
use async_trait::async_trait;
use std::time::Duration;

/// Reads for display; no call writes anything.
#[async_trait]
pub trait Queries: StoreBase {
    /// Returns the documents that `named` refers to: at most one for an id, at most one per assistant for a URL. Sorted
    /// by id.
    async fn find(&self, named: &DocumentRef) -> Result<Vec<DocumentRow>>;

    /// Returns a page of the sorted, filtered list of documents.
    async fn page(&self, query: &PageQuery) -> Result<DocumentPage>;

    /// Returns the ids of the documents that match `filter`, in the order of `sort`; at most `limit` if it is set. One
    /// short statement, however many match; [`rows`](Self::rows) reads their rows.
    async fn matching(&self, filter: &Filter, sort: Sort, limit: Option<u64>) -> Result<Vec<DocumentId>>;

    /// Returns the rows of these documents in the same order, each once, without those that no longer exist.
    async fn rows(&self, ids: &[DocumentId]) -> Result<Vec<DocumentRow>>;

    /// Returns the number of documents at each status, and of those with a text that waits for review.
    async fn counts(&self) -> Result<StatusCounts>;

    /// Returns the next time at which time alone changes the status of a document, UTC: `syncing` becomes `stuck`, or
    /// `synced` becomes `stale`. `None` if no status depends on the time.
    async fn next_status_change(&self) -> Result<Option<Timestamp>>;

    /// Returns the stored values that a page fetched now would be compared with; `None` if there is no such document.
    async fn stored(&self, document: DocumentId) -> Result<Option<StoredBaseline>>;

    /// Returns the stored text; `None` if there is no document or no text.
    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>>;

    /// Returns the earlier contents that are still stored, newest first.
    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>>;

    /// Returns the text of an earlier content; `None` if it is no longer stored.
    async fn version_text(&self, document: DocumentId, version: u64) -> Result<Option<String>>;

    /// Returns the quarantined text; `None` if none waits for a decision. A rejected text no longer waits.
    async fn quarantined_content(&self, document: DocumentId) -> Result<Option<QuarantinedContent>>;

    /// Returns the effect that `verb` would have now on the documents that `of` selects.
    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview>;

    /// Returns figures of the FAQ jobs that are not yet in Sidekiq's queue; `None` if none waits.
    async fn faq_backlog(&self) -> Result<Option<FaqBacklog>>;

    /// Returns the reason why FAQs are not known; `None` if they are.
    async fn unreadable_faqs(&self) -> Result<Option<String>>;

    /// Returns the number of jobs that [`DocumentStore::purge`](crate::store::DocumentStore::purge) would drop.
    async fn purgeable(&self) -> Result<u64>;

    /// Returns the pauses: the pause of everything first, then those of accounts, hosts and classes in order.
    async fn pauses(&self) -> Result<Vec<Pause>>;

    /// Returns the registered workers, longest running first. A worker that shut down cleanly is no longer registered.
    async fn workers(&self) -> Result<Vec<WorkerSummary>>;

    /// Returns the first jobs of each section of the jobs view. Apart from the counts, the cost does not grow with the
    /// length of the queue.
    async fn jobs(&self, query: &JobsQuery) -> Result<JobsPage>;

    /// Returns the accounts that have documents, in id order, at most the first 1,000.
    async fn accounts(&self) -> Result<Listing<AccountSummary>>;

    /// Returns the hosts that have documents, sorted by name: all of them, or the 1,000 with the most documents.
    async fn hosts(&self) -> Result<Listing<HostSummary>>;

    /// Returns the causes of failed documents, those of most documents first, at most 500. The cost grows with the number
    /// of failed documents only.
    async fn failures(&self) -> Result<Listing<FailureSummary>>;

    /// Returns the outcomes that `query` selects, oldest first.
    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>>;

    /// Returns the number of the last outcome; [`Seq::START`] if there is none.
    async fn last_seq(&self) -> Result<Seq>;

    /// Returns the number up to which outcomes were removed because they are old; [`Seq::START`] if none was. All with
    /// higher numbers are kept. Grows at any time: a reader that asks for everything after N has missed nothing if this is
    /// at most N after its read.
    async fn pruned_up_to(&self) -> Result<Seq>;

    /// Returns the receivers of notifications that are registered, sorted by name.
    async fn sinks(&self) -> Result<Vec<SinkStatus>>;

    /// Returns the figures of the last day, some of them of the last hour. Reads the samples of the day and the outcomes
    /// that are not sampled yet, not the documents, apart from those that are due next.
    async fn dashboard(&self) -> Result<DashboardFigures>;

    /// Returns the disk use of the store. Costs the same whatever its size.
    async fn disk_use(&self) -> Result<DiskUse>;

    /// Returns the number of outcomes from before a time.
    async fn outcomes_before(&self, before: Timestamp) -> Result<u64>;
}

/// The disk use of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiskUse {
    /// Size of the file without SQLite's log, or of the tables with their indexes, in bytes.
    pub bytes: u64,
    /// Size of the pages of the file that nothing uses, in bytes; `None` on PostgreSQL.
    pub unused: Option<u64>,
    /// True if a file gives unused pages back by itself. False on PostgreSQL.
    pub shrinks_itself: bool,
    /// Names of the tables and their sizes with indexes in bytes, the largest first; empty on SQLite.
    pub tables: Vec<(String, u64)>,
    /// Number of outcomes.
    pub outcomes: u64,
    /// Time of the oldest outcome, UTC.
    pub oldest_outcome_at: Option<Timestamp>,
}

/// A query for outcomes: a filter, a starting point and a limit.
#[derive(Clone, Debug)]
pub struct OutcomeQuery {
    /// Condition on the outcomes. With a term about a field that outcomes do not have, the query fails.
    pub filter: Filter,
    /// Restricts the result to one document. If all of its outcomes were removed because they are old, the newest of them
    /// is the result.
    pub document: Option<DocumentId>,
    pub from: OutcomesFrom,
    /// Maximum number of outcomes.
    pub limit: u64,
}

/// The starting point of a read of outcomes. The result is always sorted oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomesFrom {
    /// The first outcomes with greater numbers than this.
    After(Seq),
    /// The last outcomes with smaller numbers than this.
    Before(Seq),
    /// The last outcomes of the log.
    Newest,
}

/// The first rows of a list, with the total number of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    /// At most 1,000 rows.
    pub rows: Vec<T>,
    /// Number of all rows, including those that are not in `rows`.
    pub total: u64,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), total: 0 }
    }
}

/// Maximum number of rows that are read for one section of the jobs view, even if the query's limit is higher.
pub const MAX_SECTION_ROWS: u64 = 200;

/// A query for the first jobs of each section of the jobs view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobsQuery {
    /// Maximum number of rows per section; a limit above [`MAX_SECTION_ROWS`] counts as that number.
    pub limit: u64,
}

/// The jobs of the jobs view by section, as they were at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsPage {
    /// Running jobs, longest running first.
    pub running: Vec<JobSummary>,
    pub running_total: u64,
    /// Ready jobs by class and then by position in the fair order of accounts. Claims follow this order, apart from
    /// blocked jobs and the share of the lowest class.
    pub ready: Vec<JobSummary>,
    pub ready_total: u64,
    /// Scheduled jobs, earliest time first.
    pub waiting: Vec<JobSummary>,
    /// Number of scheduled jobs, with or without an attempt so far.
    pub waiting_total: u64,
    /// Jobs that ended most recently, newest end first. Only the last job of each document can be among them.
    pub recent: Vec<JobSummary>,
}

/// A job as the jobs view shows it, with its document's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSummary {
    pub job: JobId,
    pub document: DocumentId,
    /// The document's name, or its URL if it has none.
    pub name: SafeLine,
    pub account: AccountId,
    pub host: SafeLine,
    pub class: QueueClass,
    /// Attempts so far, including a running one.
    pub attempt: u32,
    /// Name of the person or program that requested the job.
    pub requested_by: Option<SafeLine>,
    pub progress: JobProgress,
}

/// The state of a job, with the details that are known in that state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobProgress {
    /// A worker has the job's lease.
    Running {
        /// The worker's name, `host:pid`.
        worker: Option<SafeLine>,
        /// Time at which the job last marked its document as `syncing`, UTC. While the attempt waits for the document's
        /// lock, this is from an earlier attempt; `None` if there was none.
        started_at: Option<Timestamp>,
        /// Expiry of the lease, UTC.
        lease_until: Option<Timestamp>,
        /// Last heartbeat of the worker, UTC; `None` for a worker that is no longer registered.
        heartbeat_at: Option<Timestamp>,
        /// Name of the person who requested to cancel the job.
        cancelled_by: Option<SafeLine>,
    },
    /// The job waits to be claimed.
    Ready {
        /// Time from which the job has been due, UTC.
        since: Timestamp,
        blockers: JobBlockers,
    },
    /// The job is scheduled for a later time.
    Waiting {
        /// Time from which the job is due, UTC.
        run_at: Timestamp,
        /// Number of the job's failures so far, of the class of the last one; `None` if no attempt has failed.
        after: Option<FailureCount>,
        /// Holder of the document's lock, if the job waits for that lock.
        lock_holder: Option<SafeLine>,
    },
    /// The job has ended.
    Ended {
        /// End of the job, UTC.
        at: Timestamp,
        /// Result of the job's last outcome.
        result: OutcomeResult,
        /// Error code of the job's last outcome; `None` if that is not a failure.
        error_code: Option<ErrorCode>,
        /// Result of comparing the page with the stored text; `None` if the job did not succeed.
        content: Option<ContentChange>,
    },
}

/// Facts that may keep a ready job from being claimed, except pauses, which [`Queries::pauses`] returns. Each worker
/// has its own caps per host and account; `host_running` and `account_running` are the numbers that it compares with
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobBlockers {
    /// The closed window of the account's plan, if the job waits for it.
    pub window: Option<ClosedWindow>,
    /// End of the host's last back-off, UTC, which may have passed; `None` without a back-off.
    pub host_backoff_until: Option<Timestamp>,
    /// Reason of the host's last back-off, for display.
    pub host_backoff_reason: Option<SafeLine>,
    pub host_running: u64,
    pub account_running: u64,
    /// Maximum number of running jobs by the account's plan; `None` if the plan sets none.
    pub account_cap: Option<u64>,
}

/// An account as the accounts view shows it, with figures of its documents and jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    pub id: AccountId,
    /// The account's name; `None` if Chatwoot's table of accounts is missing or unreadable, or does not contain the
    /// account.
    pub name: Option<SafeLine>,
    /// The account's plan, as the last pass of the schedule stored it.
    pub plan: Option<SafeLine>,
    /// Time between two syncs of a document under the account's plan; `None` if the plan has no automatic syncs.
    pub cadence: Option<Duration>,
    pub counts: StatusCounts,
    pub running: u64,
    pub ready: u64,
    /// Jobs that wait after a failed attempt or for a document's lock, as in `QueueState`.
    pub waiting: u64,
    /// Number of attempts that ended in the last hour; counts only attempts among the last 20,000 outcomes of all
    /// accounts.
    pub last_hour: u64,
    /// Earliest time of the account's scheduled jobs, UTC.
    pub next_due_at: Option<Timestamp>,
    /// The closed window of the account's plan, for which its automatic jobs wait.
    pub window: Option<ClosedWindow>,
}

impl AccountSummary {
    pub(in crate::store) fn new(id: i64) -> Self {
        Self {
            id: AccountId(id),
            name: None,
            plan: None,
            cadence: None,
            counts: StatusCounts::default(),
            running: 0,
            ready: 0,
            waiting: 0,
            last_hour: 0,
            next_due_at: None,
            window: None,
        }
    }
}

/// A host as the hosts view shows it, with figures of its documents and jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSummary {
    pub host: SafeLine,
    pub documents: u64,
    /// Documents whose row has status `failed`, whether or not a retry is scheduled.
    pub failed: u64,
    /// Number of attempts that ended in the last hour; counts only attempts among the last 20,000 outcomes of all
    /// hosts.
    pub last_hour: u64,
    /// Number of the attempts in `last_hour` to which the server responded with 429 or 503.
    pub rate_limited: u64,
    /// Median duration of the attempts in `last_hour`, in whole milliseconds; `None` if none has a duration.
    pub median_duration: Option<Duration>,
    pub running: u64,
    pub ready: u64,
    /// The host's current back-off; `None` once it has ended.
    pub backoff: Option<HostBackoff>,
}

/// A registered worker with its load and health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSummary {
    /// A new id at every start of the process.
    pub id: WorkerId,
    /// Name for display, `host:pid`.
    pub name: SafeLine,
    /// Maximum number of jobs that run at a time.
    pub capacity: u32,
    pub running: u32,
    /// Time of the worker's registration, UTC.
    pub started_at: Timestamp,
    /// Last heartbeat, UTC.
    pub heartbeat_at: Timestamp,
    /// Reasons, a line for each site rule whose credentials the worker lacks: it claims no document of these sites.
    pub unfetchable: Vec<SafeLine>,
    pub health: WorkerHealth,
}

/// The health of a worker, from its process and its heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkerHealth {
    /// The process seems alive, and its last heartbeat is recent or it has a current lease.
    Alive,
    /// The process seems alive, but its last heartbeat is more than 30 s old and it has no current lease. It is stuck,
    /// suspended, or cut off from the database.
    Late,
    /// The process is dead. The next rescue takes its jobs from it.
    Gone,
}

impl WorkerHealth {
    /// Returns the word for display.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Late => "late",
            Self::Gone => "gone",
        }
    }
}
