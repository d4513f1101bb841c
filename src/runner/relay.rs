//! Delivers the messages of the outbox. Each subscriber has a separate relay, so a slow or failing subscriber delays no
//! other.
//!
//! A relay reads the rows that are due and leases each row, so that only one process delivers the message. Then the
//! relay passes the message to the subscriber and deletes the row. If the process dies in between, the row stays and
//! the message is delivered again.

use super::worker::Worker;
use crate::domain::backoff::Backoff;
use crate::domain::id::OutboxId;
use crate::domain::notification::SinkName;
use crate::domain::outbox::{Deliver, DeliveryError, PendingDelivery, ReceiverState, Subscriber};
use crate::domain::time::Timestamp;
use crate::domain::topic::{Topic, TopicSet};
use crate::fault;
use crate::store::StoreError;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

/// Maximum number of messages read at a time.
const BATCH: u32 = 100;
/// Interval at which the outbox is polled without a commit: a refused message becomes due after its back-off, and a
/// process may have died before it delivered a message.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Interval at which an absent receiver is checked.
const ABSENT_INTERVAL: Duration = Duration::from_secs(30);
/// Time limit of one delivery. A subscriber's lease is longer, unless the receiver ignores repeated deliveries.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval at which deliveries that are due are verified.
const VERIFY_INTERVAL: Duration = Duration::from_secs(5);
/// Age up to which a missing message counts as lost. Receivers remember keys for longer: seven days.
const VERIFIABLE: Duration = Duration::from_secs(6 * 86_400);
/// Time within which the last deliveries begin when a runner ends.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Time that a delivery has to end after that. One that is broken off may have arrived, and is then repeated.
const LAST_DELIVERY: Duration = Duration::from_secs(5);

/// A subscriber, and a mutex that lets one pass over its messages run at a time.
pub(super) struct Relay {
    subscriber: Arc<dyn Deliver>,
    /// Locked during a pass, so that the final pass waits for a running one.
    pass: Mutex<PassState>,
}

