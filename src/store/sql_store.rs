//! The store on an SQL database: the database and the state that this process keeps in memory. Each interface is
//! implemented in a separate file.

mod base;
mod batches;
mod chatwoot;
mod documents;
mod figures;
mod jobs;
mod outbox;
mod queries;
mod retention;
mod schedule;
mod sinks;
mod sources;
mod status;
mod templates;
mod texts;

use super::attempts::finish::{self, Finishing};
use super::attempts::group_commit::{Gatherer, GroupCommit, OpenAttempts};
use super::attempts::liveness::Liveness;
use super::attempts::mark;
use super::queries::counts;
use super::queue::lanes;
use super::retention::RemovalState;
use super::schedule::scan::IdleAccounts;
use super::sinks as registered;
use super::sql::database::Database;
use super::{FinishResult, JobLease, MarkResult, Options, Result, Store, UpgradeReport};
use crate::domain::lock::StoreId;
use async_trait::async_trait;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A store in SQLite or PostgreSQL; implements every interface of the store.
pub struct SqlStore {
    pub(super) db: Arc<Database>,
    liveness: Liveness,
    /// Accounts that passes of the schedule need not scan yet.
    idle_accounts: IdleAccounts,
    removal: RemovalState,
    open_attempts: Arc<OpenAttempts>,
    /// True if the last claim found a job, so that the next one probably does, too.
    finds_work: AtomicBool,
    finishes: GroupCommit<Finishing, FinishResult>,
    marks: GroupCommit<JobLease, MarkResult>,
}

impl SqlStore {
    /// Opens the store at `url`; [`open_with`](super::open_with) does the same and returns it as a [`Store`].
    pub async fn open(url: &str, options: Options) -> Result<Arc<Self>> {
        let db = Database::open(url, options).await?;
        let (finishes, pending_finishes) = GroupCommit::new();
        let (marks, pending_marks) = GroupCommit::new();
        let open_attempts = Arc::new(OpenAttempts::default());
        if !db.is_read_only() {
            lanes::rederive(&db).await?;
            registered::refresh(&db).await?;
            let finishing = Gatherer::new(pending_finishes, Some(Arc::clone(&open_attempts)));
            // Not every attempt marks its document, so the number of marks to come is not known.
            let marking = Gatherer::new(pending_marks, None);
            db.tasks.spawn(finish::write_groups(Arc::downgrade(&db), finishing));
            db.tasks.spawn(mark::write_groups(Arc::downgrade(&db), marking));
        }
        db.watch();
        Ok(Arc::new(Self {
            db,
            liveness: Liveness::default(),
            idle_accounts: IdleAccounts::default(),
            removal: RemovalState::default(),
            open_attempts,
            finds_work: AtomicBool::default(),
            finishes,
            marks,
        }))
    }

    /// Recomputes all lanes (see `queue::lanes`) from the jobs and returns the number of surplus and missing rows; a
    /// wrong row counts as both. Opening a store for writing does this, too; a caller may repeat it if the lanes may be
    /// wrong.
    pub async fn rederive_lanes(&self) -> Result<u64> {
        lanes::rederive(&self.db).await
    }
}

#[async_trait]
impl Store for SqlStore {
    async fn id(&self) -> Result<StoreId> {
        counts::store_id(&self.db).await
    }

    fn upgraded(&self) -> Option<UpgradeReport> {
        self.db.upgraded()
    }

    async fn close(&self) {
        self.db.stop_watching();
        // The tasks that write groups end once everything that was sent to them is written.
        self.finishes.close().await;
        self.marks.close().await;
        self.db.close().await;
        self.liveness.clear();
    }
}
