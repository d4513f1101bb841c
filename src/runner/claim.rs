//! The claim loop: claims jobs, spawns their attempts, waits for free slots or new work, and shuts the worker down.

use super::event::{Event, Phase};
use super::live::LiveSettings;
use super::running_jobs::Stop;
use super::settings::Mode;
use super::worker::Worker;
use super::{attempt, locking, relay, templates};
use crate::domain::backoff::Backoff;
use crate::domain::time::Timestamp;
use crate::domain::topic::{Topic, TopicSet};
use crate::fault;
use crate::store::{ClaimLimits, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Longest wait between two reads of the queue while the database answers. It bounds the delay after a missed signal
/// and after a change of the system clock.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Time after a wake-up for which a busy worker waits before it claims. Attempts whose finishes were written together end
/// within it, so that one claim fills all their slots.
const CLAIM_DELAY: Duration = Duration::from_millis(1);
/// The same wait as a share of the time that a claim takes, if that is longer: one claim then fills more slots.
const CLAIM_DELAY_SHARE: u32 = 4;
/// Duration of a claim from which on the database is slow or far away. Results that wait to be written then occupy no
/// slot, so that the next pages are fetched meanwhile.
const SLOW_CLAIM: Duration = Duration::from_millis(10);
/// Shortest time between two reads of the cancel requests.
const CANCEL_INTERVAL: Duration = Duration::from_millis(100);
/// Shortest time between two reads of the queue's figures while attempts run.
const QUEUE_INTERVAL: Duration = Duration::from_millis(250);
/// The topics of changes after which a claim may find a job.
const CLAIM_TOPICS: TopicSet = TopicSet::of(&[Topic::Jobs, Topic::Hosts, Topic::Pauses]);
/// Longest wait of a worker that ends, first for stopped attempts to release their jobs, then for the store to remove
/// the worker.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Claims and starts jobs until the worker drains or leaves, a newer version has migrated the store or, with
/// [`Mode::Drain`], no work is left; then shuts the worker down.
pub(super) async fn run(worker: Arc<Worker>) {
    let _end = EndGuard(worker.ended.clone());
    let mut state = LoopState::default();
    let mut backoff = Backoff::of_claims();
    let mut changes = worker.store.changes().only(CLAIM_TOPICS);
    let mut mismatch = worker.store.schema_mismatch();
    if let Some(redis) = &worker.redis {
        // The first attempt to connect to Redis ends in a moment; jobs claimed before that could run without a lock.
        tokio::select! {
            () = redis.first_connection() => {}
            () = worker.leave.cancelled() => {}
            () = worker.drain.cancelled() => {}
        }
    }
    loop {
        worker.progress.note_claim_round();
        fault::point("claim_loop", "");
        if worker.leave.is_cancelled() || worker.drain.is_cancelled() || is_outdated(&worker) {
            break;
        }
        if changes.has_changed() {
            state.forecast = Forecast::Unknown;
        }
        changes.mark_unchanged();
        let until = match claim_round(&worker, &mut state).await {
            Ok(ClaimRound::Idle) => break,
            Ok(ClaimRound::PollAt(until)) => {
                backoff.reset();
                worker.store_readable();
                until
            }
            Err(error) => {
                let wait = backoff.wait();
                worker.store_unavailable(&error, wait);
                sleep_or_stop(&worker, wait).await;
                continue;
            }
        };
        tokio::select! {
            () = worker.leave.cancelled() => {}
            () = worker.drain.cancelled() => {}
            () = worker.claim_wakeup.notified() => {}
            changed = changes.changed() => if changed.is_err() { break },
            Ok(()) = mismatch.changed() => {}
            () = sleep_until(until) => {}
        }
        if worker.running_jobs.len() > 0 {
            sleep(CLAIM_DELAY.max(state.claim_took / CLAIM_DELAY_SHARE)).await;
        }
    }
    shut_down(&worker, state.registered).await;
}

/// Ends the worker when its runtime is shut down around the claim loop: the heartbeat has a thread of its own, which
/// would otherwise keep the store open for ever. After a panic of the loop, running attempts still need the heartbeat.
struct EndGuard(CancellationToken);

impl Drop for EndGuard {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.0.cancel();
        }
    }
}

