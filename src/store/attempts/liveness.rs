//! The workers of this process, and whether it may judge others by their leases: after an outage or a sleep it sends its
//! own heartbeat first and rescues others only after one whole lease.

use crate::domain::time::Timestamp;
use crate::store::WorkerInfo;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What this process knows of its own workers.
#[derive(Default)]
pub(in crate::store) struct Liveness(Mutex<Own>);

#[derive(Default)]
struct Own {
    workers: HashMap<String, WorkerInfo>,
    /// The longest lease that this process has asked for.
    lease: Duration,
    last_beat: Option<Timestamp>,
    /// Others are not rescued by their leases before this: after an outage or a sleep they could not beat either.
    patient_until: Option<Timestamp>,
}

impl Liveness {
    fn own(&self) -> MutexGuard<'_, Own> {
        // What is within stays sound when a holder panics: every change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a lease that was asked for.
    pub(in crate::store) fn leased(&self, lease: Duration) {
        let mut own = self.own();
        own.lease = own.lease.max(lease);
    }

    /// A worker of this process is known to all since `now`.
    pub(in crate::store) fn joined(&self, worker: &WorkerInfo, now: Timestamp) {
        let mut own = self.own();
        own.workers.insert(worker.id.0.clone(), worker.clone());
        own.last_beat = Some(now);
    }

    /// A worker of this process has left.
    pub(in crate::store) fn left(&self, worker: &str) {
        self.own().workers.remove(worker);
    }

    /// Its heart has beaten.
    pub(in crate::store) fn beaten(&self, now: Timestamp) {
        let mut own = self.own();
        if own.overdue(now) {
            own.patient_until = Some(now.plus(own.lease));
        }
        own.last_beat = Some(now);
    }

    /// Whether leases of others that ran out may be acted on.
    pub(in crate::store) fn trusts_leases(&self, now: Timestamp) -> bool {
        let own = self.own();
        own.workers.is_empty() || (!own.overdue(now) && own.patient_until.is_none_or(|until| now >= until))
    }

    /// A worker of this process.
    pub(in crate::store) fn info(&self, worker: &str) -> Option<WorkerInfo> {
        self.own().workers.get(worker).cloned()
    }

    /// No worker of this process is left.
    pub(in crate::store) fn leave(&self) {
        self.own().workers.clear();
    }
}

impl Own {
    fn overdue(&self, now: Timestamp) -> bool {
        !self.lease.is_zero() && self.last_beat.is_some_and(|last| now.since(last) > self.lease)
    }
}
