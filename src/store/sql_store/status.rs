//! The interface for the upkeep of stored statuses, [`StatusStore`], on an SQL database.

use super::SqlStore;
use crate::store::queue::{shadow, status, words};
use crate::store::{CheckScope, Result, StatusCheck, StatusStore};
use async_trait::async_trait;

#[async_trait]
impl StatusStore for SqlStore {
    async fn expire_statuses(&self) -> Result<u64> {
        status::expire(&self.db).await
    }

    async fn read_shadows(&self) -> Result<u64> {
        shadow::pass(&self.db).await
    }

    async fn check_statuses(&self, scope: CheckScope) -> Result<StatusCheck> {
        status::check(&self.db, scope).await
    }

    async fn rebuild_statuses(&self) -> Result<()> {
        status::rebuild(&self.db).await?;
        words::rebuild(&self.db).await
    }
}
