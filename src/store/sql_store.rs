//! The store on either SQL database: the database itself, and the state of this process beside it. Each interface has a
//! file of its own here.

mod base;
mod chatwoot;
mod documents;
mod jobs;
mod outbox;
mod queries;
mod schedule;

use super::attempts::finish::{self, Finishing};
use super::attempts::group_commit::GroupCommit;
use super::attempts::liveness::Liveness;
use super::attempts::mark;
use super::queries::counts;
use super::queue::lanes;
use super::schedule::scan::Rests;
use super::sql::database::Database;
use super::{Finished, Held, Marked, Options, Result, Store, Upgraded};
use crate::domain::lock::StoreId;
use async_trait::async_trait;
use std::sync::Arc;

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
    async fn id(&self) -> Result<StoreId> {
        counts::store_id(&self.db).await
    }

    fn upgraded(&self) -> Option<Upgraded> {
        self.db.upgraded()
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