/// What one pass leaves for the next.
#[derive(Default)]
struct PassState {
    /// Reason why the last pass was interrupted, which is logged once: a receiver may be away for hours.
    interruption: Option<String>,
    /// Epoch of the receiver in which all deliveries were verified.
    verified_epoch: Option<u64>,
    /// Time of the last verification.
    verified_at: Option<Instant>,
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

/// Delivers the due messages when the runner ends, as far as the receivers answer; the rest waits for another runner.
/// Deliveries that have begun within [`SHUTDOWN_GRACE`] end, unless that takes longer than [`LAST_DELIVERY`].
pub(super) async fn deliver_remaining(worker: &Worker) {
    let passes = join_all(worker.relays.iter().map(|relay| pass(worker, relay)));
    let time_up = async {
        sleep(SHUTDOWN_GRACE).await;
        worker.last_deliveries.cancel();
        sleep(LAST_DELIVERY).await;
    };
    tokio::select! {
        _ = passes => {}
        () = time_up => {}
    }
}

/// Makes this process create messages for the subscriber, unless its registration in the store does so.
fn subscribe(worker: &Worker, relay: &Relay) {
    if relay.subscriber.is_registered() {
        return;
    }
    worker.store.subscribe(Arc::clone(&relay.subscriber) as Arc<dyn Subscriber>);
}

async fn run(worker: &Worker, relay: &Relay) {
    // Messages are written with outcomes.
    let mut commits = worker.store.commits().only(TopicSet::of(&[Topic::Outcomes]));
    let mut backoff = relay.subscriber.backoff();
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
    let mut state = relay.pass.lock().await;
    match relay.subscriber.receiver_state().await {
        ReceiverState::Ready => subscribe(worker, relay),
        ReceiverState::Unreachable => return RelayPass::Interrupted,
        ReceiverState::Absent => {
            worker.store.unsubscribe(relay.subscriber.name());
            return RelayPass::Absent;
        }
    }
    let subscriber = &*relay.subscriber;
    let work = async {
        // What the receiver has lost is due again then.
        verify(worker, subscriber, &mut state).await?;
        deliver_due(worker, subscriber).await
    };
    match work.await {
        Ok(()) => {
            state.interruption = None;
            RelayPass::Done
        }
        Err(reason) => {
            let reason = reason.to_string();
            if state.interruption.as_ref() != Some(&reason) {
                tracing::warn!(subscriber = subscriber.name(), %reason, "messages are delivered later");
                state.interruption = Some(reason);
            }
            RelayPass::Interrupted
        }
    }
}

/// Verifies that the receiver still has what was delivered to it: what is due, and everything when the receiver has
/// changed. A message that it lacks becomes pending again.
async fn verify(worker: &Worker, subscriber: &dyn Deliver, state: &mut PassState) -> Result<(), Interruption> {
    if subscriber.verified_after().is_none() {
        return Ok(());
    }
    // Read before the messages: a receiver that changes meanwhile is verified once more.
    let epoch = subscriber.receiver_epoch();
    let has_changed = state.verified_epoch != Some(epoch);
    let is_recent = state.verified_at.is_some_and(|at| at.elapsed() < VERIFY_INTERVAL);
    if !has_changed && is_recent {
        return Ok(());
    }
    let (store, name) = (&worker.store, subscriber.name());
    let mut after = OutboxId(0);
    loop {
        let batch = store.unverified_deliveries(name, !has_changed, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        let keys: Vec<String> = batch.iter().map(|message| message.key.clone()).collect();
        let received = subscriber.has_received(&keys).await?;
        let forgotten = store.now().minus(VERIFIABLE);
        let (mut lost, mut verified) = (Vec::new(), Vec::new());
        for (message, has_received) in batch.iter().zip(received) {
            // The receiver forgets keys in time, and does not lack such a message.
            if !has_received && message.created_at > forgotten {
                lost.push(message.id);
            } else if !has_changed || message.created_at <= forgotten {
                verified.push(message.id);
            }
        }
        if !lost.is_empty() {
            tracing::warn!(
                subscriber = name,
                messages = lost.len(),
                "the receiver has lost messages, which are delivered again"
            );
            store.lost(name, &lost).await?;
        }
        if !verified.is_empty() {
            store.verified(&verified).await?;
        }
    }
    state.verified_epoch = Some(epoch);
    state.verified_at = Some(Instant::now());
    Ok(())
}

async fn deliver_due(worker: &Worker, subscriber: &dyn Deliver) -> Result<(), Interruption> {
    loop {
        let quiet = subscriber.quiet();
        if let Some(sink) = SinkName::of_subscriber(subscriber.name()).filter(|_| !quiet.is_zero()) {
            worker.store.join_records(&sink, quiet).await?;
        }
        let due = match quiet.is_zero() {
            true => worker.store.due_deliveries(subscriber.name(), BATCH).await?,
            false => worker.store.joined_deliveries(subscriber.name(), BATCH).await?,
        };
        let mut begun = 0;
        for pending in &due {
            if worker.last_deliveries.is_cancelled() {
                return Ok(());
            }
            begun += u32::from(deliver(worker, subscriber, pending).await?);
        }
        // No message is due, or other processes deliver those that are.
        if begun == 0 {
            return Ok(());
        }
    }
}

/// Returns true if a message that has failed at `now` is given up, because it was first tried long ago.
fn is_given_up(subscriber: &dyn Deliver, pending: &PendingDelivery, now: Timestamp) -> bool {
    let patience = subscriber.gives_up_after();
    patience.zip(pending.tried_at).is_some_and(|(patience, tried_at)| now.since(tried_at) >= patience)
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
            let verify_at = subscriber.verified_after().map(|wait| store.now().plus(wait));
            store.delivered(pending.id, verify_at).await?;
            fault::point("delivered", name);
        }
        Err(DeliveryError::Gone(reason)) => {
            tracing::warn!(subscriber = name, %reason, "the receiver wants no messages any more");
            store.delivery_failed(pending.id, &reason, store.now()).await?;
            store.disable_sink(name, &reason).await?;
            return Err(DeliveryError::Gone(reason).into());
        }
        Err(DeliveryError::Refused(reason) | DeliveryError::Unavailable(reason))
            if is_given_up(subscriber, pending, now) =>
        {
            tracing::warn!(subscriber = name, %reason, "a message was given up");
            store.give_up_delivery(pending.id, &reason).await?;
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
