//! Transactional outbox: subscribers, the messages that they make of recorded outcomes, and the delivery of the
//! messages.
//!
//! The store offers every outcome to every [`Subscriber`] in the transaction that records it, and inserts each message
//! as a row in the same transaction. Later a relay passes the rows to the subscriber's receiver ([`Deliver`]) at least
//! once, and deletes those that were delivered. This module has the types and traits; `lock` implements the delivery to
//! Chatwoot's FAQ jobs.

use super::backoff::Backoff;
use super::id::OutboxId;
use super::outcome::Outcome;
use super::text::{SafeLine, cut_chars};
use super::time::Timestamp;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// End of the subscriber's name under which the store keeps messages whose delivery is still to be verified.
pub const DELIVERED_SUFFIX: &str = ":delivered";
/// End of the subscriber's name under which the store keeps messages that were given up.
pub const DEAD_SUFFIX: &str = ":dead";
/// Default lease of a delivery: the time for which no other process delivers the message.
const DEFAULT_LEASE: Duration = Duration::from_secs(60);
/// Maximum length of the stored reason of a failed delivery, in characters.
const MAX_REASON_CHARS: usize = 300;

/// Recorded outcome, as the store offers it to subscribers within the transaction that records it.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeEvent<'a> {
    /// The outcome, including its sequence number.
    pub outcome: &'a Outcome,
    /// True if the stored text is now another one than before, including a first text. A page that was only reconverted
    /// does not count.
    pub text_changed: bool,
    /// Random id of this event, 32 hexadecimal digits.
    pub id: &'a str,
}

/// Message that a subscriber makes of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Idempotency key, unique among the messages of the subscriber: the store ignores a second message with the same
    /// key, and the receiver recognises a repeated delivery by it.
    pub key: String,
    /// Content, in the subscriber's own format.
    pub payload: String,
}

/// Message that has not been delivered yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDelivery {
    pub id: OutboxId,
    /// Idempotency key, see [`OutboxMessage::key`].
    pub key: String,
    /// Content, as the subscriber made it.
    pub payload: String,
    /// Time of the event, UTC.
    pub created_at: Timestamp,
    /// Number of deliveries of this message that were started before this one.
    pub attempts: u32,
    /// Time of the first delivery, UTC; `None` before it.
    pub tried_at: Option<Timestamp>,
}

/// Backlog of one subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriberStatus {
    /// Name of the subscriber, as stored. The settings of this process may lack this subscriber.
    pub subscriber: SafeLine,
    /// Number of messages that have not been delivered.
    pub pending: u64,
    /// Time of the oldest pending event, UTC.
    pub oldest_at: Timestamp,
    /// Reason of the last failed delivery; `None` if none failed.
    pub last_error: Option<SafeLine>,
}

/// The pure half of a subscriber: turns outcomes into messages.
pub trait Subscriber: Send + Sync + 'static {
    /// Returns the name in the store. It must never change: messages that are pending under another name are not
    /// delivered.
    fn name(&self) -> &str;

    /// Returns the message for an event, or `None` if the subscriber ignores the event, which then costs no row. The
    /// store calls this within a write transaction, so this method must be quick.
    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage>;

    /// Returns true if the subscriber reads [`OutcomeEvent::text_changed`], for which texts have to be compared.
    fn compares_texts(&self) -> bool {
        true
    }
}

/// State of the receiver of a subscriber's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverState {
    /// Deliveries can be attempted.
    Ready,
    /// The receiver does not respond at the moment; messages stay pending.
    Unreachable,
    /// The receiver does not exist. A process that runs jobs makes no messages for it until it does.
    Absent,
}

/// Reason why a message was not delivered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeliveryError {
    /// The receiver accepts no message at all now. The relay pauses, and the message stays due.
    #[error("{0}")]
    Unavailable(SafeLine),
    /// The receiver did not accept this message. It is retried after its back-off; the other messages are delivered
    /// meanwhile.
    #[error("{0}")]
    Refused(SafeLine),
    /// The receiver wants no message any more. A sink is disabled then.
    #[error("{0}")]
    Gone(SafeLine),
}

impl DeliveryError {
    /// Creates the error for a receiver that does not respond. The reason may be untrusted text: it is made safe and
    /// cut.
    pub fn unavailable(reason: impl ToString) -> Self {
        Self::Unavailable(short_reason(&reason.to_string()))
    }

    /// Creates the error for a message that the receiver did not accept. The reason may be untrusted text: it is made
    /// safe and cut.
    pub fn refused(reason: impl ToString) -> Self {
        Self::Refused(short_reason(&reason.to_string()))
    }

    /// Creates the error for a receiver that wants nothing any more. The reason may be untrusted text: it is made safe and
    /// cut.
    pub fn gone(reason: impl ToString) -> Self {
        Self::Gone(short_reason(&reason.to_string()))
    }
}

/// Makes the reason of a failed delivery safe to print, and cuts it to 300 characters.
pub fn short_reason(reason: &str) -> SafeLine {
    SafeLine::new(cut_chars(&SafeLine::new(reason), MAX_REASON_CHARS).0)
}

/// The delivering half of a subscriber.
///
/// Each runner has one relay per subscriber, so a slow receiver does not delay the other subscribers.
#[async_trait]
pub trait Deliver: Subscriber {
    /// Waits until a call of [`receiver_state`](Self::receiver_state) is worthwhile; by default not at all. Cancel
    /// safe.
    async fn wait_reachable(&self) {}

    /// Returns the state of the receiver, immediately or after one request to it.
    async fn receiver_state(&self) -> ReceiverState {
        ReceiverState::Ready
    }

    /// Returns the time for which no other process delivers a message whose delivery has started. It must be longer
    /// than a delivery may take. It may be zero if the receiver ignores a key that it has received before; then another
    /// process takes over from a dead one immediately.
    fn lease(&self) -> Duration {
        DEFAULT_LEASE
    }

    /// Returns the pauses after deliveries that found the receiver unavailable.
    fn backoff(&self) -> Backoff {
        Backoff::of_claims()
    }

    /// Returns true if the store knows the subscriber by its registration, so that it gets messages in every process.
    fn is_registered(&self) -> bool {
        false
    }

    /// Returns the shortest time between two deliveries. Messages that come meanwhile are joined.
    fn quiet(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns the time after its first delivery from which on a message that fails is given up; `None`, the default, for
    /// never.
    fn gives_up_after(&self) -> Option<Duration> {
        None
    }

    /// Returns how long after a delivery it is verified that the receiver still has the message. `None`, the default,
    /// means that a receiver loses nothing that it has accepted; the message is removed at once then.
    fn verified_after(&self) -> Option<Duration> {
        None
    }

    /// Returns a number that changes when the receiver may have lost its last messages. All that were not verified yet
    /// are then verified at once.
    fn receiver_epoch(&self) -> u64 {
        0
    }

    /// Returns for each key whether the receiver has the message. One that it lacks is delivered once more.
    async fn has_received(&self, keys: &[String]) -> Result<Vec<bool>, DeliveryError> {
        Ok(vec![true; keys.len()])
    }

    /// Delivers a message; `now` is the store's time, UTC. If the process dies before it can record the delivery,
    /// another process delivers the message once more.
    async fn deliver(&self, message: &PendingDelivery, now: Timestamp) -> Result<(), DeliveryError>;
}

/// Subscribers to which a store offers its outcomes.
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
