//! The interface for retention, [`RetentionStore`], on an SQL database.

use super::SqlStore;
use crate::domain::retention::Retention;
use crate::store::{Result, RetentionStep, RetentionStore, retention};
use async_trait::async_trait;

#[async_trait]
impl RetentionStore for SqlStore {
    async fn remove_old(&self, keep: &Retention, holder: &str) -> Result<RetentionStep> {
        retention::step(&self.db, &self.removal, keep, holder).await
    }
}
