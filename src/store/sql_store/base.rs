//! The parts of the store that several users share, [`StoreBase`] and [`CommitSignals`], on an SQL database.

use super::SqlStore;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::topic::TopicSet;
use crate::store::queries::counts;
use crate::store::{Changes, CommitSignals, QueueState, Result, SchemaMismatch, StoreBase};
use async_trait::async_trait;
use tokio::sync::watch;

#[async_trait]
impl StoreBase for SqlStore {
    fn label(&self) -> SafeLine {
        self.db.label()
    }

    fn now(&self) -> Timestamp {
        self.db.now()
    }

    fn is_chatwoot_database(&self) -> bool {
        self.db.is_chatwoot_database()
    }

    fn changes(&self) -> Changes {
        self.db.changes()
    }

    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>> {
        self.db.schema_mismatch()
    }

    async fn queue(&self) -> Result<QueueState> {
        counts::queue(&self.db).await
    }

    async fn quiesce(&self) -> Box<dyn Send> {
        self.db.quiesce().await
    }
}

impl CommitSignals for SqlStore {
    fn commits(&self) -> Changes {
        self.db.commits()
    }

    fn notify_remote_commit(&self, topics: TopicSet) {
        self.db.notify_remote_commit(topics);
    }
}
