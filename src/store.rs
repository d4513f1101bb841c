//! Where documents, jobs and outcomes live. The only room that knows SQL.
//!
//! One interface, so that runner, console and command line do not know which database is underneath. The database row
//! is the truth; [`Store::changes`] is only a hint to look sooner. Every method is one transaction, or says otherwise,
//! and reads the clock once.

use crate::domain::content::Page;
use crate::domain::document::{Counts, DocumentRow, RecentResult};
use crate::domain::filter::Filter;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq, Token, WorkerId};
use crate::domain::job::{AttemptEnd, ErrorReport, JobState, QueueClass};
use crate::domain::link::Link;
use crate::domain::outcome::Outcome;
use crate::domain::request::{Answered, Request, SkipReason, Verb};
use crate::domain::retry::{Counters, RetryPolicy};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;

mod address;
mod clock;
mod filter_sql;
mod migrate;
mod sql;
pub mod sqlite;

pub use clock::{Clock, ManualClock, SystemClock};

/// Why the store did not answer. Never a document's failure.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Unreachable, busy for too long, out of space: may pass, nothing was written.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The database refused the data of one document; others of the same batch are not touched by it.
    #[error("the database refused the data: {0}")]
    Refused(String),
    /// Opened without the right to write.
    #[error("the store is open for reading only")]
    ReadOnly,
    /// The place is not a store of ours, or not one that this program can use. The message says what to do.
    #[error("{0}")]
    Unusable(String),
    /// A row that this program cannot have written.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

/// What may be done with a store, and what must be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; made and migrated when it is missing.
    Create,
    /// Reading and writing; must exist.
    Write,
    /// Reading alone: no file is made, nothing is migrated, every method that writes answers [`StoreError::ReadOnly`].
    ReadOnly,
}

/// How a store is opened, for those who need more than its URL.
#[derive(Clone)]
pub struct Options {
    /// What may be done.
    pub access: Access,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Told of every outcome that this process records.
    pub recorder: Option<Recorder>,
}

/// Called with what a transaction of this process recorded, after its commit and in the order of the numbers. It holds
/// the writer up while it runs: it hands on, and does not wait.
pub type Recorder = Arc<dyn Fn(&[Outcome]) + Send + Sync>;

impl Options {
    /// The system's clock, and nobody told.
    pub fn new(access: Access) -> Self {
        Self { access, clock: Arc::new(SystemClock), recorder: None }
    }
}

/// Opens the store at `url` (`sqlite:PATH`). What is wrong with it is a [`StoreError::Unusable`] whose message says
/// what to do and never carries a password.
pub async fn open(url: &str, access: Access) -> Result<Arc<dyn Store>> {
    open_with(url, Options::new(access)).await
}

/// Opens a store with a clock or a recorder of the caller's.
pub async fn open_with(url: &str, options: Options) -> Result<Arc<dyn Store>> {
    match address::parse(url)? {
        address::Address::Sqlite(path) => Ok(sqlite::SqliteStore::open(&path, options).await?),
    }
}

/// What the store answers.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A document to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Where its page is.
    pub link: Link,
    /// Its name until the first sync brings a title; the URL when there is none.
    pub name: Option<SafeLine>,
    /// The owner.
    pub account_id: AccountId,
    /// The assistant.
    pub assistant_id: AssistantId,
}

/// What became of a document to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New(DocumentId),
    /// The assistant has this URL already; left alone.
    Exists(DocumentId),
}

/// A column to sort by. Equal rows stand in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// In the order of [`Status::ALL`](crate::domain::document::Status::ALL): what needs eyes first.
    #[default]
    Status,
    /// By name, case folded.
    Name,
    /// By URL.
    Url,
    /// By the last error's code, then its detail; documents without one last.
    Error,
    /// By the last attempt.
    Attempted,
    /// By the last success.
    Synced,
    /// By the next attempt; documents without one last.
    Next,
    /// By id: the order of arrival.
    Id,
}

/// An order of documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The column.
    pub by: SortBy,
    /// The other way round. Times: ascending is the most recent first (the least age).
    pub descending: bool,
}

/// Which part of the sorted list a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// From this place, the first is 0. Beyond the end: the last page.
    Offset(u64),
    /// So that `document` stands `above` rows below the page's first row; from offset `else_at` when it does not match.
    Document {
        /// The document to be seen.
        document: DocumentId,
        /// Rows before it.
        above: u64,
        /// Where to look when it is gone.
        else_at: u64,
    },
}

/// A window of the sorted, filtered list.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Which documents.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Which part.
    pub around: Around,
    /// How many rows at most.
    pub limit: u64,
}

/// What a [`PageQuery`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentPage {
    /// The rows, in order.
    pub rows: Vec<DocumentRow>,
    /// The place of the first row in the whole list.
    pub offset: u64,
    /// How many match.
    pub total: u64,
}

/// A document by what a person names it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Id(DocumentId),
    /// By its URL, in stored form; every assistant's.
    Url(Link),
}

/// The stored text of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredContent {
    /// Markdown as stored, not yet safe for a terminal.
    pub text: String,
    /// How many times content was written.
    pub version: u64,
}

