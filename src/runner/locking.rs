//! The Redis lock during an attempt: acquired before the document is marked as syncing, verified before the result is
//! written. If another program owns the lock the job waits; its row and counters stay unchanged.

use super::event::LockHealth;
use super::held::{Stop, told};
use super::worker::Worker;
use crate::domain::backoff::Backoff;
use crate::domain::lock::{Lock, LockHolder, LockMode};
use crate::fault;
use crate::lock::Asked;
use crate::store::{Claimed, Finished, Held, Marked, Marking, Result, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Wait before a job whose document another program has locked is tried again.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Next step of an attempt, after a check of lock and store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Run,
    /// The attempt has ended; nothing is left to write.
    Over,
    /// The job must be released.
    GiveBack,
}

/// Returns the lock of a claimed job's document.
pub(super) fn lock_of(claimed: &Claimed) -> Lock {
    Lock { document: claimed.document_id, job: claimed.held.job_id, token: claimed.held.token }
}

/// Returns true unless locks are required and Redis is unavailable.
pub(super) fn may_claim(worker: &Worker) -> bool {
    worker.redis.as_ref().is_none_or(|redis| redis.mode() != LockMode::Required || redis.is_reached())
}

/// Returns when the next claim marks its documents as syncing: together with the claim while Redis is unavailable or
/// unused, else after the lock is acquired.
pub(super) fn marking(worker: &Worker) -> Marking {
    match &worker.redis {
        Some(redis) if redis.is_reached() => Marking::Apart,
        _ => Marking::AtClaim,
    }
}

/// Acquires the lock, then marks the document. The fingerprint that the mark reads replaces the one from the claim.
pub(super) async fn begin(
    worker: &Worker,
    claimed: &mut Claimed,
    marking: Marking,
    stop: &mut watch::Receiver<Option<Stop>>,
) -> Next {
    if marking == Marking::AtClaim {
        return Next::Run;
    }
    match ask(worker, lock_of(claimed)).await {
        Asking::GoOn => {}
        Asking::Busy(holder) => return defer(worker, claimed.held, &holder, stop).await,
        Asking::GiveBack => return Next::GiveBack,
    }
    fault::point("after_lock", &claimed.url);
    let held = claimed.held;
    match persist(worker, stop, || worker.store.mark(held)).await {
        Ok(Marked::Marked { fingerprint }) => {
            if claimed.stored.fingerprint != fingerprint {
                // The validators belong to a text that is not the stored one any more.
                claimed.validators = None;
                claimed.stored.converter = None;
            }
            claimed.stored.fingerprint = fingerprint;
            Next::Run
        }
        Ok(Marked::Ended | Marked::Late) => Next::Over,
        Err(next) => next,
    }
}

/// Acquires or extends the lock before a result is written. If another owner has it, nothing is written.
pub(super) async fn verify(worker: &Worker, lock: Lock, stop: &mut watch::Receiver<Option<Stop>>) -> Next {
    match ask(worker, lock).await {
        Asking::GoOn => Next::Run,
        Asking::Busy(holder) => defer(worker, Held { job_id: lock.job, token: lock.token }, &holder, stop).await,
        Asking::GiveBack => Next::GiveBack,
    }
}

/// Releases the lock of an ended attempt.
pub(super) async fn release(worker: &Worker, lock: Lock) {
    if let Some(redis) = &worker.redis {
        redis.release(lock).await;
    }
}

enum Asking {
    /// This process owns the lock, or the sync goes on without it.
    GoOn,
    Busy(LockHolder),
    GiveBack,
}

async fn ask(worker: &Worker, lock: Lock) -> Asking {
    let Some(redis) = &worker.redis else { return Asking::GoOn };
    match redis.hold(lock).await {
        Ok(Asked::Held) => Asking::GoOn,
        Ok(Asked::Busy(holder)) => Asking::Busy(holder),
        Err(_) if redis.mode() == LockMode::Required => Asking::GiveBack,
        // Lease and fence already exclude other workers; the lock only excludes other programs.
        Err(_) => Asking::GoOn,
    }
}

async fn defer(worker: &Worker, held: Held, holder: &LockHolder, stop: &mut watch::Receiver<Option<Stop>>) -> Next {
    match persist(worker, stop, || worker.store.defer(held, holder, LOOK_AGAIN)).await {
        Ok(Finished::Written { .. } | Finished::Late) => Next::Over,
        Err(next) => next,
    }
}

/// Repeats a store call until the store answers or the attempt must stop.
async fn persist<T, F: Future<Output = Result<T>>>(
    worker: &Worker,
    stop: &mut watch::Receiver<Option<Stop>>,
    ask: impl Fn() -> F,
) -> std::result::Result<T, Next> {
    let mut backoff = Backoff::of_service();
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(StoreError::Schema(_)) => return Err(Next::Over),
            Err(error) => match wait_for_store(worker, &error, &mut backoff, stop).await {
                Next::Run => {}
                over => return Err(over),
            },
        }
    }
}

/// Waits before a store call is repeated. Returns [`Next::Run`] after the wait, else the step that the reason to stop
/// calls for.
pub(super) async fn wait_for_store(
    worker: &Worker,
    error: &StoreError,
    backoff: &mut Backoff,
    stop: &mut watch::Receiver<Option<Stop>>,
) -> Next {
    let wait = backoff.wait();
    worker.unwell(error, wait);
    tokio::select! {
        () = sleep(wait) => {}
        why = told(stop) => match why {
            Stop::Lost => return Next::Over,
            Stop::Release => return Next::GiveBack,
            // The store knows about the cancel too and decides: the work may be done already.
            Stop::Cancel => sleep(wait).await,
        },
    }
    Next::Run
}

/// Publishes the state of the Redis locks, and releases running jobs when a required Redis is unavailable.
pub(super) async fn watch(worker: Arc<Worker>) {
    let Some(redis) = worker.redis.clone() else { return };
    let mut reach = redis.reach();
    loop {
        let now = reach.borrow_and_update().clone();
        let away = |since, reason| match redis.mode() {
            LockMode::Required => LockHealth::Stopped { since, reason },
            LockMode::Preferred | LockMode::Off => LockHealth::Degraded { since, reason },
        };
        let before = worker.locks.borrow().clone();
        let health = before.with(now, || worker.store.now(), away);
        let stopped = matches!(health, LockHealth::Stopped { .. });
        worker.locks.send_if_modified(|shown| {
            let changed = *shown != health;
            *shown = health;
            changed
        });
        if stopped {
            worker.held.stop_all(Stop::Release);
        }
        worker.look.notify_one();
        tokio::select! {
            () = worker.ended.cancelled() => return,
            changed = reach.changed() => if changed.is_err() { return },
        }
    }
}
