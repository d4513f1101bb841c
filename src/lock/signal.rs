//! Publish and subscribe on one channel per store: hints that something was committed, and the steps of running
//! attempts. Each process sends at most one message every 20 ms. Without a message, other processes notice the commit
//! later, since every process polls the store too, and do not show the step.

use super::address::RedisAddress;
use super::{AddressError, ConnectionState, Redis, Settings, locked};
use crate::domain::document::SyncStep;
use crate::domain::id::DocumentId;
use crate::domain::lock::StoreId;
use crate::domain::topic::TopicSet;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};

/// Shortest time between two messages of a process; notifications in between are combined into one message.
const MIN_PUBLISH_INTERVAL: Duration = Duration::from_millis(20);
/// Wait between the loss of a subscription and the next attempt to subscribe.
const RESUBSCRIBE_WAIT: Duration = Duration::from_millis(250);
/// Maximum number of documents with a step in one message; steps of further documents are dropped.
const MAX_STEPS: usize = 500;

/// Notification from one process to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notification {
    /// Data of these topics was changed by a commit, so the receiver must read it.
    Committed(TopicSet),
    /// A running attempt reached a step.
    Step(DocumentId, SyncStep),
    Ended(DocumentId),
}

/// Notifications that wait to be published.
pub(super) struct PublishQueue {
    /// Random id of this process, by which the process skips its own messages.
    process: String,
    pending: Mutex<PendingNotifications>,
    filled: Notify,
}

#[derive(Default)]
struct PendingNotifications {
    /// Topics of commits.
    committed: TopicSet,
    /// Latest step of each document; `None` means that the attempt has ended.
    steps: BTreeMap<DocumentId, Option<SyncStep>>,
}

impl PendingNotifications {
    fn note(&mut self, document: DocumentId, step: Option<SyncStep>) {
        if self.steps.len() < MAX_STEPS || self.steps.contains_key(&document) {
            self.steps.insert(document, step);
        }
    }
}

impl Default for PublishQueue {
    fn default() -> Self {
        Self { process: uuid::Uuid::new_v4().to_string(), pending: Mutex::default(), filled: Notify::new() }
    }
}

impl Redis {
    /// Publishes a notification to the other processes of this store within 20 ms. Returns at once; while Redis is
    /// unavailable, notifications are dropped.
    pub fn publish(&self, notification: Notification) {
        {
            let mut waiting = locked(&self.publish_queue.pending);
            match notification {
                Notification::Committed(topics) => waiting.committed |= topics,
                Notification::Step(document, step) => waiting.note(document, Some(step)),
                Notification::Ended(document) => waiting.note(document, None),
            }
        }
        self.publish_queue.filled.notify_one();
    }

    /// Subscribes to the notifications of other processes. After each (re)connection the receiver gets one
    /// [`Notification::Committed`] of all topics, since earlier ones may be lost. A receiver that lags must read the store.
    pub fn notifications(&self) -> broadcast::Receiver<Notification> {
        self.notifications.subscribe()
    }
}

fn channel(store: &StoreId) -> String {
    format!("quarterdeck:{store}")
}

/// Publishes once that something was committed in `store`, for a command that makes a request and exits. Waits for at
/// most [`Settings::call_timeout`]. Fails only for an invalid address. An unavailable Redis is not an error: the other
/// processes poll the store too.
pub async fn announce(settings: &Settings, store: &StoreId) -> Result<(), AddressError> {
    let Some(address) = RedisAddress::parse(settings)? else { return Ok(()) };
    let publishing = async {
        let mut open = address.client().await?.get_multiplexed_async_connection().await?;
        let committed = PendingNotifications { committed: TopicSet::ALL, ..PendingNotifications::default() };
        let message = encode(&uuid::Uuid::new_v4().to_string(), &committed);
        redis::cmd("PUBLISH").arg(channel(store)).arg(message).query_async::<redis::Value>(&mut open).await
    };
    let _ = timeout(settings.call_timeout, publishing).await;
    Ok(())
}

