//! Messages between the processes of a store over Redis: commits, and the steps of attempts. Messages are hints: a
//! process that receives one reads the store at once, a process that misses one polls the store a little later.

use super::event::{Event, LockHealth};
use crate::domain::topic::TopicSet;
use crate::lock::{Notification, Redis};
use crate::store::{CommitSignals, StoreBase};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Publishes this process's commits over Redis, and forwards the notifications of other processes: commits as hints to
/// `store`, steps as `events`. Returns at once; the tasks that it starts run until `until` is cancelled.
pub fn join(
    store: Arc<dyn CommitSignals>,
    redis: &Arc<Redis>,
    events: broadcast::Sender<Event>,
    until: CancellationToken,
) {
    let (mut commits, publisher) = (store.commits(), Arc::clone(redis));
    let committed = async move {
        while let Ok(topics) = commits.changed().await {
            publisher.publish(Notification::Committed(topics));
        }
    };
    let mut notifications = redis.notifications();
    let listener = async move {
        loop {
            match notifications.recv().await {
                Ok(Notification::Committed(topics)) => store.notify_remote_commit(topics),
                // The missed messages may include a commit.
                Err(RecvError::Lagged(_)) => store.notify_remote_commit(TopicSet::ALL),
                Ok(Notification::Step(document, step)) => {
                    let _ = events.send(Event::Step { document, step });
                }
                Ok(Notification::Ended(document)) => {
                    let _ = events.send(Event::Ended { document });
                }
                Err(RecvError::Closed) => return,
            }
        }
    };
    tokio::spawn(until.clone().run_until_cancelled_owned(committed));
    tokio::spawn(until.run_until_cancelled_owned(listener));
}

/// Returns the state of the Redis subscription, for a process that runs no jobs. The task that updates the state runs
/// until `until` is cancelled.
pub fn subscription_health(
    store: Arc<dyn StoreBase>,
    redis: &Arc<Redis>,
    until: CancellationToken,
) -> watch::Receiver<LockHealth> {
    let (shown, receiver) = watch::channel(LockHealth::Off);
    let mut state = redis.connection_state();
    let monitor = async move {
        loop {
            let now = state.borrow_and_update().clone();
            shown.send_if_modified(|shown| {
                let health =
                    shown.after(now, || store.now(), |since, reason| LockHealth::Unsubscribed { since, reason });
                let changed = *shown != health;
                *shown = health;
                changed
            });
            if state.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::spawn(until.run_until_cancelled_owned(monitor));
    receiver
}
