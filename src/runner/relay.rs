//! Delivers the messages of the outbox. Each subscriber has a separate relay, so a slow or failing subscriber delays no
//! other.
//!
//! A relay reads the rows that are due and leases each row, so that only one process delivers the message. Then the
//! relay passes the message to the subscriber and deletes the row. If the process dies in between, the row stays and
//! the message is delivered again.

use super::worker::Worker;
use crate::domain::backoff::Backoff;
use crate::domain::outbox::{Deliver, DeliveryError, PendingDelivery, ReceiverState, Subscriber};
use crate::domain::topic::{Topic, TopicSet};
use crate::fault;
use crate::store::StoreError;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

/// Maximum number of messages read at a time.
const BATCH: u32 = 100;
/// Interval at which the outbox is polled without a commit: a refused message becomes due after its back-off, and a
/// process may have died before it delivered a message.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Interval at which an absent receiver is checked.
const ABSENT_INTERVAL: Duration = Duration::from_secs(30);
/// Time limit of one delivery. A subscriber's lease is longer, unless the receiver ignores repeated deliveries.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait for the last deliveries when a runner ends.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);

/// A subscriber, and a mutex that lets one pass over its messages run at a time.
pub(super) struct Relay {
    subscriber: Arc<dyn Deliver>,
    /// Locked during a pass, so that the final pass waits for a running one. Holds the reason why the last pass was
    /// interrupted, which is logged once: a receiver may be away for hours.
    pass: Mutex<Option<String>>,
}

/// Result of a pass over the due messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RelayPass {
    /// All due messages are delivered, except those that were refused or that another process delivers.
    Done,
    /// There is no receiver; no messages are created.
    Absent,
    /// Receiver or store did not answer.
    Interrupted,
}

/// Reason why a pass was interrupted.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error(transparent)]
    Database(#[from] StoreError),
    #[error(transparent)]
    Receiver(#[from] DeliveryError),
}

impl Relay {
    /// Creates a relay, which [`start`] runs.
    pub(super) fn new(subscriber: Arc<dyn Deliver>) -> Arc<Self> {
        Arc::new(Self { subscriber, pass: Mutex::default() })
    }
}

/// Subscribes before any job runs, then starts the relays; they run until the worker has ended. Messages are created
/// even before the receiver is known to exist: a needless message only waits, a missing one is lost.
pub(super) fn start(worker: &Arc<Worker>) {
    for relay in &worker.relays {
        subscribe(worker, relay);
    }
    for relay in &worker.relays {
        let (worker, relay) = (Arc::clone(worker), Arc::clone(relay));
        tokio::spawn(async move {
            let ended = worker.ended.clone();
            ended.run_until_cancelled(run(&worker, &relay)).await;
        });
    }
}

/// Delivers the due messages when the runner ends, as far as the receivers answer within [`SHUTDOWN_GRACE`]; the rest
/// waits for another runner.
pub(super) async fn deliver_remaining(worker: &Worker) {
    let passes = worker.relays.iter().map(|relay| timeout(SHUTDOWN_GRACE, pass(worker, relay)));
    join_all(passes).await;
}

fn subscribe(worker: &Worker, relay: &Relay) {
    worker.store.subscribe(Arc::clone(&relay.subscriber) as Arc<dyn Subscriber>);
}

async fn run(worker: &Worker, relay: &Relay) {
    // Messages are written with outcomes.
    let mut commits = worker.store.commits().only(TopicSet::of(&[Topic::Outcomes]));
    let mut backoff = Backoff::of_claims();
    loop {
        relay.subscriber.wait_reachable().await;
        commits.mark_unchanged();
        match pass(worker, relay).await {
            RelayPass::Done => {
                backoff.reset();
                tokio::select! {
                    () = sleep(POLL_INTERVAL) => {}
                    changed = commits.changed() => if changed.is_err() { return },
                }
            }
            RelayPass::Absent => sleep(ABSENT_INTERVAL).await,
            RelayPass::Interrupted => sleep(backoff.wait()).await,
        }
    }
}

async fn pass(worker: &Worker, relay: &Relay) -> RelayPass {
    let mut last_reason = relay.pass.lock().await;
    match relay.subscriber.receiver_state().await {
        ReceiverState::Ready => subscribe(worker, relay),
        ReceiverState::Unreachable => return RelayPass::Interrupted,
        ReceiverState::Absent => {
            worker.store.unsubscribe(relay.subscriber.name());
            return RelayPass::Absent;
        }
    }
    match deliver_due(worker, &*relay.subscriber).await {
        Ok(()) => {
            *last_reason = None;
            RelayPass::Done
        }
        Err(reason) => {
            let reason = reason.to_string();
            if last_reason.as_ref() != Some(&reason) {
                tracing::warn!(subscriber = relay.subscriber.name(), %reason, "messages are delivered later");
                *last_reason = Some(reason);
            }
            RelayPass::Interrupted
        }
    }
}

async fn deliver_due(worker: &Worker, subscriber: &dyn Deliver) -> Result<(), Interruption> {
    loop {
        let due = worker.store.due_deliveries(subscriber.name(), BATCH).await?;
        let mut begun = 0;
        for pending in &due {
            begun += u32::from(deliver(worker, subscriber, pending).await?);
        }
        // No message is due, or other processes deliver those that are.
        if begun == 0 {
            return Ok(());
        }
    }
}

/// Delivers one message. Returns false when another process has begun to deliver it or removed it; true also if the
/// receiver refused it.
async fn deliver(worker: &Worker, subscriber: &dyn Deliver, pending: &PendingDelivery) -> Result<bool, Interruption> {
    let (store, name) = (&worker.store, subscriber.name());
    let now = store.now();
    if !store.begin_delivery(pending, now.plus(subscriber.lease())).await? {
        return Ok(false);
    }
    fault::point("before_delivery", name);
    let delivery = timeout(DELIVERY_TIMEOUT, subscriber.deliver(pending, now)).await;
    let delivery = delivery.unwrap_or_else(|_| Err(DeliveryError::refused("no answer in time")));
    match delivery {
        Ok(()) => {
            fault::point("after_delivery", name);
            store.delivered(pending.id).await?;
            fault::point("delivered", name);
        }
        Err(DeliveryError::Refused(reason)) => {
            tracing::warn!(subscriber = name, %reason, "a message was refused");
            let failures = usize::try_from(pending.attempts).unwrap_or(usize::MAX);
            let wait = Backoff::of_delivery().after(failures).wait();
            store.delivery_failed(pending.id, &reason, store.now().plus(wait)).await?;
        }
        Err(DeliveryError::Unavailable(reason)) => {
            store.delivery_failed(pending.id, &reason, store.now()).await?;
            return Err(DeliveryError::Unavailable(reason).into());
        }
    }
    Ok(true)
}
