//! The Redis lock during an attempt: acquired before the document is marked as syncing, verified before the result is
//! written. If another owner has the lock the job waits; the document's row and the job's counters stay unchanged.

use super::event::LockHealth;
use super::running_jobs::{Stop, wait_for_stop};
use super::worker::Worker;
use crate::domain::backoff::Backoff;
use crate::domain::content::PriorResponse;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::lock::{Lock, LockHolder, LockMode};
use crate::fault;
use crate::lock::LockResult;
use crate::store::{ClaimedJob, FinishResult, JobLease, MarkResult, MarkTiming, Result, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// Wait before the next attempt to acquire a document's lock that another owner has.
pub(super) const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Next step of an attempt, after a check of lock and store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    Run,
    /// The attempt has ended; nothing is left to write.
    Over,
    /// The job must be released.
    Release,
}

/// Returns the lock of a claimed job's document.
pub(super) fn lock_of(claimed: &ClaimedJob) -> Lock {
    Lock { document: claimed.document_id, job: claimed.lease.job_id, token: claimed.lease.token }
}

/// Returns true unless locks are required and Redis is unavailable, or fetching pauses.
pub(super) fn may_claim(worker: &Worker) -> bool {
    let may_lock = worker.redis.as_ref().is_none_or(|redis| redis.mode() != LockMode::Required || redis.is_connected());
    may_lock && !worker.fetch_pause.lasts() && !worker.is_off()
}

/// Returns when the next claim marks its documents as syncing: together with the claim while Redis is unavailable or
/// unused, else after the lock is acquired.
pub(super) fn marking(worker: &Worker) -> MarkTiming {
    match &worker.redis {
        Some(redis) if redis.is_connected() => MarkTiming::AfterLock,
        _ => MarkTiming::AtClaim,
    }
}

/// Acquires the lock, then marks the document's row as syncing. Does neither if the claim has marked the row already,
/// since Redis was unavailable or unused then. The fingerprint that the store reads while marking replaces the
/// fingerprint from the claim.
pub(super) async fn begin(
    worker: &Worker,
    claimed: &mut ClaimedJob,
    marking: MarkTiming,
    stop: &mut watch::Receiver<Option<Stop>>,
) -> NextStep {
    if marking == MarkTiming::AtClaim {
        return NextStep::Run;
    }
    match acquire(worker, lock_of(claimed)).await {
        LockAttempt::Proceed => {}
        LockAttempt::Busy(holder) => return defer(worker, claimed.lease, &holder, stop).await,
        LockAttempt::Release => return NextStep::Release,
    }
    fault::point("after_lock", &claimed.url);
    let lease = claimed.lease;
    match persist(worker, stop, || worker.store.mark(lease)).await {
        Ok(MarkResult::Marked { fingerprint }) => {
            set_fingerprint(claimed, fingerprint);
            NextStep::Run
        }
        Ok(MarkResult::Ended | MarkResult::LeaseLost) => NextStep::Over,
        Err(next) => next,
    }
}

/// Sets the fingerprint of the stored text. If another program has changed the text since the claim, forgets what
/// belonged to the text before.
fn set_fingerprint(claimed: &mut ClaimedJob, fingerprint: Option<Fingerprint>) {
    if claimed.stored.fingerprint != fingerprint {
        claimed.prior = PriorResponse::default();
        claimed.stored.converter = None;
        claimed.stored.template = None;
    }
    claimed.stored.fingerprint = fingerprint;
}

/// Acquires or extends the lock before a result is written. If another owner has it, the job is deferred instead. An
/// unavailable Redis prevents the write only if the lock is required.
pub(super) async fn verify(worker: &Worker, lock: Lock, stop: &mut watch::Receiver<Option<Stop>>) -> NextStep {
    match acquire(worker, lock).await {
        LockAttempt::Proceed => NextStep::Run,
        LockAttempt::Busy(holder) => {
            defer(worker, JobLease { job_id: lock.job, token: lock.token }, &holder, stop).await
        }
        LockAttempt::Release => NextStep::Release,
    }
}

/// Releases the lock of an ended attempt.
pub(super) async fn release(worker: &Worker, lock: Lock) {
    if let Some(redis) = &worker.redis {
        redis.release(lock).await;
    }
}

enum LockAttempt {
    /// This process owns the lock, or the sync goes on without it.
    Proceed,
    Busy(LockHolder),
    Release,
}

async fn acquire(worker: &Worker, lock: Lock) -> LockAttempt {
    let Some(redis) = &worker.redis else { return LockAttempt::Proceed };
    match redis.acquire(lock).await {
        Ok(LockResult::Acquired) => LockAttempt::Proceed,
        Ok(LockResult::Busy(holder)) => LockAttempt::Busy(holder),
        Err(_) if redis.mode() == LockMode::Required => LockAttempt::Release,
        // Lease and fence already exclude other workers; the lock only excludes other programs.
        Err(_) => LockAttempt::Proceed,
    }
}

