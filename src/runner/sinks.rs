//! Notices which sinks are registered while a worker runs, and compares the conditions that hold with those of which
//! sinks were notified.

use super::worker::Worker;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Interval at which a process notices that a sink was registered, changed or disabled.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the registered sinks until the worker has ended.
pub(super) async fn run(worker: Arc<Worker>) {
    let mut ticks = interval(REFRESH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = worker.ended.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // The claim loop reports the store's failure to the user.
        if let Err(error) = worker.store.refresh_sinks().await {
            tracing::warn!(%error, "the registered sinks could not be read");
        }
    }
}

/// Writes records of the conditions that have begun or ended.
pub(super) async fn check_conditions(worker: &Worker) {
    if let Err(error) = worker.store.check_conditions(&worker.id.0).await {
        tracing::warn!(%error, "conditions could not be checked");
    }
}