/// The state that the loop keeps from one round to the next.
#[derive(Default)]
struct LoopState {
    registered: bool,
    /// Settings with which the worker is registered.
    live: Option<Arc<LiveSettings>>,
    /// The last read of the cancel requests.
    cancels_read: Option<Instant>,
    /// Duration of the last claim that found a job.
    claim_took: Duration,
    /// The last read of the queue's figures.
    queue_read: Option<Instant>,
    forecast: Forecast,
}

/// Returns true if at least `interval` has passed since `last`.
fn is_due(last: Option<Instant>, interval: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= interval)
}

/// The next time at which a job is due, as far as it is known. Reading it counts all jobs, so an idle worker reads it
/// only after a change.
#[derive(Clone, Copy, Debug, Default)]
enum Forecast {
    #[default]
    Unknown,
    /// `None` if no job is scheduled.
    NextDue(Option<Timestamp>),
}

enum ClaimRound {
    /// Poll the queue at this time, or earlier when something changes.
    PollAt(Instant),
    /// No work is left, and the mode is [`Mode::Drain`]: the worker ends.
    Idle,
}

/// Registers the worker if needed, stops attempts with a cancel request, claims once and starts the claimed attempts.
async fn claim_round(worker: &Arc<Worker>, state: &mut LoopState) -> Result<ClaimRound, StoreError> {
    if !state.registered {
        state.live = Some(worker.live());
        worker.store.register(&worker.info()).await?;
        state.registered = true;
        worker.progress.note_registered();
    }
    let live = worker.live();
    if !state.live.as_ref().is_some_and(|registered| Arc::ptr_eq(registered, &live)) {
        worker.store.update_worker(&worker.info()).await?;
        worker.status.send_modify(|status| status.slots = live.settings.slots);
        state.live = Some(live);
    }
    let cancels_due = is_due(state.cancels_read, CANCEL_INTERVAL);
    let may_claim = locking::may_claim(worker);
    let slots = if may_claim { free_slots(worker, state.claim_took) } else { 0 };
    let begun = Instant::now();
    // At the same time, since each waits for the database, which may be far away.
    let (cancelled, claimed) = tokio::join!(stop_cancelled(worker, cancels_due), claim(worker, slots));
    cancelled?;
    if cancels_due {
        state.cancels_read = Some(Instant::now());
    }
    let claimed = claimed?;
    if claimed > 0 {
        state.claim_took = begun.elapsed();
        worker.measures.note_claim(state.claim_took);
    }
    publish_status(worker, if worker.is_off() { Phase::Off } else { Phase::Running });
    // A request that this round did not read is read by the next one.
    let next = Instant::now() + if cancels_due { POLL_INTERVAL } else { CANCEL_INTERVAL };
    if may_claim && claimed == slots {
        return Ok(ClaimRound::PollAt(next));
    }
    let now = worker.store.now();
    let is_recent = worker.running_jobs.len() > 0 && !is_due(state.queue_read, QUEUE_INTERVAL);
    let next_due_at = match state.forecast {
        Forecast::NextDue(at) if worker.live().mode != Mode::Drain && at.is_none_or(|at| at > now) => at,
        // A busy worker gets new work at each commit; it reads the figures a moment later.
        _ if is_recent => return Ok(ClaimRound::PollAt(next.min(Instant::now() + QUEUE_INTERVAL))),
        _ => {
            let queue = worker.store.queue().await?;
            state.queue_read = Some(Instant::now());
            // Paused jobs do not count: they may stay paused for days.
            let nothing = queue.running == 0 && queue.ready + queue.waiting <= queue.paused;
            let nothing =
                nothing || worker.live().mode == Mode::Drain && queue.running == 0 && !has_fetchable(worker).await?;
            let is_idle = nothing && worker.running_jobs.len() == 0 && worker.sources_read.is_cancelled();
            if worker.live().mode == Mode::Drain && is_idle {
                return Ok(ClaimRound::Idle);
            }
            state.forecast = Forecast::NextDue(queue.next_due_at);
            queue.next_due_at
        }
    };
    let due = next_due_at.map(|at| at.since(worker.store.now()));
    Ok(ClaimRound::PollAt(next.min(Instant::now() + due.unwrap_or(POLL_INTERVAL).min(POLL_INTERVAL))))
}

/// Returns false if this worker can fetch none of the documents whose jobs are ready or wait; only then does it ask the
/// store.
async fn has_fetchable(worker: &Worker) -> Result<bool, StoreError> {
    Ok(worker.live().unfetchable.is_empty() || worker.store.has_fetchable_jobs(&worker.id).await?)
}

