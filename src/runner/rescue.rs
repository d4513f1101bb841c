//! Once a second, makes the jobs of dead workers ready again, and writes the statuses that time alone has changed.

use super::event::Event;
use super::worker::Worker;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Interval at which dead workers are detected. A worker counts as alive for three seconds after a heartbeat, and the
/// lock that a live worker owns must be free at two checks in a row. So a document's next attempt starts within five
/// seconds of the death of its worker.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Rescues jobs of dead workers and expires statuses until the worker has ended.
pub(super) async fn run(worker: Arc<Worker>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = worker.ended.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match worker.store.rescue().await {
            Ok(rescued) => {
                for report in &rescued.reports {
                    worker.reporter.report(report);
                }
                if !rescued.outcomes.is_empty() {
                    let message = format!("{} jobs of dead workers were made ready again", rescued.outcomes.len());
                    worker.emit(Event::Problem { message: message.as_str().into() });
                }
            }
            // The claim loop reports the store's failure to the user.
            Err(error) => tracing::warn!(%error, "jobs of dead workers could not be rescued"),
        }
        if let Err(error) = worker.store.expire_statuses().await {
            tracing::warn!(%error, "statuses that time has changed could not be written");
        }
    }
}
