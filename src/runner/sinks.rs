//! Notices which sinks are registered while a process runs, and compares the conditions that hold with those of which
//! sinks were notified.

use super::worker::Worker;
use crate::store::RunnerStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Interval at which a process notices that a sink was registered, changed or disabled.
const REFRESH_INTERVAL: Duration = Duration::from_secs(5);

/// Reads the registered sinks every 5 s until `ended`: for a worker, and for a console without one, which removes
/// documents and ends jobs.
pub async fn follow_sinks(store: Arc<dyn RunnerStore>, ended: CancellationToken) {
    let mut ticks = interval(REFRESH_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = ended.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // The claim loop, or the screen, reports the store's failure to the user.
        if let Err(error) = store.refresh_sinks().await {
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
