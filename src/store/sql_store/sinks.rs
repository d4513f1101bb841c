//! The interface of sinks, [`SinkStore`], on an SQL database.

use super::SqlStore;
use crate::domain::notification::SinkName;
use crate::domain::text::SafeLine;
use crate::store::schedule::conditions;
use crate::store::{Result, SinkRegistration, SinkStore, sinks};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl SinkStore for SqlStore {
    async fn register_sinks(&self, registrations: &[SinkRegistration]) -> Result<()> {
        sinks::register(&self.db, registrations).await
    }

    async fn refresh_sinks(&self) -> Result<()> {
        sinks::refresh(&self.db).await
    }

    async fn disable_sink(&self, subscriber: &str, reason: &SafeLine) -> Result<()> {
        sinks::disable(&self.db, subscriber, reason).await
    }

    async fn retry_sink(&self, name: &SinkName) -> Result<Option<u64>> {
        sinks::retry(&self.db, name).await
    }

    async fn forget_sink(&self, name: &SinkName, registration: bool) -> Result<Option<u64>> {
        sinks::forget(&self.db, name, registration).await
    }

    async fn join_records(&self, name: &SinkName, quiet: Duration) -> Result<()> {
        sinks::join(&self.db, name, quiet).await
    }

    async fn check_conditions(&self, holder: &str) -> Result<u64> {
        conditions::check(&self.db, holder).await
    }
}
