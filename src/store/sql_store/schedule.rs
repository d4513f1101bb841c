//! The interface of the schedule, [`ScheduleStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::DocumentId;
use crate::domain::schedule::ScheduleSettings;
use crate::store::samples;
use crate::store::schedule::{pass, plans};
use crate::store::{PassRequest, PassResult, Plans, Result, ScheduleStore};
use async_trait::async_trait;

#[async_trait]
impl ScheduleStore for SqlStore {
    async fn plans(&self, terms: &ScheduleSettings) -> Result<Plans> {
        plans::read(&self.db, terms).await
    }

    async fn schedule(&self, order: &PassRequest<'_>) -> Result<PassResult> {
        pass::run(&self.db, &self.idle_accounts, order).await
    }

    async fn take_sample(&self, holder: &str) -> Result<bool> {
        samples::take(&self.db, holder).await
    }

    async fn due_documents(&self, order: &PassRequest<'_>) -> Result<Vec<DocumentId>> {
        pass::due_documents(&self.db, &self.idle_accounts, order).await
    }
}
