//! The store on either SQL database: everything that is the same for both. What differs stands in `sqlite` and
//! `postgres`, behind [`Engine`].

use super::attempts::finish::{self, Pending};
use super::attempts::liveness::Liveness;
use super::attempts::mark::{self, PendingMark};
use super::postgres::Postgres;
use super::schedule::scan::Rests;
use super::sqlite::Sqlite;
use super::{
    AccountSeen, Added, Beat, BulkVerb, ClaimLimits, Claimed, Clock, Decided, Decision, DocumentPage, Finish, Finished,
    Held, HeldContent, HeldText, HostSeen, JobsPage, JobsQuery, Marked, Named, NewDocument, Options, OutcomeQuery,
    PageQuery, PassAnswer, PassOrder, Plans, Preview, QueueState, Recorder, Rescued, Result, SchemaMismatch, Seen,
    Store, StoreError, StoredContent, StoredVersion, Targets, Upgraded, WorkerInfo, WorkerSeen, address,
};
use crate::chatwoot::faq_job::PendingFaqJob;
use crate::domain::content::Stored;
use crate::domain::document::{Counts, DocumentRow};
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq, WorkerId};
use crate::domain::lock::{LockHolder, StoreId};
use crate::domain::outcome::Outcome;
use crate::domain::pause::{Pause, PauseScope};
use crate::domain::request::{Answered, Request};
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::Terms;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Finishes that may wait for the writer task; whoever comes then waits before it.
const WAITING_FINISHES: usize = 256;

/// The database underneath.
pub(super) enum Engine {
    /// A file.
    Sqlite(Sqlite),
    /// A server.
    Postgres(Postgres),
}

/// A store in an SQL database.
pub struct SqlStore {
    pub(super) engine: Engine,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) recorder: Option<Recorder>,
    pub(super) read_only: bool,
    /// Whether changes are noted for Chatwoot.
    pub(super) tells: AtomicBool,
    pub(super) liveness: Liveness,
    pub(super) changes: watch::Sender<u64>,
    /// Set when the store has been migrated by a newer program.
    pub(super) mismatches: watch::Sender<Option<SchemaMismatch>>,
    /// What this process alone has committed.
    commits: watch::Sender<u64>,
    /// Held from the taking of numbers until they are told of, so that they are told in their order. In it: outcomes
    /// whose commit was answered with an error, which may stand all the same.
    pub(super) telling: Mutex<Vec<Outcome>>,
    /// Whether there are such.
    pub(super) in_doubt: AtomicBool,
    /// Accounts that the schedule need not look at yet.
    pub(super) rests: Rests,
    pub(super) finishes: Mutex<Option<mpsc::Sender<Pending>>>,
    pub(super) marks: Mutex<Option<mpsc::Sender<PendingMark>>>,
    pub(super) tasks: TaskTracker,
    /// Stops the watching tasks.
    pub(super) stop: CancellationToken,
    /// Nothing is asked any more.
    pub(super) closed: CancellationToken,
}

impl SqlStore {
    /// Opens the store at `url`; see [`open_with`](super::open_with), which hides what it is.
    pub async fn open(url: &str, options: Options) -> Result<Arc<Self>> {
        let changes = watch::Sender::new(0);
        let (engine, clock) = match address::parse(url)? {
            address::Address::Sqlite(path) => {
                (Engine::Sqlite(Sqlite::open(&path, options.access).await?), options.clock)
            }
            address::Address::Postgres(url) => {
                let (postgres, clock) = Postgres::open(&url, &options, &changes).await?;
                (Engine::Postgres(postgres), clock)
            }
        };
        let (sender, receiver) = mpsc::channel(WAITING_FINISHES);
        let (marks, pending_marks) = mpsc::channel(WAITING_FINISHES);
        let store = Arc::new(Self {
            engine,
            clock,
            recorder: options.recorder,
            read_only: options.access == super::Access::ReadOnly,
            tells: AtomicBool::new(false),
            liveness: Liveness::default(),
            changes,
            mismatches: watch::Sender::new(None),
            commits: watch::Sender::new(0),
            telling: Mutex::default(),
            in_doubt: AtomicBool::new(false),
            rests: Rests::default(),
            finishes: Mutex::new(Some(sender)),
            marks: Mutex::new(Some(marks)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            closed: CancellationToken::new(),
        });
        if !store.read_only {
            store.rederive_lanes().await?;
            store.tasks.spawn(finish::write_groups(Arc::downgrade(&store), receiver));
            store.tasks.spawn(mark::write_marks(Arc::downgrade(&store), pending_marks));
        }
        match &store.engine {
            Engine::Sqlite(sqlite) => sqlite.watch(&store),
            Engine::Postgres(postgres) => postgres.watch(&store),
        }
        Ok(store)
    }

    pub(super) fn writable(&self) -> Result<()> {
        if self.read_only { Err(StoreError::ReadOnly) } else { Ok(()) }
    }

    /// Something was committed.
    pub(super) fn bump(&self) {
        self.commits.send_modify(|count| *count = count.wrapping_add(1));
        self.look();
        if let Engine::Postgres(postgres) = &self.engine {
            postgres.tell_others();
        }
    }

    /// Something may have been committed, here or elsewhere.
    fn look(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Drop for SqlStore {
    fn drop(&mut self) {
        // The group writer ends with its sender; the watchers have to be told.
        self.stop.cancel();
    }
}

#[async_trait]
impl Store for SqlStore {
    fn label(&self) -> SafeLine {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.label(),
            Engine::Postgres(postgres) => postgres.label(),
        }
    }
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    fn hint(&self) {
        self.look();
    }

    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>> {
        self.mismatches.subscribe()
    }

    fn upgraded(&self) -> Option<Upgraded> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.upgraded.clone(),
            Engine::Postgres(_) => None,
        }
    }