async fn defer(
    worker: &Worker,
    lease: JobLease,
    holder: &LockHolder,
    stop: &mut watch::Receiver<Option<Stop>>,
) -> NextStep {
    match persist(worker, stop, || worker.store.defer(lease, holder, POLL_INTERVAL)).await {
        Ok(FinishResult::Written { .. } | FinishResult::LeaseLost) => NextStep::Over,
        Err(next) => next,
    }
}

/// Repeats a store call until it succeeds, the store's schema turns out to be newer, or the attempt must stop.
async fn persist<T, F: Future<Output = Result<T>>>(
    worker: &Worker,
    stop: &mut watch::Receiver<Option<Stop>>,
    operation: impl Fn() -> F,
) -> std::result::Result<T, NextStep> {
    let mut backoff = Backoff::of_service();
    loop {
        match operation().await {
            Ok(answer) => return Ok(answer),
            Err(StoreError::Schema(_)) => return Err(NextStep::Over),
            Err(error) => match wait_for_store(worker, &error, &mut backoff, stop).await {
                NextStep::Run => {}
                over => return Err(over),
            },
        }
    }
}

/// Waits before a store call is repeated. Returns [`NextStep::Run`] after the wait, else the step that the reason to
/// stop calls for.
pub(super) async fn wait_for_store(
    worker: &Worker,
    error: &StoreError,
    backoff: &mut Backoff,
    stop: &mut watch::Receiver<Option<Stop>>,
) -> NextStep {
    let wait = backoff.wait();
    worker.store_unavailable(error, wait);
    tokio::select! {
        () = sleep(wait) => {}
        why = wait_for_stop(stop) => match why {
            Stop::Lost => return NextStep::Over,
            Stop::Release => return NextStep::Release,
            // The store has recorded the cancel request and decides: the attempt's work may already be done.
            Stop::Cancel => sleep(wait).await,
        },
    }
    NextStep::Run
}

/// Publishes the state of the Redis locks, and releases running jobs when a required Redis is unavailable.
pub(super) async fn watch_redis(worker: Arc<Worker>) {
    let Some(redis) = worker.redis.clone() else { return };
    let mut state = redis.connection_state();
    loop {
        let now = state.borrow_and_update().clone();
        let unavailable = |since, reason| match redis.mode() {
            LockMode::Required => LockHealth::Stopped { since, reason },
            LockMode::Preferred | LockMode::Off => LockHealth::Degraded { since, reason },
        };
        let before = worker.locks.borrow().clone();
        let health = before.after(now, || worker.store.now(), unavailable);
        let stopped = matches!(health, LockHealth::Stopped { .. });
        worker.locks.send_if_modified(|shown| {
            let changed = *shown != health;
            *shown = health;
            changed
        });
        if stopped {
            worker.running_jobs.stop_all(Stop::Release);
        }
        worker.claim_wakeup.notify_one();
        tokio::select! {
            () = worker.ended.cancelled() => return,
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::body_digest::BodyDigest;
    use crate::domain::content::{ConverterVersion, StoredBaseline, Validators};
    use crate::domain::id::{AccountId, DocumentId, JobId, Token};
    use crate::domain::job::QueueClass;
    use crate::domain::retry::Counters;
    use crate::domain::time::Timestamp;

    #[test]
    fn a_text_that_changed_after_the_claim_is_not_the_one_that_the_response_before_brought() {
        let (ours, theirs) = (Some(Fingerprint::of("ours")), Some(Fingerprint::of("theirs")));
        let prior = PriorResponse {
            validators: Validators::new(Some("\"1\"".into()), None),
            body_digest: Some(BodyDigest::stored("d1".into())),
        };
        let claimed = ClaimedJob {
            lease: JobLease { job_id: JobId(1), token: Token(1) },
            document_id: DocumentId(1),
            account_id: AccountId(1),
            url: "https://a.test/".into(),
            class: QueueClass::Manual,
            counters: Counters::default(),
            stored: StoredBaseline {
                fingerprint: ours.clone(),
                converter: Some(ConverterVersion(3)),
                ..StoredBaseline::default()
            },
            prior,
            fetched_whole_at: None,
            host_template: None,
            started_at: Timestamp::from_micros(0),
        };
        let mut same = claimed.clone();
        set_fingerprint(&mut same, ours);
        assert_eq!(same, claimed);
        for changed in [theirs, None] {
            let mut other = claimed.clone();
            set_fingerprint(&mut other, changed.clone());
            assert_eq!((other.stored.fingerprint, other.stored.converter), (changed, None));
            assert_eq!(other.prior, PriorResponse::default());
        }
    }
}
