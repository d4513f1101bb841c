//! A channel per store: "look now" after commits, and the steps of running attempts. At most one message every 20 ms and
//! process, whatever happens; a message that is lost costs latency alone.

use super::address::Address;
use super::{AddressError, CALL, Reach, Redis, Settings, own};
use crate::domain::document::SyncStep;
use crate::domain::id::DocumentId;
use crate::domain::lock::StoreId;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::broadcast;
use tokio::time::{sleep, timeout};

/// The least time between two messages.
const COALESCED: Duration = Duration::from_millis(20);
/// The pause before a lost subscription is made again.
const RESUBSCRIBE_WAIT: Duration = Duration::from_millis(250);
/// Steps in one message.
const STEPS: usize = 500;

/// Message from one process to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Something was committed: look at the store.
    Committed,
    /// A running attempt came to a step.
    Step(DocumentId, SyncStep),
    /// An attempt is over.
    Ended(DocumentId),
}

/// Messages that wait to be published.
pub(super) struct Outbox {
    /// Tells our own messages from those of others.
    process: String,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

#[derive(Default)]
struct Waiting {
    committed: bool,
    /// The last step of each document; `None` is the end.
    steps: BTreeMap<DocumentId, Option<SyncStep>>,
}

impl Default for Outbox {
    fn default() -> Self {
        Self { process: uuid::Uuid::new_v4().to_string(), waiting: Mutex::default(), filled: Notify::new() }
    }
}

impl Redis {
    /// Tells the other processes of this store, soon. Never waits; nothing is told while Redis is away.
    pub fn tell(&self, news: News) {
        {
            let mut waiting = own(&self.outbox.waiting);
            let (document, step) = match news {
                News::Committed => (None, None),
                News::Step(document, step) => (Some(document), Some(step)),
                News::Ended(document) => (Some(document), None),
            };
            match document {
                None => waiting.committed = true,
                Some(document) if waiting.steps.len() < STEPS || waiting.steps.contains_key(&document) => {
                    waiting.steps.insert(document, step);
                }
                Some(_) => {}
            }
        }
        self.outbox.filled.notify_one();
    }

    /// Subscribes to the messages of other processes. A receiver that lags must read the store.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }
}

fn channel(store: &StoreId) -> String {
    format!("quarterdeck:{store}")
}

/// Tells the processes of `store` once that something was committed: for a process that only asks and goes. Waits a
/// second at most; a Redis that is away is no error, they look by themselves, and so they do without one.
pub async fn announce(settings: &Settings, store: &StoreId) -> Result<(), AddressError> {
    let Some(url) = settings.used_url() else { return Ok(()) };
    let address = Address::parse(url, &settings.key)?;
    let telling = async {
        let mut open = address.client().get_multiplexed_async_connection().await?;
        let committed = Waiting { committed: true, ..Waiting::default() };
        let message = written(&uuid::Uuid::new_v4().to_string(), &committed);
        redis::cmd("PUBLISH").arg(channel(store)).arg(message).query_async::<redis::Value>(&mut open).await
    };
    let _ = timeout(CALL, telling).await;
    Ok(())
}

pub(super) async fn publish(redis: Arc<Redis>) {
    loop {
        redis.outbox.filled.notified().await;
        let waiting = std::mem::take(&mut *own(&redis.outbox.waiting));
        if redis.is_reached() {
            let message = written(&redis.outbox.process, &waiting);
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(channel(&redis.store)).arg(message);
            if let Ok((number, mut open)) = redis.opened() {
                // The store is the truth: what is not told is found at the next look.
                let _ = redis.answer(number, publish.query_async::<redis::Value>(&mut open)).await;
            }
        }
        sleep(COALESCED).await;
    }
}

pub(super) async fn listen(redis: Arc<Redis>) {
    let mut reach = redis.reach.subscribe();
    loop {
        if reach.wait_for(|reach| *reach == Reach::Reached).await.is_err() {
            return;
        }
        tokio::select! {
            () = hear(&redis) => {}
            // A subscription alone never notices that its server is gone.
            _ = reach.wait_for(|reach| *reach != Reach::Reached) => {}
        }
        sleep(RESUBSCRIBE_WAIT).await;
    }
}

/// Listens until the subscription ends.
async fn hear(redis: &Redis) {
    let subscribing = async {
        let mut subscription = redis.address.client().get_async_pubsub().await?;
        subscription.subscribe(channel(&redis.store)).await?;
        redis::RedisResult::Ok(subscription)
    };
    let Ok(Ok(subscription)) = timeout(CALL, subscribing).await else { return };
    // What was told before is not heard any more.
    let _ = redis.news.send(News::Committed);
    let mut messages = subscription.into_on_message();
    while let Some(message) = messages.next().await {
        let text = String::from_utf8_lossy(message.get_payload_bytes()).into_owned();
        for news in read(&redis.outbox.process, &text) {
            // Nobody listens: fine.
            let _ = redis.news.send(news);
        }
    }
}

/// `PROCESS [committed] [ID=STEP]…`
fn written(process: &str, waiting: &Waiting) -> String {
    let mut message = process.to_owned();
    if waiting.committed {
        message.push_str(" committed");
    }
    for (document, step) in &waiting.steps {
        let _ = write!(message, " {document}={}", step.map_or("ended", SyncStep::word));
    }
    message
}

/// Reads another process's message; unknown parts are skipped.
fn read(own_process: &str, message: &str) -> Vec<News> {
    let mut words = message.split(' ');
    if words.next() == Some(own_process) {
        return Vec::new();
    }
    let news = |word: &str| {
        if word == "committed" {
            return Some(News::Committed);
        }
        let (document, step) = word.split_once('=')?;
        let document = DocumentId(document.parse().ok()?);
        if step == "ended" { Some(News::Ended(document)) } else { Some(News::Step(document, SyncStep::parse(step)?)) }
    };
    words.filter_map(news).take(STEPS + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_by_others_alone() {
        let steps = BTreeMap::from([(DocumentId(7), Some(SyncStep::Fetching)), (DocumentId(9), None)]);
        let message = written("a", &Waiting { committed: true, steps });
        assert_eq!(message, "a committed 7=fetching 9=ended");
        let said = [News::Committed, News::Step(DocumentId(7), SyncStep::Fetching), News::Ended(DocumentId(9))];
        assert_eq!(read("b", &message), said);
        assert_eq!(read("a", &message), []);
        assert_eq!(read("b", "x 7=dancing y=fetching later committed"), [News::Committed]);
    }
}
