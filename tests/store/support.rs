//! A store in a folder of its own, with a clock that is moved by hand.

use crate::support::postgres::{self, Database};
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::failure::{ErrorCode, Failure};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq, WorkerId};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{Answer, Request, Scope, Verb};
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    Access, Added, ClaimLimits, Claimed, Finish, Finished, ManualClock, Named, NewDocument, Options, OutcomeQuery,
    OutcomesFrom, SqlStore, Store, WorkerInfo,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// When the tests' clocks start.
pub const START: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);
/// The lease of the tests.
pub const LEASE: Duration = Duration::from_secs(30);

/// The databases on which every case is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Makes a test of each function for each database; a function that is not named here is dead code, which is refused.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Backend::Sqlite).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Backend::Postgres).await;
            })*
        }
    };
}

/// Where a scene's store is.
enum Place {
    File(PathBuf),
    Database(Database),
}

/// A store, its clock, its place.
pub struct Scene {
    pub folder: TempDir,
    pub clock: Arc<ManualClock>,
    pub store: Arc<SqlStore>,
    place: Place,
}

impl Scene {
    pub async fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = match backend {
            Backend::Sqlite => Place::File(folder.path().join("k.db")),
            Backend::Postgres => Place::Database(postgres::store().await),
        };
        let clock = Arc::new(ManualClock::at(START));
        let store = open(&place.url(), clock.clone(), Access::Create).await;
        Self { folder, clock, store, place }
    }

    /// Another instance on the same place and clock, as another process would have it.
    pub async fn another(&self) -> Arc<SqlStore> {
        open(&self.url(), self.clock.clone(), Access::Write).await
    }

    pub fn url(&self) -> String {
        self.place.url()
    }

    /// The file of a store on SQLite.
    pub fn path(&self) -> PathBuf {
        match &self.place {
            Place::File(path) => path.clone(),
            Place::Database(_) => panic!("not a file"),
        }
    }

    /// What is written differently: `sqlite` on SQLite, `postgres` on PostgreSQL.
    pub fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        match self.place {
            Place::File(_) => sqlite,
            Place::Database(_) => postgres,
        }
    }

    /// A time of a document's row.
    pub fn at(&self, micros: i64) -> String {
        match self.place {
            Place::File(_) => micros.to_string(),
            Place::Database(_) => format!("quarterdeck.stamp({micros})"),
        }
    }

    /// What only a test does, past the store.
    pub async fn sql(&self, sql: &str) {
        match &self.place {
            Place::File(path) => {
                let mut conn = raw(path).await;
                sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
            }
            Place::Database(database) => {
                database.script(sql).await;
            }
        }
    }

    pub async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT CAST(({sql}) AS BIGINT)"));
        match &self.place {
            Place::File(path) => sqlx::query_scalar(sql).fetch_one(&mut raw(path).await).await.unwrap(),
            Place::Database(database) => {
                sqlx::query_scalar(sql).fetch_one(&mut database.connect().await).await.unwrap()
            }
        }
    }

    pub async fn add(&self, account: i64, url: &str) -> DocumentId {
        match self.store.add(&[new(account, url)]).await.unwrap()[..] {
            [Added::New(id)] => id,
            ref other => panic!("{other:?}"),
        }
    }

    pub async fn ask(&self, documents: &[DocumentId], class: QueueClass) -> Vec<Answer> {
        let answers = self.store.request(documents, &request(class)).await.unwrap();
        answers.into_iter().map(|answered| answered.answer).collect()
    }

    /// Adds a document, asks for its sync, and claims it.
    pub async fn running(&self, url: &str) -> (DocumentId, Claimed) {
        let id = self.add(1, url).await;
        self.ask(&[id], QueueClass::Manual).await;
        let claimed = self.claim(64).await;
        (id, claimed.into_iter().find(|claimed| claimed.document_id == id).unwrap())
    }

    pub async fn claim(&self, slots: u32) -> Vec<Claimed> {
        self.store.claim(&worker("w1").id, limits(slots)).await.unwrap()
    }

    pub async fn finish(&self, claimed: &Claimed, end: AttemptEnd) -> Finished {
        let finish = Finish { held: claimed.held, end, took: Duration::from_millis(120) };
        self.store.finish(finish, &RetryPolicy::default()).await.unwrap()
    }

    pub async fn row(&self, id: DocumentId) -> quarterdeck::domain::document::DocumentRow {
        self.store.find(&Named::Id(id)).await.unwrap().remove(0)
    }

    pub async fn outcomes(&self) -> Vec<Outcome> {
        outcomes_after(&*self.store, Seq::START).await
    }

    pub async fn results(&self) -> Vec<OutcomeResult> {
        self.outcomes().await.iter().map(|outcome| outcome.result).collect()
    }
}

impl Place {
    fn url(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Database(database) => database.url.clone(),
        }
    }
}

async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5)).connect().await.unwrap()
}

pub async fn open(url: &str, clock: Arc<ManualClock>, access: Access) -> Arc<SqlStore> {
    SqlStore::open(url, Options { clock, ..Options::new(access) }).await.unwrap()
}

pub async fn outcomes_after(store: &dyn Store, seq: Seq) -> Vec<Outcome> {
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
    Request { verb: Verb::Sync, class, by: "ana".into(), scope: Scope::Named }
}

pub fn worker(id: &str) -> WorkerInfo {
    WorkerInfo { id: WorkerId(id.into()), name: format!("host:{id}").as_str().into(), capacity: 8 }
}

pub fn limits(slots: u32) -> ClaimLimits {
    ClaimLimits { slots, lease: LEASE, per_host: 1_000, per_account: None }
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
