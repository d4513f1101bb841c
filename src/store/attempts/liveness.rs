//! The workers of this process, and whether it may judge others by their leases: after an outage or a sleep it sends
//! its own heartbeat first and rescues others only after one whole lease.

use crate::domain::time::Timestamp;
use crate::store::WorkerInfo;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The registered workers of this process, and the time of their last heartbeat.
#[derive(Default)]
pub(in crate::store) struct Liveness(Mutex<LivenessState>);

#[derive(Default)]
struct LivenessState {
    workers: HashMap<String, WorkerInfo>,
    /// Longest lease that this process has requested.
    longest_lease: Duration,
    last_heartbeat: Option<Timestamp>,
    /// Before this time, expired leases of other workers are not rescued: during an outage or a sleep they could not
    /// send heartbeats either.
    no_rescue_before: Option<Timestamp>,
}

impl Liveness {
    fn state(&self) -> MutexGuard<'_, LivenessState> {
        // Every change is one assignment, so a panic leaves the data consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the length of a lease that was requested.
    pub(in crate::store) fn record_lease(&self, lease: Duration) {
        let mut own = self.state();
        own.longest_lease = own.longest_lease.max(lease);
    }

    /// Adds a worker of this process, which was registered at `now`.
    pub(in crate::store) fn add_worker(&self, worker: &WorkerInfo, now: Timestamp) {
        let mut own = self.state();
        own.workers.insert(worker.id.0.clone(), worker.clone());
        own.last_heartbeat = Some(now);
    }

    /// Removes a worker of this process.
    pub(in crate::store) fn remove_worker(&self, worker: &str) {
        self.state().workers.remove(worker);
    }

    /// Records a heartbeat of this process at `now`.
    pub(in crate::store) fn record_heartbeat(&self, now: Timestamp) {
        let mut own = self.state();
        if own.overdue(now) {
            own.no_rescue_before = Some(now.plus(own.longest_lease));
        }
        own.last_heartbeat = Some(now);
    }

    /// Returns true if the expired leases of other workers may be rescued.
    pub(in crate::store) fn trusts_leases(&self, now: Timestamp) -> bool {
        let own = self.state();
        own.workers.is_empty() || (!own.overdue(now) && own.no_rescue_before.is_none_or(|until| now >= until))
    }

    /// Returns a worker of this process by its id.
    pub(in crate::store) fn info(&self, worker: &str) -> Option<WorkerInfo> {
        self.state().workers.get(worker).cloned()
    }

    /// Removes all workers of this process.
    pub(in crate::store) fn clear(&self) {
        self.state().workers.clear();
    }
}

impl LivenessState {
    fn overdue(&self, now: Timestamp) -> bool {
        !self.longest_lease.is_zero() && self.last_heartbeat.is_some_and(|last| now.since(last) > self.longest_lease)
    }
}
