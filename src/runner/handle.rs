//! The only door into a running runner.

use super::event::{Event, Health, LockHealth, RunnerStatus};
use std::sync::Arc;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

/// A runner that was started. Clones are the same runner; dropping them does not stop it.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) events: broadcast::Sender<Event>,
    pub(super) status: watch::Receiver<RunnerStatus>,
    pub(super) health: watch::Receiver<Health>,
    pub(super) locks: watch::Receiver<LockHealth>,
    /// Look at the queue again.
    pub(super) look: Arc<Notify>,
    /// Stop claiming, finish what runs.
    pub(super) drain: CancellationToken,
    /// Stop at once: release what runs.
    pub(super) leave: CancellationToken,
    /// Cancelled by the runner when it has ended and everything is written or released.
    pub(super) ended: CancellationToken,
}

impl Handle {
    /// Events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Returns the runner's state, always the latest.
    pub fn status(&self) -> watch::Receiver<RunnerStatus> {
        self.status.clone()
    }

    /// Returns the database's state, always the latest.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Returns the state of the Redis locks, always the latest.
    pub fn locks(&self) -> watch::Receiver<LockHealth> {
        self.locks.clone()
    }

    /// A hint that the queue may hold something new. It looks by itself too, only later.
    pub fn look_now(&self) {
        self.look.notify_one();
    }

    /// Asks it to claim nothing more and to finish what runs within its drain time; what is left then is released.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Asks it to release what runs now, counters unchanged, and to end.
    pub fn leave(&self) {
        self.leave.cancel();
    }

    /// Waits until it has ended and everything is written or released.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}
