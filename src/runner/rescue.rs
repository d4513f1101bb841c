//! Upkeep by each worker: once a second, makes the jobs of dead workers ready again, and writes the statuses that time
//! alone has changed; on a database of Chatwoot, also reads its documents again for lists.

use super::event::Event;
use super::worker::Worker;
use crate::store::RunnerStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Interval at which dead workers are detected. A worker counts as alive for three seconds after a heartbeat, and the
/// lock that a live worker owns must be free at two checks in a row. So a document's next attempt starts within five
/// seconds of the death of its worker.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Interval at which a worker looks whether Chatwoot's documents are due to be read again.
const PASS_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Reads Chatwoot's documents again for lists, every 25 s or as often as another process leaves it to this one, until
/// `ended`. Apart from [`run`], which must not wait for it. For a worker, and for a console without one, whose lists would
/// otherwise be slow as long as no worker runs.
pub async fn read_shadows(store: Arc<dyn RunnerStore>, ended: CancellationToken) {
    let mut ticks = interval(PASS_CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while store.is_chatwoot_database() {
        tokio::select! {
            () = ended.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = store.read_shadows().await {
            tracing::warn!(%error, "Chatwoot's documents could not be read again, so lists are slower");
        }
    }
}

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
                worker.measures.note_rescues(&rescued.delays);
                for report in &rescued.reports {
                    worker.reporter.report(report);
                }
                if !rescued.outcomes.is_empty() {
                    let message = format!("{} jobs of dead workers were made ready again", rescued.outcomes.len());
                    tracing::info!("{message}");
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
