//! The interface to the outbox, [`OutboxStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::OutboxId;
use crate::domain::outbox::{PendingDelivery, Subscriber, SubscriberStatus};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{OutboxStore, Result, outbox};
use async_trait::async_trait;
use std::sync::Arc;

#[async_trait]
impl OutboxStore for SqlStore {
    fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        self.db.subscribe(subscriber);
    }

    fn unsubscribe(&self, name: &str) {
        self.db.unsubscribe_if(|other| other == name);
    }

    async fn due_deliveries(&self, subscriber: &str, limit: u32) -> Result<Vec<PendingDelivery>> {
        outbox::due(&self.db, subscriber, 0, limit).await
    }

    async fn joined_deliveries(&self, subscriber: &str, limit: u32) -> Result<Vec<PendingDelivery>> {
        outbox::due(&self.db, subscriber, 1, limit).await
    }

    async fn begin_delivery(&self, pending: &PendingDelivery, leased_until: Timestamp) -> Result<bool> {
        outbox::begin(&self.db, pending, leased_until).await
    }

    async fn delivered(&self, id: OutboxId, verify_at: Option<Timestamp>) -> Result<()> {
        outbox::delivered(&self.db, id, verify_at).await
    }

    async fn give_up_delivery(&self, id: OutboxId, reason: &SafeLine) -> Result<()> {
        outbox::give_up(&self.db, id, reason).await
    }

    async fn unverified_deliveries(
        &self,
        subscriber: &str,
        due_only: bool,
        after: OutboxId,
        limit: u32,
    ) -> Result<Vec<PendingDelivery>> {
        outbox::unverified(&self.db, subscriber, due_only, after, limit).await
    }

    async fn verified(&self, ids: &[OutboxId]) -> Result<()> {
        outbox::verified(&self.db, ids).await
    }

    async fn lost(&self, subscriber: &str, ids: &[OutboxId]) -> Result<()> {
        outbox::lost(&self.db, subscriber, ids).await
    }

    async fn delivery_failed(&self, id: OutboxId, reason: &SafeLine, next_at: Timestamp) -> Result<()> {
        outbox::failed(&self.db, id, reason, next_at).await
    }

    async fn pending_deliveries(&self) -> Result<Vec<SubscriberStatus>> {
        outbox::status(&self.db).await
    }
}
