//! The claim loop: claims jobs, spawns their attempts, waits for free slots or new work, and shuts the worker down.

use super::event::{Event, Phase};
use super::held::Stop;
use super::settings::Mode;
use super::worker::Worker;
use super::{attempt, locking, relay};
use crate::domain::backoff::Backoff;
use crate::store::{ClaimLimits, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Longest wait between two reads of the queue. It bounds the delay after a missed signal and after a change of the
/// system clock.
const LOOK: Duration = Duration::from_secs(1);
/// Time within which stopped attempts must release their jobs, and the worker must sign off, before the process ends
/// without them.
const GIVE_BACK: Duration = Duration::from_secs(5);

/// Claims and starts jobs until the worker drains, leaves or has nothing to do; then shuts it down.
pub(super) async fn run(worker: Arc<Worker>) {
    let mut registered = false;
    let mut backoff = Backoff::of_claims();
    let mut changes = worker.store.changes();
    let mut mismatch = worker.store.schema_mismatch();
    if let Some(redis) = &worker.redis {
        // The first connection to Redis is settled in a moment; jobs claimed before that would run without a lock.
        tokio::select! {
            () = redis.settled() => {}
            () = worker.leave.cancelled() => {}
            () = worker.drain.cancelled() => {}
        }
    }
    loop {
        if worker.leave.is_cancelled() || worker.drain.is_cancelled() || is_outdated(&worker) {
            break;
        }
        changes.mark_unchanged();
        let until = match turn(&worker, &mut registered).await {
            Ok(Turn::Idle) => break,
            Ok(Turn::Until(until)) => {
                backoff.reset();
                worker.well();
                until
            }
            Err(error) => {
                let wait = backoff.wait();
                worker.unwell(&error, wait);
                sleep_or_stop(&worker, wait).await;
                continue;
            }
        };
        tokio::select! {
            () = worker.leave.cancelled() => {}
            () = worker.drain.cancelled() => {}
            () = worker.look.notified() => {}
            changed = changes.changed() => if changed.is_err() { break },
            Ok(()) = mismatch.changed() => {}
            () = sleep_until(until) => {}
        }
    }
    end(&worker, registered).await;
}

enum Turn {
    /// Poll the queue at this time, or earlier when something changes.
    Until(Instant),
    /// No work is left, and the mode is [`Mode::Drain`]: the worker ends.
    Idle,
}

/// Registers the worker if needed, stops attempts with a cancel request, claims once and starts the claimed attempts.
async fn turn(worker: &Arc<Worker>, registered: &mut bool) -> Result<Turn, StoreError> {
    if !*registered {
        worker.store.register(&worker.info()).await?;
        *registered = true;
    }
    for held in worker.store.cancels(&worker.held.all()).await? {
        worker.held.stop(held, Stop::Cancel);
    }
    let busy = u32::try_from(worker.held.len()).unwrap_or(u32::MAX);
    let may_claim = locking::may_claim(worker);
    let slots = if may_claim { worker.settings.slots.saturating_sub(busy) } else { 0 };
    let mut claimed = 0;
    if slots > 0 {
        let limits = ClaimLimits {
            slots,
            lease: worker.settings.lease,
            per_host: worker.settings.per_host,
            per_account: worker.settings.per_account,
            host_interval: worker.settings.host_interval,
            marking: locking::marking(worker),
        };
        for job in worker.store.claim(&worker.id, limits).await? {
            claimed += 1;
            let stop = worker.held.take(job.held);
            worker.attempts.spawn(attempt::run(Arc::clone(worker), job, limits.marking, stop));
        }
    }
    show(worker, Phase::Running);
    if may_claim && claimed == slots {
        return Ok(Turn::Until(Instant::now() + LOOK));
    }
    let queue = worker.store.queue().await?;
    // Paused jobs do not count: they may stay paused for days.
    let nothing = queue.running == 0 && queue.ready + queue.waiting <= queue.paused;
    if worker.mode == Mode::Drain && nothing && worker.held.len() == 0 {
        return Ok(Turn::Idle);
    }
    let due = queue.next_due_at.map(|at| at.since(worker.store.now()));
    Ok(Turn::Until(Instant::now() + due.unwrap_or(LOOK).min(LOOK)))
}

fn show(worker: &Worker, phase: Phase) {
    let busy = u32::try_from(worker.held.len()).unwrap_or(u32::MAX);
    worker.status.send_if_modified(|status| {
        let changed = (status.phase, status.busy) != (phase, busy);
        status.phase = phase;
        status.busy = busy;
        changed
    });
}

async fn sleep_or_stop(worker: &Worker, wait: Duration) {
    tokio::select! {
        () = worker.leave.cancelled() => {}
        () = worker.drain.cancelled() => {}
        () = sleep(wait) => {}
    }
}

/// Returns true if a newer version has migrated the store: this process must not write any more.
fn is_outdated(worker: &Worker) -> bool {
    worker.store.schema_mismatch().borrow().is_some()
}

/// Shuts the worker down. Running attempts may finish within the drain time; then, or at once when leaving, the rest is
/// released. On a store that a newer version has migrated neither can be written: running attempts are dropped, and a
/// newer worker takes them over as soon as this process ends.
async fn end(worker: &Arc<Worker>, registered: bool) {
    worker.attempts.close();
    let deadline = Instant::now() + worker.settings.drain;
    let mut mismatch = worker.store.schema_mismatch();
    let ends = |worker: &Worker| worker.leave.is_cancelled() || is_outdated(worker);
    while !ends(worker) && worker.held.len() > 0 && Instant::now() < deadline {
        show(worker, Phase::Draining);
        tokio::select! {
            Ok(()) = mismatch.changed() => {}
            () = worker.leave.cancelled() => {}
            () = worker.look.notified() => {}
            () = sleep_until(deadline) => {}
            // A cancel requested during the drain still stops its attempt.
            () = sleep(LOOK) => for held in worker.store.cancels(&worker.held.all()).await.unwrap_or_default() {
                worker.held.stop(held, Stop::Cancel);
            },
        }
    }
    show(worker, Phase::Draining);
    worker.held.stop_all(if is_outdated(worker) { Stop::Lost } else { Stop::Release });
    if timeout(GIVE_BACK, worker.attempts.wait()).await.is_err() {
        worker.tell(Event::Trouble { message: "some jobs could not be given back; their leases run out".into() });
    }
    if registered
        && let Ok(Err(error)) = timeout(GIVE_BACK, worker.store.unregister(&worker.id)).await
        && !matches!(error, StoreError::Schema(_))
    {
        worker.tell(Event::Trouble { message: format!("this worker could not sign off: {error}").as_str().into() });
    }
    show(worker, Phase::Stopped);
    relay::last(worker).await;
    worker.ended.cancel();
}
