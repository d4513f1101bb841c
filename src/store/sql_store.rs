//! The store on either SQL database: the database itself, and what this process remembers beside it.

use super::attempts::finish::{self, Finishing};
use super::attempts::group_commit::GroupCommit;
use super::attempts::liveness::Liveness;
use super::attempts::{leases, mark, rescue, review, workers};
use super::chatwoot::assistants;
use super::queue::{claim, documents, lanes, pauses, purge, requests};
use super::schedule::scan::Rests;
use super::schedule::{pass, plans};
use super::sql::database::Database;
use super::{
    AccountSeen, Added, Beat, BulkVerb, ClaimLimits, Claimed, Decided, Decision, DocumentPage, Finish, Finished, Held,
    HeldContent, HeldText, HostSeen, JobsPage, JobsQuery, Marked, Named, NewDocument, Options, OutcomeQuery, PageQuery,
    PassAnswer, PassOrder, Plans, Preview, QueueState, Rescued, Result, SchemaMismatch, Seen, Store, StoredContent,
    StoredVersion, Targets, Upgraded, WorkerInfo, WorkerSeen, queries,
};
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
use std::time::Duration;
use tokio::sync::watch;

/// A store in an SQL database.
pub struct SqlStore {
    pub(super) db: Arc<Database>,
    liveness: Liveness,
    /// Accounts that the schedule need not look at yet.
    rests: Rests,
    finishes: GroupCommit<Finishing, Finished>,
    marks: GroupCommit<Held, Marked>,
}

impl SqlStore {
    /// Opens the store at `url`; see [`open_with`](super::open_with), which hides what it is.
    pub async fn open(url: &str, options: Options) -> Result<Arc<Self>> {
        let db = Database::open(url, options).await?;
        let (finishes, pending_finishes) = GroupCommit::new();
        let (marks, pending_marks) = GroupCommit::new();
        if !db.is_read_only() {
            lanes::rederive(&db).await?;
            db.tasks.spawn(finish::write_groups(Arc::downgrade(&db), pending_finishes));
            db.tasks.spawn(mark::write_groups(Arc::downgrade(&db), pending_marks));
        }
        db.watch();
        Ok(Arc::new(Self { db, liveness: Liveness::default(), rests: Rests::default(), finishes, marks }))
    }

    /// Derives all lanes from the jobs again; how many were wrong. Done on opening, and whenever they are in doubt.
    pub async fn rederive_lanes(&self) -> Result<u64> {
        lanes::rederive(&self.db).await
    }
}

#[async_trait]
impl Store for SqlStore {
    fn label(&self) -> SafeLine {
        self.db.label()
    }

    fn now(&self) -> Timestamp {
        self.db.now()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.db.changes()
    }

    fn commits(&self) -> watch::Receiver<u64> {
        self.db.commits()
    }

    fn hint(&self) {
        self.db.hint();
    }

    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>> {
        self.db.schema_mismatch()
    }

    fn upgraded(&self) -> Option<Upgraded> {
        self.db.upgraded()
    }

    async fn id(&self) -> Result<StoreId> {
        queries::counts::store_id(&self.db).await
    }

    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<Added>> {
        documents::add(&self.db, documents).await
    }

    async fn page(&self, query: &PageQuery) -> Result<DocumentPage> {
        queries::documents::page(&self.db, query).await
    }

    async fn find(&self, named: &Named) -> Result<Vec<DocumentRow>> {
        queries::documents::find(&self.db, named).await
    }

    async fn counts(&self) -> Result<Counts> {
        queries::counts::counts(&self.db).await
    }

    async fn queue(&self) -> Result<QueueState> {
        queries::counts::queue(&self.db).await
    }

    async fn matching(&self, filter: &Filter) -> Result<Vec<DocumentId>> {
        queries::documents::matching(&self.db, filter).await
    }

    async fn stored(&self, document: DocumentId) -> Result<Option<Stored>> {
        queries::contents::stored(&self.db, document).await
    }

    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>> {
        queries::contents::content(&self.db, document).await
    }

    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>> {
        queries::contents::versions(&self.db, document).await
    }

