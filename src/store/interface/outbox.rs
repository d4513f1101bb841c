//! The outbox as the runner, `doctor` and whoever opens a store use it.

use crate::domain::id::OutboxId;
use crate::domain::outbox::{PendingDelivery, Subscriber, SubscriberStatus};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::sync::Arc;

/// Messages to subscribers: each is written in the transaction of its outcome and removed once it is delivered.
#[async_trait]
pub trait OutboxStore: StoreBase {
    /// Offers the outcomes that this process records from now on to `subscriber`, in place of one with the same name.
    fn subscribe(&self, subscriber: Arc<dyn Subscriber>);

    /// Ends that; messages that were written stay.
    fn unsubscribe(&self, name: &str);

    /// Returns the first messages of a subscriber whose time has come, those that have waited longest first.
    async fn due_deliveries(&self, subscriber: &str, limit: u32) -> Result<Vec<PendingDelivery>>;

    /// Counts an attempt and keeps other processes from the message until `leased_until`. False when another process has
    /// begun or removed it since it was read: then it must not be delivered.
    async fn begin_delivery(&self, pending: &PendingDelivery, leased_until: Timestamp) -> Result<bool>;

    /// Removes a message that has arrived.
    async fn delivered(&self, id: OutboxId) -> Result<()>;

    /// Keeps the reason why a delivery failed, and the time of the next one.
    async fn delivery_failed(&self, id: OutboxId, reason: &SafeLine, next_at: Timestamp) -> Result<()>;

    /// Returns the pending messages by subscriber, in the order of their names; a subscriber without any is not listed.
    async fn pending_deliveries(&self) -> Result<Vec<SubscriberStatus>>;
}
