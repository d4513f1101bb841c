//! The transactional outbox: subscribers, the messages that they make of recorded outcomes, and their delivery.
//!
//! The store offers every outcome to every [`Subscriber`] in the transaction that records it, and keeps each message as
//! a row of the same transaction. Later a relay hands the rows to the subscriber's receiver ([`Deliver`]) at least once,
//! and removes those that arrived. Nothing here delivers anything: the implementations do.

use super::id::OutboxId;
use super::outcome::Outcome;
use super::text::{SafeLine, cut_chars};
use super::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Time for which a process that delivers a message keeps the others from it, unless the subscriber says otherwise.
const LEASE: Duration = Duration::from_secs(60);
/// Longest reason of a failed delivery that is kept, in characters.
const MAX_REASON_CHARS: usize = 300;

/// A recorded outcome, as the store offers it to subscribers within the transaction that records it.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeEvent<'a> {
    /// The outcome, with its number.
    pub outcome: &'a Outcome,
    /// The stored text was replaced by another one that is not empty. A page that was only converted anew is no change.
    pub text_changed: bool,
    /// Random id of this event, 32 hexadecimal digits.
    pub id: &'a str,
}

/// Message that a subscriber makes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Idempotency key, unique among the messages of the subscriber: a second message with it is not stored, and the
    /// receiver can tell a repeated delivery by it.
    pub key: String,
    /// Content, in the subscriber's own form.
    pub payload: String,
}

/// A message that has not arrived yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDelivery {
    /// Row of the outbox.
    pub id: OutboxId,
    /// Idempotency key.
    pub key: String,
    /// Content, as the subscriber made it.
    pub payload: String,
    /// Time of the event, UTC.
    pub created_at: Timestamp,
    /// Deliveries that were begun before.
    pub attempts: u32,
}

/// Pending messages of one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberStatus {
    /// Name of the subscriber, as stored: the settings of this process need not know it.
    pub subscriber: SafeLine,
    /// Messages that have not arrived.
    pub pending: u64,
    /// Time of the oldest of their events, UTC.
    pub oldest_at: Timestamp,
    /// Reason of the latest failed delivery.
    pub last_error: Option<SafeLine>,
}

/// The pure half of a subscriber: its messages.
pub trait Subscriber: Send + Sync + 'static {
    /// Name in the store. It is never changed: rows that wait under another name are not delivered.
    fn name(&self) -> &str;

    /// Returns the message for an event; `None` for an event that the subscriber does not want, which costs no row. Called
    /// in a write transaction, so it must be quick.
    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage>;
}

/// State of the receiver of a subscriber's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverState {
    /// Deliveries can be tried.
    Ready,
    /// The receiver does not answer at the moment; messages wait for it.
    Unreachable,
    /// There is no such receiver: as long as there is none, no messages are made.
    Absent,
}

/// Reason why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeliveryError {
    /// The receiver accepts no message at all now. The relay pauses, and the message stays due.
    #[error("{0}")]
    Unavailable(SafeLine),
    /// The receiver did not accept this message. It is tried again after its back-off, the others go on.
    #[error("{0}")]
    Refused(SafeLine),
}

impl DeliveryError {
    /// The receiver does not answer, for a reason that may be untrusted text.
    pub fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable(short_reason(&reason.to_string()))
    }

    /// The receiver did not accept the message, for a reason that may be untrusted text.
    pub fn refused(reason: impl ToString) -> Self {
        Self::Refused(short_reason(&reason.to_string()))
    }
}

/// Makes the reason of a failed delivery safe to print and short enough to keep.
pub fn short_reason(reason: &str) -> SafeLine {
    SafeLine::new(cut_chars(&SafeLine::new(reason), MAX_REASON_CHARS).0)
}

/// The other half of a subscriber: the delivery of its messages.
///
/// Each subscriber has a relay of its own in each runner, so that a slow one holds up no other.
#[async_trait]
pub trait Deliver: Subscriber {
    /// Waits until it is worth asking for the [`receiver`](Self::receiver). Cancel safe.
    async fn reachable(&self) {}

    /// Returns the state of the receiver, at once or after one question to it.
    async fn receiver(&self) -> ReceiverState {
        ReceiverState::Ready
    }

    /// Returns the time for which no other process tries a message whose delivery has begun. It must be longer than a
    /// delivery may take, unless the receiver ignores a key that it has seen: then zero lets the next process take over
    /// from a dead one at once.
    fn lease(&self) -> Duration {
        LEASE
    }

    /// Delivers a message at `now`, the store's time in UTC. A process that dies meanwhile delivers it once more.
    async fn deliver(&self, message: &PendingDelivery, now: Timestamp) -> Result<(), DeliveryError>;
}

/// The subscribers to which a store offers its outcomes.
pub type Subscribers = Arc<[Arc<dyn Subscriber>]>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line_without_control_characters() {
        let DeliveryError::Refused(reason) = DeliveryError::refused(format!("no\u{1b}[31m\r\nway {}", "x".repeat(999)))
        else {
            panic!("refused")
        };
        assert!(reason.starts_with("no way xxx"), "{reason}");
        assert_eq!(reason.chars().count(), MAX_REASON_CHARS);
    }
}