/// Publishes waiting notifications until this task is cancelled.
pub(super) async fn publish(redis: Arc<Redis>) {
    loop {
        redis.publish_queue.filled.notified().await;
        let waiting = std::mem::take(&mut *locked(&redis.publish_queue.pending));
        if redis.is_connected() {
            let message = encode(&redis.publish_queue.process, &waiting);
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(channel(&redis.store)).arg(message);
            if let Ok((number, mut open)) = redis.opened() {
                // A failure is ignored: the other processes find the change at their next poll of the store.
                let _ = redis.answer(number, publish.query_async::<redis::Value>(&mut open)).await;
            }
        }
        sleep(MIN_PUBLISH_INTERVAL).await;
    }
}

/// Subscribes while Redis is connected, and again after each loss, until this task is cancelled.
pub(super) async fn listen(redis: Arc<Redis>) {
    let mut state = redis.connection_state.subscribe();
    loop {
        if state.wait_for(|state| *state == ConnectionState::Connected).await.is_err() {
            return;
        }
        tokio::select! {
            () = receive(&redis) => {}
            // A subscription does not notice that its server is gone; the connection's `PING` does.
            _ = state.wait_for(|state| *state != ConnectionState::Connected) => {}
        }
        sleep(RESUBSCRIBE_WAIT).await;
    }
}

/// Receives messages until the subscription ends.
async fn receive(redis: &Redis) {
    // The server that this process publishes to.
    let Some(client) = locked(&redis.connection).client.clone() else { return };
    let subscribing = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(channel(&redis.store)).await?;
        redis::RedisResult::Ok(subscription)
    };
    let Ok(Ok(subscription)) = timeout(redis.call, subscribing).await else { return };
    // Earlier messages are lost, so receivers must read the store once.
    let _ = redis.notifications.send(Notification::Committed(TopicSet::ALL));
    let mut messages = subscription.into_on_message();
    while let Some(message) = messages.next().await {
        let text = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
        for notification in decode(&redis.publish_queue.process, &text) {
            // Without a receiver the notification is dropped.
            let _ = redis.notifications.send(notification);
        }
    }
}

/// Encodes a message, such as `a committed jobs outcomes 7=fetching 9=ended` of process `a`: the id of the process,
/// `committed` and the topics if it has committed, and per document id the latest step or `ended`.
fn encode(process: &str, waiting: &PendingNotifications) -> String {
    let mut message = process.to_owned();
    if !waiting.committed.is_empty() {
        let _ = write!(message, " committed{}", waiting.committed);
    }
    for (document, step) in &waiting.steps {
        let _ = write!(message, " {document}={}", step.map_or("ended", SyncStep::word));
    }
    message
}

/// Decodes a message; a message of this process itself contains no notification for it. Unknown parts are skipped, so
/// that versions can differ.
fn decode(own_process: &str, message: &str) -> Vec<Notification> {
    let mut words = message.split(' ');
    if words.next() == Some(own_process) {
        return Vec::new();
    }
    let notification = |word: &str| {
        if word == "committed" {
            return Some(Notification::Committed(TopicSet::from_words(message.split(' '))));
        }
        let (document, step) = word.split_once('=')?;
        let document = DocumentId(document.parse().ok()?);
        if step == "ended" {
            Some(Notification::Ended(document))
        } else {
            Some(Notification::Step(document, SyncStep::parse(step)?))
        }
    };
    words.filter_map(notification).take(MAX_STEPS + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::topic::Topic;

    #[test]
    fn what_is_written_is_read_by_others_alone() {
        let steps = BTreeMap::from([(DocumentId(7), Some(SyncStep::Fetching)), (DocumentId(9), None)]);
        let committed = TopicSet::of(&[Topic::Jobs, Topic::Outcomes]);
        let message = encode("a", &PendingNotifications { committed, steps });
        assert_eq!(message, "a committed jobs outcomes 7=fetching 9=ended");
        let said = [
            Notification::Committed(committed),
            Notification::Step(DocumentId(7), SyncStep::Fetching),
            Notification::Ended(DocumentId(9)),
        ];
        assert_eq!(decode("b", &message), said);
        assert_eq!(decode("a", &message), []);
        let of_another_version = "x 7=dancing y=fetching later committed";
        assert_eq!(decode("b", of_another_version), [Notification::Committed(TopicSet::ALL)]);
    }
}
