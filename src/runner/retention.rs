//! Removal of what is old: every runner asks for a step once a minute, and again as long as something is left. A lease in
//! the database lets only one of them act at a time.

use super::worker::Worker;
use crate::store::{Removed, RetentionStep};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Interval at which a runner asks for the first step.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// Shortest pause between two steps. Longer than the interval at which others ask for SQLite's write lock.
const MIN_PAUSE: Duration = Duration::from_millis(10);
/// Pause after a step, as a multiple of its duration: steps take at most a fifth of the time.
const PAUSE_FACTOR: u32 = 4;

/// Removes what is old until the worker stops.
pub(super) async fn run(worker: Arc<Worker>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = worker.stops() => return,
            _ = ticks.tick() => {}
        }
        let removed = remove_all(&worker).await;
        if removed != Removed::default() {
            let Removed { outcomes, jobs, versions } = removed;
            tracing::info!(outcomes, jobs, versions, "old_rows_removed");
        }
    }
}

/// Makes steps until nothing is left, another process acts, a step fails or the worker stops.
async fn remove_all(worker: &Worker) -> Removed {
    let mut removed = Removed::default();
    loop {
        let since = Instant::now();
        match worker.store.remove_old(&worker.live().settings.retention, &worker.id.0).await {
            Ok(RetentionStep::More(some)) => removed += some,
            Ok(RetentionStep::Done | RetentionStep::LeaseTaken) => return removed,
            Err(error) => {
                // The claim loop reports the store's failure to the user.
                tracing::warn!(%error, "what is old could not be removed");
                return removed;
            }
        }
        let pause = MIN_PAUSE.max(since.elapsed() * PAUSE_FACTOR);
        tokio::select! {
            () = worker.stops() => return removed,
            () = sleep(pause) => {}
        }
    }
}
