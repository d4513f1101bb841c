//! The interface to the outbox, for the runner, `doctor` and everyone who opens a store for writing.

use crate::domain::id::OutboxId;
use crate::domain::outbox::{PendingDelivery, Subscriber, SubscriberStatus};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::sync::Arc;

/// Messages to subscribers (receivers of outcomes outside the store). Each is written in the transaction of its outcome
/// and removed once it is delivered.
#[async_trait]
pub trait OutboxStore: StoreBase {
    /// Offers the outcomes that this process records from now on to `subscriber`; replaces a subscriber with the same
    /// name.
    fn subscribe(&self, subscriber: Arc<dyn Subscriber>);

    /// Stops offering outcomes to the subscriber with this name; messages that are already written stay.
    fn unsubscribe(&self, name: &str);

    /// Returns at most `limit` due messages of a subscriber, earliest due time first; none of a sink that is disabled.
    async fn due_deliveries(&self, subscriber: &str, limit: u32) -> Result<Vec<PendingDelivery>>;

    /// Does the same as [`due_deliveries`](Self::due_deliveries) for a sink whose records are joined: without those that
    /// still wait for that.
    async fn joined_deliveries(&self, subscriber: &str, limit: u32) -> Result<Vec<PendingDelivery>>;

    /// Counts an attempt and leases the message until `leased_until`, so that no other process delivers it. Returns
    /// false if another process has begun to deliver the message or removed it since `pending` was read. The caller
    /// must not deliver the message then.
    async fn begin_delivery(&self, pending: &PendingDelivery, leased_until: Timestamp) -> Result<bool>;

    /// Removes a message that was delivered. With `verify_at`, keeps it until [`verified`](Self::verified); it is no
    /// pending message any more.
    async fn delivered(&self, id: OutboxId, verify_at: Option<Timestamp>) -> Result<()>;

    /// Gives a message up: it is listed, and delivered only if a person asks for it.
    async fn give_up_delivery(&self, id: OutboxId, reason: &SafeLine) -> Result<()>;

    /// Returns at most `limit` messages of a subscriber that were delivered and not verified, with ids above `after`;
    /// with `due_only`, those whose time has come.
    async fn unverified_deliveries(
        &self,
        subscriber: &str,
        due_only: bool,
        after: OutboxId,
        limit: u32,
    ) -> Result<Vec<PendingDelivery>>;

    /// Removes delivered messages that the receiver has.
    async fn verified(&self, ids: &[OutboxId]) -> Result<()>;

    /// Makes delivered messages that the receiver has lost pending again, and due.
    async fn lost(&self, subscriber: &str, ids: &[OutboxId]) -> Result<()>;

    /// Stores the reason why a delivery failed, and the time of the next attempt to deliver the message.
    async fn delivery_failed(&self, id: OutboxId, reason: &SafeLine, next_at: Timestamp) -> Result<()>;

    /// Returns figures of the pending messages by subscriber, sorted by name; subscribers without messages are left
    /// out.
    async fn pending_deliveries(&self) -> Result<Vec<SubscriberStatus>>;
}
