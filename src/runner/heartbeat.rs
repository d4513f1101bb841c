//! The heartbeat: renews the leases of running jobs, and stops attempts whose lease is lost or that a person has
//! cancelled.
//!
//! The heartbeat runs on a separate thread with a separate small runtime, so that busy attempts never make a live
//! process look dead.

use super::running_jobs::Stop;
use super::worker::Worker;
use crate::fault;
use crate::store::LeaseStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Shortest time between a heartbeat that could not be written and the next one.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Starts the heartbeat's thread, which ends with the worker.
pub(super) fn start(worker: &Arc<Worker>) {
    let worker = Arc::clone(worker);
    let spawned = std::thread::Builder::new().name("heartbeat".into()).spawn(move || {
        match tokio::runtime::Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(run(&worker)),
            Err(error) => tracing::error!(%error, "the heartbeat cannot start its runtime; leases will expire"),
        }
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "the heartbeat cannot start its thread; leases will expire");
    }
}

async fn run(worker: &Worker) {
    let lease = worker.live().settings.lease;
    let mut ticks = interval(worker.live().settings.heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = worker.ended.cancelled() => return,
            _ = ticks.tick() => {}
            () = worker.write_check.retry(RETRY_PAUSE) => {}
        }
        worker.progress.note_heartbeat();
        let leased = worker.running_jobs.all();
        match worker.store.heartbeat(&worker.id, &leased, lease).await {
            Ok(statuses) => {
                worker.heartbeat_written(true);
                fault::point("after_heartbeat", if leased.is_empty() { "idle" } else { "busy" });
                for (leased, status) in leased.into_iter().zip(statuses) {
                    match status {
                        LeaseStatus::Renewed => {}
                        LeaseStatus::CancelRequested => worker.running_jobs.stop(leased, Stop::Cancel),
                        LeaseStatus::Lost => worker.running_jobs.stop(leased, Stop::Lost),
                    }
                }
            }
            // Attempts are not stopped just because time passes without a renewal: they may still have their lease. The
            // tokens decide once the database answers again.
            Err(error) => {
                worker.heartbeat_written(false);
                worker.store_unavailable(&error, worker.live().settings.heartbeat);
            }
        }
    }
}
