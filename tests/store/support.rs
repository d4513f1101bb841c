//! A store in a temporary folder, with a manual clock.

pub use crate::support::place::{Backend, Place};
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::failure::{ErrorCode, Failure};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq, WorkerId};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{Request, RequestAnswer, RequestKind, RequestScope};
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::domain::stages::{Stage, Stages};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    Access, AddResult, ClaimLimits, ClaimedJob, DocumentRef, DocumentStore, Finish, FinishResult, JobStore,
    ManualClock, MarkTiming, NewDocument, Options, OutcomeQuery, OutcomesFrom, Queries, SqlStore, WorkerInfo,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Start of the tests' clocks.
pub const START: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);
/// Lease of the tests' workers.
pub const LEASE: Duration = Duration::from_secs(30);

/// A store with its clock and its database.
pub struct Scene {
    pub clock: Arc<ManualClock>,
    pub store: Arc<SqlStore>,
    pub place: Place,
}

impl Scene {
    pub async fn new(backend: Backend) -> Self {
        let place = Place::new(backend).await;
        let clock = Arc::new(ManualClock::at(START));
        let store = open(&place.url(), clock.clone(), Access::Create).await;
        Self { clock, store, place }
    }

    /// Opens another instance on the same database and clock, as another process would.
    pub async fn another(&self) -> Arc<SqlStore> {
        open(&self.place.url(), self.clock.clone(), Access::Write).await
    }

    pub fn path(&self) -> PathBuf {
        self.place.file()
    }

    pub fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        self.place.either(sqlite, postgres)
    }

    pub async fn sql(&self, sql: &str) {
        self.place.sql(sql).await;
    }

    pub async fn number(&self, sql: &str) -> i64 {
        self.place.number(sql).await.unwrap()
    }

    pub async fn add(&self, account: i64, url: &str) -> DocumentId {
        match self.store.add(&[new(account, url)]).await.unwrap()[..] {
            [AddResult::New(id)] => id,
            ref other => panic!("{other:?}"),
        }
    }

    pub async fn ask(&self, documents: &[DocumentId], class: QueueClass) -> Vec<RequestAnswer> {
        let answers = self.store.request(documents, &request(class)).await.unwrap();
        answers.into_iter().map(|answered| answered.answer).collect()
    }

    /// Adds a document, requests its sync, and claims the job.
    pub async fn running(&self, url: &str) -> (DocumentId, ClaimedJob) {
        let id = self.add(1, url).await;
        self.ask(&[id], QueueClass::Manual).await;
        let claimed = self.claim(64).await;
        (id, claimed.into_iter().find(|claimed| claimed.document_id == id).unwrap())
    }

    pub async fn claim(&self, slots: u32) -> Vec<ClaimedJob> {
        self.store.claim(&worker("w1").id, limits(slots)).await.unwrap()
    }

    pub async fn finish(&self, claimed: &ClaimedJob, end: AttemptEnd) -> FinishResult {
        let mut stages = Stages::default();
        stages.set(Stage::Name, Duration::from_micros(7));
        stages.set(Stage::Convert, Duration::from_millis(90));
        let (duration, stages) = (Duration::from_millis(120), Some(stages));
        let finish = Finish { lease: claimed.lease, end, duration, stages };
        self.store.finish(finish, &RetryPolicy::default()).await.unwrap()
    }

    pub async fn row(&self, id: DocumentId) -> quarterdeck::domain::document::DocumentRow {
        self.store.find(&DocumentRef::Id(id)).await.unwrap().remove(0)
    }

    pub async fn outcomes(&self) -> Vec<Outcome> {
        outcomes_after(&*self.store, Seq::START).await
    }

    pub async fn results(&self) -> Vec<OutcomeResult> {
        self.outcomes().await.iter().map(|outcome| outcome.result).collect()
    }
}

pub async fn open(url: &str, clock: Arc<ManualClock>, access: Access) -> Arc<SqlStore> {
    SqlStore::open(url, Options { clock, ..Options::new(access) }).await.unwrap()
}

pub async fn outcomes_after(store: &dyn Queries, seq: Seq) -> Vec<Outcome> {
    let query =
        OutcomeQuery { filter: Filter::default(), document: None, from: OutcomesFrom::After(seq), limit: u64::MAX };
    store.outcomes(&query).await.unwrap()
}

pub fn new(account: i64, url: &str) -> NewDocument {
    NewDocument {
        link: Link::parse(url).unwrap(),
        name: None,
        account_id: AccountId(account),
        assistant_id: AssistantId(1),
    }
}

pub fn request(class: QueueClass) -> Request {
    Request { kind: RequestKind::Sync, class, by: "ana".into(), scope: RequestScope::Named }
}

pub fn worker(id: &str) -> WorkerInfo {
    WorkerInfo {
        id: WorkerId(id.into()),
        name: format!("host:{id}").as_str().into(),
        capacity: 8,
        unfetchable: Default::default(),
    }
}

pub fn limits(slots: u32) -> ClaimLimits {
    ClaimLimits {
        slots,
        lease: LEASE,
        per_host: 1_000,
        per_account: None,
        host_interval: Duration::ZERO,
        mark_timing: MarkTiming::AtClaim,
    }
}

pub fn fetched(title: &str, content: &str, change: ContentChange) -> AttemptEnd {
    let page = Page::new(Some(title), content.to_owned(), content.len() as u64, 200).unwrap();
    let fingerprint = Fingerprint::of(&page.content);
    AttemptEnd::Fetched { page: Box::new(page), fingerprint, change }
}

pub fn timeout() -> AttemptEnd {
    AttemptEnd::Failed(Failure::transient(ErrorCode::Timeout, "no answer within 20 s"))
}

pub fn unexpected() -> AttemptEnd {
    AttemptEnd::Failed(Failure::unexpected("panic", "index out of bounds"))
}

pub fn permanent() -> AttemptEnd {
    AttemptEnd::Failed(Failure::from_status(404, "Not Found"))
}
