//! The workers of this process, and the decision whether this process may rescue other workers' jobs because their
//! leases have expired. After an outage or a sleep, a process first sends its own heartbeat, and rescues such jobs only
//! one whole lease later.

use crate::domain::site_rule::Unfetchable;
use crate::domain::time::Timestamp;
use crate::store::WorkerInfo;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The registered workers of this process, the time of their last heartbeat, and the time before which expired leases
/// are no reason for a rescue.
#[derive(Default)]
pub(in crate::store) struct Liveness(Mutex<LivenessState>);

#[derive(Default)]
struct LivenessState {
    workers: HashMap<String, WorkerInfo>,
    /// Duration of the longest lease that this process has requested.
    longest_lease: Duration,
    last_heartbeat: Option<Timestamp>,
    /// Before this time, jobs of other workers are not rescued for an expired lease: during an outage or a sleep those
    /// workers could not send heartbeats either.
    no_rescue_before: Option<Timestamp>,
}

impl Liveness {
    fn state(&self) -> MutexGuard<'_, LivenessState> {
        // No change can panic midway, so the data is consistent even after a panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the duration of a requested lease; the longest one counts.
    pub(in crate::store) fn record_lease(&self, lease: Duration) {
        let mut own = self.state();
        own.longest_lease = own.longest_lease.max(lease);
    }

    /// Adds a worker of this process. Its registration at `now` counts as a heartbeat.
    pub(in crate::store) fn add_worker(&self, worker: &WorkerInfo, now: Timestamp) {
        let mut own = self.state();
        own.workers.insert(worker.id.0.clone(), worker.clone());
        own.last_heartbeat = Some(now);
    }

    /// Removes a worker of this process.
    pub(in crate::store) fn remove_worker(&self, worker: &str) {
        self.state().workers.remove(worker);
    }

    /// Records a heartbeat of this process at `now`. If the previous one is older than the longest lease, no job is
    /// rescued for an expired lease until one whole lease after `now`.
    pub(in crate::store) fn record_heartbeat(&self, now: Timestamp) {
        let mut own = self.state();
        if own.overdue(now) {
            own.no_rescue_before = Some(now.plus(own.longest_lease));
        }
        own.last_heartbeat = Some(now);
    }

    /// Returns true if jobs of other workers may be rescued at `now` because their leases have expired. Always true in
    /// a process without workers. Otherwise false while this process's own heartbeat is overdue, and for one lease
    /// after that.
    pub(in crate::store) fn trusts_leases(&self, now: Timestamp) -> bool {
        let own = self.state();
        own.workers.is_empty() || (!own.overdue(now) && own.no_rescue_before.is_none_or(|until| now >= until))
    }

    /// Returns a worker of this process by its id; `None` if this process has no such worker.
    pub(in crate::store) fn info(&self, worker: &str) -> Option<WorkerInfo> {
        self.state().workers.get(worker).cloned()
    }

    /// Returns the documents that a worker of this process cannot fetch.
    pub(in crate::store) fn unfetchable(&self, worker: &str) -> Arc<Unfetchable> {
        self.state().workers.get(worker).map(|info| Arc::clone(&info.unfetchable)).unwrap_or_default()
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
