//! The interface of those who read: lists, contents, figures and outcomes, with the types of the console's views.

use crate::domain::content::{ContentChange, Stored};
use crate::domain::document::{Counts, DocumentRow, Try};
use crate::domain::failure::ErrorCode;
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, DocumentId, JobId, Seq, WorkerId};
use crate::domain::job::QueueClass;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::pause::Pause;
use crate::domain::politeness::Hold;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use crate::store::interface::documents::{
    BulkVerb, DocumentPage, HeldContent, Named, PageQuery, Preview, StoredContent, StoredVersion, Targets,
};
use async_trait::async_trait;
use std::time::Duration;

/// Reads for people; no call writes anything.
#[async_trait]
pub trait Queries: StoreBase {
    /// Returns the documents with that name: one for an ID, one per assistant for a URL.
    async fn find(&self, named: &Named) -> Result<Vec<DocumentRow>>;

    /// Returns a window of the sorted, filtered list.
    async fn page(&self, query: &PageQuery) -> Result<DocumentPage>;

    /// Returns the IDs of all documents that match, in ID order.
    async fn matching(&self, filter: &Filter) -> Result<Vec<DocumentId>>;

    /// Returns the number of documents at each status.
    async fn counts(&self) -> Result<Counts>;

    /// Returns the values that a page of the document would be compared with now; `None` when there is no such document.
    async fn stored(&self, document: DocumentId) -> Result<Option<Stored>>;

    /// Returns the stored text; `None` when there is no document or no text.
    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>>;

    /// Returns the earlier contents that are kept, newest first.
    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>>;

    /// Returns the text of an earlier content; `None` when it is not kept.
    async fn version_text(&self, document: DocumentId, version: u64) -> Result<Option<String>>;

    /// Returns the text in review; `None` when none waits for a decision. A rejected one does not.
    async fn held_content(&self, document: DocumentId) -> Result<Option<HeldContent>>;

    /// Returns the effect that `verb` would have on the documents of `of`.
    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview>;

    /// Returns the number of jobs that [`DocumentStore::purge`](crate::store::DocumentStore::purge) would drop.
    async fn purgeable(&self) -> Result<u64>;

    /// Returns the pauses: that of everything first, then accounts, hosts and classes in order.
    async fn pauses(&self) -> Result<Vec<Pause>>;

    /// Returns the registered workers, the longest serving first. One that ended in order is not among them.
    async fn workers(&self) -> Result<Vec<WorkerSeen>>;

    /// Returns the first jobs of each section. The cost does not grow with the number of jobs beyond the counts.
    async fn jobs(&self, query: &JobsQuery) -> Result<JobsPage>;

    /// Returns the accounts that have documents, in ID order; the first ones when there are too many to show.
    async fn accounts(&self) -> Result<Seen<AccountSeen>>;

    /// Returns the hosts that have documents, by name; those with the most documents when there are too many to show.
    async fn hosts(&self) -> Result<Seen<HostSeen>>;

    /// Returns outcomes, oldest first.
    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>>;

    /// Returns the number of the last outcome; [`Seq::START`] when there is none.
    async fn last_seq(&self) -> Result<Seq>;
}

/// Which outcomes, and from which end.
#[derive(Clone, Debug)]
pub struct OutcomeQuery {
    /// Which; only fields that outcomes have.
    pub filter: Filter,
    /// Of one document alone.
    pub document: Option<DocumentId>,
    /// From where, and which way.
    pub from: OutcomesFrom,
    /// At most so many.
    pub limit: u64,
}

/// Where a reading of outcomes starts. The answer is oldest first in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomesFrom {
    /// The oldest after this one.
    After(Seq),
    /// The newest before this one.
    Before(Seq),
    /// The newest.
    Newest,
}

/// The first rows of a list and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// At most 1,000.
    pub rows: Vec<T>,
    /// All of them, shown or not.
    pub total: u64,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), total: 0 }
    }
}

/// The most rows that one section is read with, whatever was asked for.
pub const SECTION_ROWS: u64 = 200;

/// How much of each section is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobsQuery {
    /// Rows of a section; at most [`SECTION_ROWS`].
    pub limit: u64,
}

/// The jobs in sections, at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsPage {
    /// Running, the longest running first.
    pub running: Vec<JobSeen>,
    /// All that run.
    pub running_total: u64,
    /// Ready, in the order in which they are claimed when nothing holds them up.
    pub ready: Vec<JobSeen>,
    /// All that are ready.
    pub ready_total: u64,
    /// Waiting for a time, the next first.
    pub waiting: Vec<JobSeen>,
    /// All that wait for a time, tried or not.
    pub waiting_total: u64,
    /// Ended lately, the last first.
    pub recent: Vec<JobSeen>,
}