    async fn version_text(&self, document: DocumentId, version: u64) -> Result<Option<String>> {
        queries::contents::version_text(&self.db, document, version).await
    }

    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview> {
        queries::preview::preview(&self.db, of, verb).await
    }

    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<Answered>> {
        requests::request(&self.db, documents, request).await
    }

    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<Answered>> {
        requests::cancel(&self.db, documents, by).await
    }

    async fn held_content(&self, document: DocumentId) -> Result<Option<HeldContent>> {
        queries::contents::held_content(&self.db, document).await
    }

    async fn decide(&self, texts: &[HeldText], decision: Decision, by: &SafeLine) -> Result<Vec<Decided>> {
        review::decide(&self.db, texts, decision, by).await
    }

    async fn remove(&self, documents: &[DocumentId]) -> Result<u64> {
        documents::remove(&self.db, documents).await
    }

    fn is_chatwoots(&self) -> bool {
        self.db.is_chatwoots()
    }

    async fn plans(&self, terms: &Terms) -> Result<Plans> {
        plans::read(&self.db, terms).await
    }

    async fn schedule(&self, order: &PassOrder<'_>) -> Result<PassAnswer> {
        pass::make(&self.db, &self.rests, order).await
    }

    async fn purgeable(&self) -> Result<u64> {
        purge::purgeable(&self.db).await
    }

    async fn purge(&self, by: &SafeLine) -> Result<u64> {
        purge::purge(&self.db, by).await
    }

    async fn pause(&self, scope: &PauseScope, by: &SafeLine) -> Result<bool> {
        pauses::pause(&self.db, scope, by).await
    }

    async fn resume(&self, scope: &PauseScope) -> Result<bool> {
        pauses::resume(&self.db, scope).await
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        pauses::all(&self.db).await
    }

    async fn register(&self, worker: &WorkerInfo) -> Result<()> {
        workers::register(&self.db, &self.liveness, worker).await
    }

    async fn unregister(&self, worker: &WorkerId) -> Result<()> {
        workers::unregister(&self.db, &self.liveness, worker).await
    }

    async fn workers(&self) -> Result<Vec<WorkerSeen>> {
        queries::workers::workers(&self.db).await
    }

    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>> {
        self.liveness.leased(limits.lease);
        claim::claim(&self.db, worker, limits).await
    }

    async fn mark(&self, held: Held) -> Result<Marked> {
        self.db.writable()?;
        self.marks.send(held).await
    }

    async fn defer(&self, held: Held, holder: &LockHolder, again: Duration) -> Result<Finished> {
        mark::defer(&self.db, held, holder, again).await
    }

    async fn beat(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>> {
        workers::beat(&self.db, &self.liveness, worker, held, lease).await
    }

    async fn cancels(&self, held: &[Held]) -> Result<Vec<Held>> {
        leases::cancels(&self.db, held).await
    }

    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished> {
        self.db.writable()?;
        self.finishes.send(Finishing { finish, policy: policy.clone() }).await
    }

    async fn release(&self, held: &[Held]) -> Result<()> {
        leases::release(&self.db, held).await
    }

    async fn rescue(&self) -> Result<Rescued> {
        rescue::rescue(&self.db, &self.liveness).await
    }

    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>> {
        assistants::account(&self.db, assistant).await
    }

    async fn break_lease(&self, job: JobId, by: &SafeLine) -> Result<Option<Rescued>> {
        rescue::break_lease(&self.db, job, by).await
    }

    async fn jobs(&self, query: &JobsQuery) -> Result<JobsPage> {
        queries::jobs::jobs(&self.db, query).await
    }

    async fn accounts(&self) -> Result<Seen<AccountSeen>> {
        queries::accounts::accounts(&self.db).await
    }

    async fn hosts(&self) -> Result<Seen<HostSeen>> {
        queries::hosts::hosts(&self.db).await
    }

    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>> {
        queries::outcomes::outcomes(&self.db, query).await
    }

    async fn last_seq(&self) -> Result<Seq> {
        queries::outcomes::last_seq(&self.db).await
    }

    async fn at_rest(&self) -> Box<dyn Send> {
        self.db.at_rest().await
    }

    async fn close(&self) {
        self.db.stop_watching();
        // The writer tasks end when what was sent is written.
        self.finishes.close().await;
        self.marks.close().await;
        self.db.close().await;
        self.liveness.leave();
    }
}
