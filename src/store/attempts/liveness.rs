//! The workers of this process, and the decision whether this process may rescue other workers' jobs because their
//! leases have expired. After an outage or a sleep, a process first sends its own heartbeat, and rescues such jobs only
//! one whole lease later. Times are those since the machine's boot, so that a step of the clock has no effect.

use crate::domain::site_rule::Unfetchable;
use crate::domain::time::Timestamp;
use crate::store::WorkerInfo;
use crate::store::sql::rows::workers::KnownWorker;
use crate::store::sql::uptime::Uptime;
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
    last_heartbeat: Option<Duration>,
    /// Before this time, jobs of other workers are not rescued for an expired lease: during an outage or a sleep those
    /// workers could not send heartbeats either.
    no_rescue_before: Option<Duration>,
    /// Number of heartbeats of each worker of another machine, and when this process saw it first.
    observed: HashMap<String, (i64, Duration)>,
    /// Clock and time since the boot at the last check for a step of the clock.
    last_check: Option<(Timestamp, Duration)>,
}

/// Smallest step back of the clock that counts as one; less is an adjustment.
const SMALLEST_STEP: Duration = Duration::from_secs(5);

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
    pub(in crate::store) fn add_worker(&self, worker: &WorkerInfo, now: Duration) {
        let mut own = self.state();
        own.workers.insert(worker.id.0.clone(), worker.clone());
        own.last_heartbeat = Some(now);
    }

    /// Replaces what is known of a registered worker of this process.
    pub(in crate::store) fn update_worker(&self, worker: &WorkerInfo) {
        if let Some(known) = self.state().workers.get_mut(&worker.id.0) {
            worker.clone_into(known);
        }
    }

    /// Removes a worker of this process.
    pub(in crate::store) fn remove_worker(&self, worker: &str) {
        self.state().workers.remove(worker);
    }

    /// Records a heartbeat of this process at `now`. If the previous one is older than the longest lease, no job is
    /// rescued for an expired lease until one whole lease after `now`.
    pub(in crate::store) fn record_heartbeat(&self, now: Duration) {
        let mut own = self.state();
        if own.overdue(now) {
            own.no_rescue_before = Some(now.saturating_add(own.longest_lease));
        }
        own.last_heartbeat = Some(now);
    }

    /// Returns true if jobs of other workers may be rescued at `now` because their leases have expired. Always true in
    /// a process without workers. Otherwise false while this process's own heartbeat is overdue, and for one lease
    /// after that.
    pub(in crate::store) fn trusts_leases(&self, now: Duration) -> bool {
        let own = self.state();
        own.workers.is_empty() || (!own.overdue(now) && own.no_rescue_before.is_none_or(|until| now >= until))
    }

    /// Sets for how long the workers of other machines have been silent at the time `here`: by how long this process has
    /// seen their number of heartbeats stand still. Forgets all other workers.
    pub(in crate::store) fn observe(&self, known: &mut [KnownWorker], here: &Uptime) {
        let mut own = self.state();
        let mut observed = HashMap::new();
        for worker in known.iter_mut().filter(|worker| worker.uptime.is_some()) {
            worker.silence = worker.silence.or_else(|| {
                let before = own.observed.get(&worker.id).filter(|(heartbeats, _)| *heartbeats == worker.heartbeats);
                let since = before.map_or(here.time, |(_, since)| *since);
                observed.insert(worker.id.clone(), (worker.heartbeats, since));
                Some(here.time.saturating_sub(since))
            });
        }
        own.observed = observed;
    }

    /// Returns true if the clock, which shows `now`, was set back since the last call, and at the first call: it may
    /// have been set back while no process was there.
    pub(in crate::store) fn clock_was_set_back(&self, now: Timestamp, here: Duration) -> bool {
        let last = self.state().last_check.replace((now, here));
        last.is_none_or(|(at, uptime)| at.plus(here.saturating_sub(uptime)).since(now) > SMALLEST_STEP)
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
    fn overdue(&self, now: Duration) -> bool {
        let since = |last| now.saturating_sub(last);
        !self.longest_lease.is_zero() && self.last_heartbeat.is_some_and(|last| since(last) > self.longest_lease)
    }
}