/// A job as the jobs view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSeen {
    /// The job.
    pub job: JobId,
    /// Its document.
    pub document: DocumentId,
    /// The document's name; its URL when it has none.
    pub name: SafeLine,
    /// The account it counts for.
    pub account: AccountId,
    /// The host it is fetched from.
    pub host: SafeLine,
    /// Its class.
    pub class: QueueClass,
    /// Attempts so far, the running one included.
    pub attempt: u32,
    /// Who asked for it.
    pub requested_by: Option<SafeLine>,
    /// Where it is.
    pub place: JobPlace,
}

/// Where a job is, and what is known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobPlace {
    /// A worker has it.
    Running {
        /// The worker's name.
        worker: Option<SafeLine>,
        /// When this try began.
        started_at: Option<Timestamp>,
        /// When its lease ends.
        lease_until: Option<Timestamp>,
        /// When its worker's heart beat last; `None` for a worker that nobody knows any more.
        heartbeat_at: Option<Timestamp>,
        /// Who asked it to stop.
        cancelled_by: Option<SafeLine>,
    },
    /// It waits for a slot.
    Ready {
        /// Since when.
        since: Timestamp,
        /// What it stands behind.
        blocked: Blocked,
    },
    /// It waits for a time.
    Waiting {
        /// When it is tried.
        run_at: Timestamp,
        /// The failure it waits after.
        after: Option<Try>,
        /// Who has the document's lock.
        lock_holder: Option<SafeLine>,
    },
    /// It is over.
    Ended {
        /// When.
        at: Timestamp,
        /// What its last outcome says.
        result: OutcomeResult,
        /// Why, when it failed.
        error_code: Option<ErrorCode>,
        /// The page's content compared with the stored one, when it was fetched.
        content: Option<ContentChange>,
    },
}

/// What may hold a ready job up, pauses apart, which are read by themselves. Caps are the workers' own, so here stand the
/// numbers that they are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Its host is left alone until then.
    pub host_held_until: Option<Timestamp>,
    /// Why it is, for people.
    pub host_held_because: Option<SafeLine>,
    /// Running jobs of its host.
    pub host_running: u64,
    /// Running jobs of its account.
    pub account_running: u64,
    /// Running jobs that its account may have, when it has a cap of its own.
    pub account_cap: Option<u64>,
}

/// An account as the accounts view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSeen {
    /// Which one.
    pub id: AccountId,
    /// Its name, where Chatwoot's table of accounts is there and may be read.
    pub name: Option<SafeLine>,
    /// Its plan, as the scheduler read it last.
    pub plan: Option<SafeLine>,
    /// How often the plan looks at a document.
    pub cadence: Option<Duration>,
    /// Its documents by status.
    pub counts: Counts,
    /// Its running jobs.
    pub running: u64,
    /// Its ready jobs.
    pub ready: u64,
    /// Its jobs that wait after a failed try or for a document's lock, as in `QueueState`.
    pub waiting: u64,
    /// Attempts that ended in the last hour; of all accounts the last 20,000 outcomes are looked through.
    pub last_hour: u64,
    /// When the first of its jobs that wait for a time is due, UTC.
    pub next_due_at: Option<Timestamp>,
}

impl AccountSeen {
    pub(in crate::store) fn new(id: i64) -> Self {
        Self {
            id: AccountId(id),
            name: None,
            plan: None,
            cadence: None,
            counts: Counts::default(),
            running: 0,
            ready: 0,
            waiting: 0,
            last_hour: 0,
            next_due_at: None,
        }
    }
}

/// A host as the hosts view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSeen {
    /// Its name.
    pub host: SafeLine,
    /// Its documents.
    pub documents: u64,
    /// Those whose row says failed, tried again or not.
    pub failed: u64,
    /// Attempts that ended in the last hour; of all hosts the last 20,000 outcomes are looked through.
    pub recent: u64,
    /// Those of `recent` that the server answered with 429 or 503.
    pub limited: u64,
    /// The middle of what `recent` took, to the millisecond.
    pub median: Option<Duration>,
    /// Its running jobs.
    pub running: u64,
    /// Its ready jobs.
    pub ready: u64,
    /// Until when it is left alone, and why; never one that is over.
    pub held: Option<Hold>,
}

/// A worker as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerSeen {
    /// New at every start.
    pub id: WorkerId,
    /// `host:pid`, for people.
    pub name: SafeLine,
    /// How many jobs it runs at a time.
    pub capacity: u32,
    /// How many it runs now.
    pub running: u32,
    /// When it was made known.
    pub started_at: Timestamp,
    /// When its heart last beat.
    pub heartbeat_at: Timestamp,
    /// Whether it lives.
    pub alive: Alive,
}

/// Whether a worker lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alive {
    /// Its process is there and its heart beats.
    Beating,
    /// Its process is there, as far as anybody can tell, but it has not beaten for longer than a lease holds: it is
    /// stuck, asleep, or cut off from the database.
    Late,
    /// Its process is gone. What it ran is taken up by the next worker that looks.
    Gone,
}

impl Alive {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Beating => "alive",
            Self::Late => "late",
            Self::Gone => "gone",
        }
    }
}
