//! Handle by which consoles and commands watch and stop a runner.

use super::event::{Event, Health, LockHealth, RunnerStatus};
use super::live::LiveSettingsCell;
use super::measures::Measures;
use super::progress::Progress;
use super::settings::{Scheduling, Settings};
use crate::fetch::Fetcher;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

/// Handle of a started runner. Clones refer to the same runner; dropping them does not stop it.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) live: LiveSettingsCell,
    pub(super) measures: Arc<Measures>,
    pub(super) progress: Arc<Progress>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) status: watch::Receiver<RunnerStatus>,
    pub(super) health: watch::Receiver<Health>,
    pub(super) locks: watch::Receiver<LockHealth>,
    /// Wakes the claim loop.
    pub(super) claim_wakeup: Arc<Notify>,
    /// Set while the runner is to claim nothing.
    pub(super) off: Arc<AtomicBool>,
    /// Cancelled to stop claiming and let running attempts finish.
    pub(super) drain: CancellationToken,
    /// Cancelled to stop at once and release running jobs.
    pub(super) leave: CancellationToken,
    /// Cancelled when the runner has ended: every job is written or released, unless the time for it ran out.
    pub(super) ended: CancellationToken,
}

impl Handle {
    /// Subscribes to events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Returns a receiver that always has the runner's latest phase and load.
    pub fn status(&self) -> watch::Receiver<RunnerStatus> {
        self.status.clone()
    }

    /// Returns a receiver that always has the latest state of the database.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Returns a receiver that always has the latest state of the Redis locks.
    pub fn locks(&self) -> watch::Receiver<LockHealth> {
        self.locks.clone()
    }

    /// Returns the signs of life of the runner's own loops.
    pub fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// Returns the figures that the runner gathers about its own work.
    pub fn measures(&self) -> Arc<Measures> {
        Arc::clone(&self.measures)
    }

    /// Applies other settings from now on; attempts that run end with the ones they began with. Lease and heartbeat, and
    /// the number of kept texts, stay as they were.
    pub fn apply(&self, settings: Settings, fetcher: Arc<Fetcher>, scheduling: Scheduling) {
        self.live.replace(settings, fetcher, scheduling);
        self.wake();
    }

    /// Hints that the queue may have new jobs. Without the hint the claim loop polls within a second.
    pub fn wake(&self) {
        self.claim_wakeup.notify_one();
    }

    /// Makes the runner claim nothing until it is called with `false`. Attempts that run go on.
    pub fn switch_off(&self, is_off: bool) {
        self.off.store(is_off, Ordering::Release);
        self.wake();
    }

    /// Makes the runner stop claiming and finish its running attempts within its drain time. Jobs that still run after
    /// it are released.
    pub fn drain(&self) {
        self.drain.cancel();
    }

    /// Makes the runner release its running jobs, with unchanged counters, and end.
    pub fn leave(&self) {
        self.leave.cancel();
    }

    /// Waits until the runner has ended: every job is written or released, unless the time for it ran out.
    pub async fn ended(&self) {
        self.ended.cancelled().await;
    }
}