/// An earlier content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    /// Its number.
    pub version: u64,
    /// When it was replaced.
    pub replaced_at: Timestamp,
    /// Its fingerprint.
    pub fingerprint: Option<String>,
    /// Characters.
    pub content_length: u64,
}

/// What a bulk request would do, before it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Every document that the request would act on, frozen now.
    pub targets: Vec<DocumentId>,
    /// How many are left alone, by reason, most first.
    pub skipped: Vec<(SkipReason, u64)>,
    /// Different hosts among the targets.
    pub hosts: u64,
}

/// What a preview is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkVerb {
    /// Sync or retry.
    Request(Verb),
    /// Cancel.
    Cancel,
    /// Remove.
    Remove,
}

/// The queue in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Jobs ready for a slot.
    pub ready: u64,
    /// Jobs running, of every worker.
    pub running: u64,
    /// Jobs that wait for their next try.
    pub waiting: u64,
    /// Jobs that wait for their first time.
    pub scheduled: u64,
    /// When the oldest ready job became ready.
    pub oldest_ready_at: Option<Timestamp>,
    /// When the next scheduled job is due.
    pub next_due_at: Option<Timestamp>,
    /// Workers that are alive.
    pub workers: u64,
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
    /// The stored fingerprint, to compare with.
    pub fingerprint: Option<Fingerprint>,
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

/// What a rescue did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rescued {
    /// What was recorded, in order.
    pub outcomes: Vec<Outcome>,
    /// What is to be reported.
    pub reports: Vec<ErrorReport>,
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

/// The store of one database.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What to call it on the screen, without secrets: `sqlite knowledge.db`.
    fn label(&self) -> SafeLine;

    /// The store's clock, UTC.
    fn now(&self) -> Timestamp;

    /// Changes its value when something was committed, by this process or another: look again. Coalesced.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Adds documents, `available` and never synced; one answer each, in order.
    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<Added>>;

    /// A window of the sorted, filtered list.
    async fn page(&self, query: &PageQuery) -> Result<DocumentPage>;

    /// The documents that a name stands for: one for an id, one per assistant for a URL.
    async fn find(&self, named: &Named) -> Result<Vec<DocumentRow>>;

    /// How many documents stand at each status.
    async fn counts(&self) -> Result<Counts>;

    /// The queue in figures.
    async fn queue(&self) -> Result<QueueState>;

    /// The ids of all that match, in id order.
    async fn matching(&self, filter: &Filter) -> Result<Vec<DocumentId>>;

    /// The stored text; `None` when there is no document or no text.
    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>>;

    /// The kept earlier contents, newest first.
    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>>;

    /// What `verb` would do to the documents of `of`: all that match, or the named ones.
    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview>;

    /// Asks for syncs; one answer each, in order. Large sets are several transactions.
    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<Answered>>;

    /// Cancels live jobs; one answer each, in order. Large sets are several transactions.
    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<Answered>>;

    /// Removes documents with their contents and jobs; a running attempt ends `cancelled`. Outcomes stay. How many were
    /// there.
    async fn remove(&self, documents: &[DocumentId]) -> Result<u64>;

    /// Makes this process known as a worker and alive.
    async fn register(&self, worker: &WorkerInfo) -> Result<()>;

    /// The worker is leaving in order; whatever it still holds is released.
    async fn unregister(&self, worker: &WorkerId) -> Result<()>;

    /// Makes due jobs ready and claims some, in the order of class and virtual time. The claim marks the rows
    /// `syncing`; jobs whose document is gone, a PDF or unavailable end `cancelled` on the way. At most one job with a
    /// lost worker behind it runs per worker.
    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>>;

    /// Lengthens the leases of what is really held, and the worker's own heartbeat; one answer each, in order.
    async fn beat(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>>;

    /// Which of the held jobs somebody asked to stop.
    async fn cancels(&self, held: &[Held]) -> Result<Vec<Held>>;

    /// Ends an attempt: job, document, outcomes in one transaction, several finishes grouped. Answers once committed.
    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished>;

    /// Gives held jobs back: number and counters as before the claim, nothing recorded.
    async fn release(&self, held: &[Held]) -> Result<()>;

    /// Makes jobs of dead workers (process death, or a lease that ran out) ready again and records the loss.
    async fn rescue(&self) -> Result<Rescued>;

    /// Outcomes, oldest first.
    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>>;

    /// The last outcome's number; [`Seq::START`] when there is none.
    async fn last_seq(&self) -> Result<Seq>;

    /// Writes what is pending and closes.
    async fn close(&self);
}

/// Named documents, or all that match.
#[derive(Clone, Debug)]
pub enum Targets {
    /// These.
    Ids(Vec<DocumentId>),
    /// All that match now.
    Matching(Filter),
}

/// What the recent strip becomes with one more outcome; shared by both databases.
pub fn push_recent(strip: &str, result: RecentResult) -> String {
    let kept = strip.chars().count().saturating_sub(RecentResult::KEPT - 1);
    strip.chars().skip(kept).chain(std::iter::once(result.letter())).collect()
}

/// The page that a finish writes, if it writes content.
pub fn page_written(end: &AttemptEnd) -> Option<(&Page, &Fingerprint)> {
    match end {
        AttemptEnd::Fetched { page, fingerprint, change } if change.writes() => Some((page, fingerprint)),
        _ => None,
    }
}