    async fn id(&self) -> Result<StoreId> {
        self.read_id().await
    }

    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<Added>> {
        self.add_documents(documents).await
    }

    async fn page(&self, query: &PageQuery) -> Result<DocumentPage> {
        self.read_page(query).await
    }

    async fn find(&self, named: &Named) -> Result<Vec<DocumentRow>> {
        self.find_documents(named).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.count_statuses().await
    }

    async fn queue(&self) -> Result<QueueState> {
        self.queue_state().await
    }

    async fn matching(&self, filter: &Filter) -> Result<Vec<DocumentId>> {
        self.matching_ids(filter).await
    }

    async fn stored(&self, document: DocumentId) -> Result<Option<Stored>> {
        self.read_stored(document).await
    }

    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>> {
        self.read_content(document).await
    }

    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>> {
        self.read_versions(document).await
    }

    async fn version_text(&self, document: DocumentId, version: u64) -> Result<Option<String>> {
        self.read_version(document, version).await
    }

    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview> {
        self.preview_bulk(of, verb).await
    }

    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<Answered>> {
        self.request_syncs(documents, request).await
    }

    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<Answered>> {
        self.cancel_jobs(documents, by).await
    }

    async fn held_content(&self, document: DocumentId) -> Result<Option<HeldContent>> {
        self.read_held(document).await
    }

    async fn decide(&self, texts: &[HeldText], decision: Decision, by: &SafeLine) -> Result<Vec<Decided>> {
        self.decide_held(texts, decision, by).await
    }

    async fn remove(&self, documents: &[DocumentId]) -> Result<u64> {
        self.remove_documents(documents).await
    }

    fn is_chatwoots(&self) -> bool {
        Self::is_chatwoots(self)
    }

    async fn plans(&self, terms: &Terms) -> Result<Plans> {
        self.read_plans(terms).await
    }

    async fn schedule(&self, order: &PassOrder<'_>) -> Result<PassAnswer> {
        self.make_pass(order).await
    }

    async fn purgeable(&self) -> Result<u64> {
        self.count_purgeable().await
    }

    async fn purge(&self, by: &SafeLine) -> Result<u64> {
        self.purge_jobs(by).await
    }

    async fn pause(&self, scope: &PauseScope, by: &SafeLine) -> Result<bool> {
        self.insert_pause(scope, by).await
    }

    async fn resume(&self, scope: &PauseScope) -> Result<bool> {
        self.delete_pause(scope).await
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        self.read_pauses().await
    }

    async fn register(&self, worker: &WorkerInfo) -> Result<()> {
        self.register_worker(worker).await
    }

    async fn unregister(&self, worker: &WorkerId) -> Result<()> {
        self.unregister_worker(worker).await
    }

    async fn workers(&self) -> Result<Vec<WorkerSeen>> {
        self.workers_seen().await
    }

    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>> {
        self.claim_jobs(worker, limits).await
    }

    async fn mark(&self, held: Held) -> Result<Marked> {
        self.send_mark(held).await
    }

    async fn defer(&self, held: Held, holder: &LockHolder, again: Duration) -> Result<Finished> {
        self.defer_job(held, holder, again).await
    }

    async fn beat(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>> {
        self.beat_held(worker, held, lease).await
    }

    async fn cancels(&self, held: &[Held]) -> Result<Vec<Held>> {
        self.cancel_requests(held).await
    }

    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished> {
        self.send_finish(finish, policy).await
    }

    async fn release(&self, held: &[Held]) -> Result<()> {
        self.release_jobs(held).await
    }

    async fn rescue(&self) -> Result<Rescued> {
        self.rescue_jobs().await
    }

    fn tell_faqs(&self, on: bool) {
        self.tells.store(on, Ordering::Relaxed);
    }

    async fn untold(&self, limit: u32) -> Result<Vec<PendingFaqJob>> {
        self.read_untold(limit).await
    }

    async fn told(&self, jid: &str) -> Result<()> {
        self.forget_told(jid).await
    }

    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>> {
        self.read_assistant(assistant).await
    }

    async fn break_lease(&self, job: JobId, by: &SafeLine) -> Result<Option<Rescued>> {
        self.break_lease_of(job, by).await
    }

    async fn jobs(&self, query: &JobsQuery) -> Result<JobsPage> {
        self.jobs_seen(query).await
    }

    async fn accounts(&self) -> Result<Seen<AccountSeen>> {
        self.accounts_seen().await
    }

    async fn hosts(&self) -> Result<Seen<HostSeen>> {
        self.hosts_seen().await
    }

    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>> {
        self.read_outcomes(query).await
    }

    async fn last_seq(&self) -> Result<Seq> {
        self.read_last_seq().await
    }

    async fn at_rest(&self) -> Box<dyn Send> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Box::new(sqlite.at_rest().await),
            Engine::Postgres(postgres) => Box::new(postgres.at_rest().await),
        }
    }

    async fn close(&self) {
        self.stop.cancel();
        // The writer tasks end when what was sent is written.
        self.finishes.lock().await.take();
        self.marks.lock().await.take();
        self.tasks.close();
        self.tasks.wait().await;
        self.closed.cancel();
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
        self.liveness.leave();
    }
}