/// Returns the number of slots that a claim may fill. While claims are slow, results that wait to be written count only
/// beyond the number of slots, which bounds the jobs that a worker has.
fn free_slots(worker: &Worker, claim_took: Duration) -> u32 {
    let number = |jobs: usize| u32::try_from(jobs).unwrap_or(u32::MAX);
    let slots = worker.live().settings.slots;
    let running = number(worker.running_jobs.len());
    let occupied = match claim_took >= SLOW_CLAIM {
        true => number(worker.running_jobs.fetching()).max(running.saturating_sub(slots)),
        false => running,
    };
    slots.saturating_sub(occupied)
}

/// Stops the attempts whose jobs have a cancel request, if it is time to read the requests.
async fn stop_cancelled(worker: &Worker, is_due: bool) -> Result<(), StoreError> {
    if is_due {
        for lease in worker.store.cancel_requested(&worker.running_jobs.all()).await? {
            worker.running_jobs.stop(lease, Stop::Cancel);
        }
    }
    Ok(())
}

/// Claims jobs for up to `slots` slots, starts their attempts, and returns their number.
async fn claim(worker: &Arc<Worker>, slots: u32) -> Result<u32, StoreError> {
    if slots == 0 {
        return Ok(0);
    }
    let limits = ClaimLimits {
        slots,
        lease: worker.live().settings.lease,
        per_host: worker.live().settings.per_host,
        per_account: worker.live().settings.per_account,
        host_interval: worker.live().settings.host_interval,
        mark_timing: locking::marking(worker),
    };
    let jobs = worker.store.claim(&worker.id, limits).await?;
    let claimed = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
    if claimed > 0 {
        tracing::debug!(claimed, slots, "jobs were claimed");
    }
    for job in jobs {
        fault::point("after_claim", &job.url);
        let stop = worker.running_jobs.insert(job.lease);
        worker.attempts.spawn(attempt::run(Arc::clone(worker), job, limits.mark_timing, stop));
    }
    Ok(claimed)
}

fn publish_status(worker: &Worker, phase: Phase) {
    let busy = u32::try_from(worker.running_jobs.len()).unwrap_or(u32::MAX);
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

/// Shuts the worker down. Running attempts may finish within the drain time. After it, or at once if the worker leaves,
/// the jobs that still run are released. On a store that a newer version has migrated, neither results nor releases can
/// be written: running attempts are dropped, and a worker of the newer version takes their jobs over as soon as this
/// process ends.
async fn shut_down(worker: &Arc<Worker>, registered: bool) {
    fault::point("shut_down", "");
    worker.attempts.close();
    let deadline = Instant::now() + worker.live().settings.drain;
    let mut mismatch = worker.store.schema_mismatch();
    let ends = |worker: &Worker| worker.leave.is_cancelled() || is_outdated(worker);
    while !ends(worker) && worker.running_jobs.len() > 0 && Instant::now() < deadline {
        worker.progress.note_claim_round();
        publish_status(worker, Phase::Draining);
        tokio::select! {
            Ok(()) = mismatch.changed() => {}
            () = worker.leave.cancelled() => {}
            () = worker.claim_wakeup.notified() => {}
            () = sleep_until(deadline) => {}
            // A cancel requested during the drain still stops its attempt.
            () = sleep(POLL_INTERVAL) => for lease in worker.store.cancel_requested(&worker.running_jobs.all()).await.unwrap_or_default() {
                worker.running_jobs.stop(lease, Stop::Cancel);
            },
        }
    }
    worker.progress.note_claim_round();
    publish_status(worker, Phase::Draining);
    worker.running_jobs.stop_all(if is_outdated(worker) { Stop::Lost } else { Stop::Release });
    if timeout(RELEASE_TIMEOUT, worker.attempts.wait()).await.is_err() {
        worker.emit(Event::Problem {
            message: "some jobs could not be returned to the queue; their leases will expire".into(),
        });
    }
    if registered
        && let Ok(Err(error)) = timeout(RELEASE_TIMEOUT, worker.store.unregister(&worker.id)).await
        && !matches!(error, StoreError::Schema(_))
    {
        worker.emit(Event::Problem {
            message: format!("this worker could not be unregistered: {error}").as_str().into(),
        });
    }
    publish_status(worker, Phase::Stopped);
    templates::fold_remaining(worker).await;
    relay::deliver_remaining(worker).await;
    worker.ended.cancel();
}
