//! The workers of this process, and whether it may judge others by their leases: after an outage or a sleep it sends
//! its own heartbeat first and rescues others only after one whole lease.

use crate::domain::time::Timestamp;
use crate::store::WorkerInfo;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The registered workers of this process, and the time of their last heartbeat.
#[derive(Default)]
pub(in crate::store) struct Liveness(Mutex<Own>);

#[derive(Default)]
struct Own {
    workers: HashMap<String, WorkerInfo>,
    /// Longest lease that this process has requested.
    lease: Duration,
    last_beat: Option<Timestamp>,
    /// Before this time, expired leases of other workers are not rescued: during an outage or a sleep they could not
    /// send heartbeats either.
    patient_until: Option<Timestamp>,
}

impl Liveness {
    fn own(&self) -> MutexGuard<'_, Own> {
        // Every change is one assignment, so a panic leaves the data consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the length of a lease that was requested.
    pub(in crate::store) fn leased(&self, lease: Duration) {
        let mut own = self.own();
        own.lease = own.lease.max(lease);
    }

    /// Adds a worker of this process, which was registered at `now`.
    pub(in crate::store) fn joined(&self, worker: &WorkerInfo, now: Timestamp) {
        let mut own = self.own();
        own.workers.insert(worker.id.0.clone(), worker.clone());
        own.last_beat = Some(now);
    }

    /// Removes a worker of this process.
    pub(in crate::store) fn left(&self, worker: &str) {
        self.own().workers.remove(worker);
    }

    /// Records a heartbeat of this process at `now`.
    pub(in crate::store) fn beaten(&self, now: Timestamp) {
        let mut own = self.own();
        if own.overdue(now) {
            own.patient_until = Some(now.plus(own.lease));
        }
        own.last_beat = Some(now);
    }

    /// Returns true if the expired leases of other workers may be rescued.
    pub(in crate::store) fn trusts_leases(&self, now: Timestamp) -> bool {
        let own = self.own();
        own.workers.is_empty() || (!own.overdue(now) && own.patient_until.is_none_or(|until| now >= until))
    }

    /// Returns a worker of this process by its id.
    pub(in crate::store) fn info(&self, worker: &str) -> Option<WorkerInfo> {
        self.own().workers.get(worker).cloned()
    }

    /// Removes all workers of this process.
    pub(in crate::store) fn leave(&self) {
        self.own().workers.clear();
    }
}

impl Own {
    fn overdue(&self, now: Timestamp) -> bool {
        !self.lease.is_zero() && self.last_beat.is_some_and(|last| now.since(last) > self.lease)
    }
}
