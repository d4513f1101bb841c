//! The Redis lock in the course of an attempt: acquired before the row is marked, checked again before the end is
//! written. A lock that another program holds makes the job wait; its row and counters stay as they are.

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

/// Interval at which a lock that another program holds is polled.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Next step of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The attempt goes on.
    Run,
    /// The attempt is over; everything is written.
    Over,
    /// The job must be released.
    GiveBack,
}

/// The lock of a claimed job's document.
pub(super) fn lock_of(claimed: &Claimed) -> Lock {
    Lock { document: claimed.document_id, job: claimed.held.job_id, token: claimed.held.token }
}

/// Returns true unless a required lock cannot be acquired.
pub(super) fn may_claim(worker: &Worker) -> bool {
    worker.redis.as_ref().is_none_or(|redis| redis.mode() != LockMode::Required || redis.is_reached())
}

/// Returns when the rows of the next claim are marked: with the claim while Redis is unreachable, else after locking.
pub(super) fn marking(worker: &Worker) -> Marking {
    match &worker.redis {
        Some(redis) if redis.is_reached() => Marking::Apart,
        _ => Marking::AtClaim,
    }
}

/// Lock first, then the mark. What the mark finds (the fingerprint) replaces what the claim found.
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
                // What the server gave speaks of a text that is not the stored one any more.
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

/// Before an end is written: the lock must be ours, still or again. Another's means that nothing is written.
pub(super) async fn verify(worker: &Worker, lock: Lock, stop: &mut watch::Receiver<Option<Stop>>) -> Next {
    match ask(worker, lock).await {
        Asking::GoOn => Next::Run,
        Asking::Busy(holder) => defer(worker, Held { job_id: lock.job, token: lock.token }, &holder, stop).await,
        Asking::GiveBack => Next::GiveBack,
    }
}

/// The attempt is over: its lock goes back.
pub(super) async fn release(worker: &Worker, lock: Lock) {
    if let Some(redis) = &worker.redis {
        redis.release(lock).await;
    }
}

enum Asking {
    /// The lock is ours, or the sync goes on without it.
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
        // Lease and fence are what keeps writers apart; the lock is for other programs.
        Err(_) => Asking::GoOn,
    }
}

async fn defer(worker: &Worker, held: Held, holder: &LockHolder, stop: &mut watch::Receiver<Option<Stop>>) -> Next {
    match persist(worker, stop, || worker.store.defer(held, holder, LOOK_AGAIN)).await {
        Ok(Finished::Written { .. } | Finished::Late) => Next::Over,
        Err(next) => next,
    }
}

/// Asks the store until it answers, or until the attempt is told to stop.
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

/// Waits before the store is asked again. Returns [`Next::Run`] when the wait is over, else what the attempt was told
/// meanwhile.
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
            // The store knows of the cancel too, and decides: the work may be done already.
            Stop::Cancel => sleep(wait).await,
        },
    }
    Next::Run
}

/// Shows whether Redis answers, in words, and stops what may not go on without it.
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
