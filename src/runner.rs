//! The job runner: claims, attempts, finishes, retries, rescues, schedules, drains. Knows no terminal and no SQL.
//!
//! [`start`] spawns the tasks of one worker and answers with the [`Handle`](handle::Handle) by which it is watched and
//! stopped. What survives a crash is in the store alone; this room holds only what is running right now.

mod attempt;
mod beat;
mod claim;
pub mod event;
pub mod handle;
mod held;
mod locking;
pub mod log;
mod relay;
mod report;
mod rescue;
pub mod schedule;
pub mod signals;
pub mod tail;

use crate::chatwoot::faq_job::FaqSettings;
use crate::domain::id::WorkerId;
use crate::domain::retry::RetryPolicy;
use crate::domain::text::SafeLine;
use crate::fetch::Fetcher;
use crate::lock::{News, Redis};
use crate::store::{Store, StoreError, WorkerInfo};
use event::{Event, Health, LockHealth, RunnerStatus};
use handle::Handle;
use held::HeldJobs;
use report::Reporter;
use schedule::Scheduling;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Events that a slow watcher may be behind before it misses some.
const EVENTS: usize = 1_024;

/// How a worker runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Attempts at a time.
    pub slots: u32,
    /// Running jobs of one host, over all workers.
    pub per_host: u32,
    /// Running jobs of one account, over all workers; `None` is no cap.
    pub per_account: Option<u32>,
    /// How far apart two fetches of one host begin at least, over all workers; zero is no distance.
    pub host_interval: Duration,
    /// How long a claim stands without a heartbeat.
    pub lease: Duration,
    /// How often the leases are renewed.
    pub heartbeat: Duration,
    /// How long a drain waits for what runs before it releases it.
    pub drain: Duration,
    /// When failed attempts are tried again.
    pub policy: RetryPolicy,
    /// Whether, and how, Chatwoot is told of changed documents.
    pub faq: FaqSettings,
    /// `host:pid`, for people.
    pub worker_name: SafeLine,
    /// End by itself when nothing is running, ready or waiting, what is paused left aside (`work --drain`).
    pub drain_when_idle: bool,
    /// What it schedules by; `None`: it does not.
    pub schedule: Option<Scheduling>,
}

/// What the tasks of one worker share.
struct Worker {
    id: WorkerId,
    store: Arc<dyn Store>,
    fetcher: Arc<Fetcher>,
    redis: Option<Arc<Redis>>,
    settings: Settings,
    held: HeldJobs,
    /// Told when there is a reason to look at the queue: a slot was freed, or somebody said so.
    look: Arc<Notify>,
    attempts: TaskTracker,
    events: broadcast::Sender<Event>,
    status: watch::Sender<RunnerStatus>,
    health: watch::Sender<Health>,
    locks: watch::Sender<LockHealth>,
    reporter: Reporter,
    drain: CancellationToken,
    leave: CancellationToken,
    ended: CancellationToken,
}

impl Worker {
    /// Tells whoever watches; nobody watching is fine.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// A step or the end of an attempt: for this process, and for those that hear it over Redis.
    fn tell_all(&self, event: Event) {
        if let Some(redis) = &self.redis {
            match event {
                Event::Step { document, step } => redis.tell(News::Step(document, step)),
                Event::Ended { document } => redis.tell(News::Ended(document)),
                _ => {}
            }
        }
        self.tell(event);
    }

    fn info(&self) -> WorkerInfo {
        WorkerInfo { id: self.id.clone(), name: self.settings.worker_name.clone(), capacity: self.settings.slots }
    }

    /// The database answered.
    fn well(&self) {
        self.health.send_if_modified(|health| std::mem::take(health) != Health::Fine);
    }

    /// The database did not answer and is tried again after `wait`. A store of a newer program did answer: the claim loop
    /// ends the worker.
    fn unwell(&self, error: &StoreError, wait: Duration) {
        if matches!(error, StoreError::Schema(_)) {
            return;
        }
        let now = self.store.now();
        self.health.send_modify(|health| {
            let since = match health {
                Health::Unreachable { since, .. } => *since,
                Health::Fine => now,
            };
            *health =
                Health::Unreachable { since, reason: SafeLine::new(&error.to_string()), next_try_at: now.plus(wait) };
        });
    }
}

/// Starts a worker on `store`. It runs until its handle drains or leaves it (or it is idle, if so set); dropping the
/// handle does not stop it.
pub fn start(store: Arc<dyn Store>, fetcher: Arc<Fetcher>, settings: Settings) -> Handle {
    start_with(store, fetcher, None, settings)
}

/// The same with documents locked in `redis`, and joined to the other processes over it. The runner uses it until it
/// has ended; closing it is the caller's.
pub fn start_with(
    store: Arc<dyn Store>,
    fetcher: Arc<Fetcher>,
    redis: Option<Arc<Redis>>,
    settings: Settings,
) -> Handle {
    let (events, _) = broadcast::channel(EVENTS);
    let (status, status_seen) = watch::channel(RunnerStatus { slots: settings.slots, ..RunnerStatus::default() });
    let (health, health_seen) = watch::channel(Health::Fine);
    let (locks, locks_seen) = watch::channel(LockHealth::Off);
    let handle = Handle {
        events: events.clone(),
        status: status_seen,
        health: health_seen,
        locks: locks_seen,
        look: Arc::new(Notify::new()),
        drain: CancellationToken::new(),
        leave: CancellationToken::new(),
        ended: CancellationToken::new(),
    };
    let worker = Arc::new(Worker {
        id: WorkerId(uuid::Uuid::new_v4().to_string()),
        store,
        fetcher,
        redis,
        settings,
        held: HeldJobs::default(),
        look: Arc::clone(&handle.look),
        attempts: TaskTracker::new(),
        reporter: Reporter::new(events.clone()),
        events,
        status,
        health,
        locks,
        drain: handle.drain.clone(),
        leave: handle.leave.clone(),
        ended: handle.ended.clone(),
    });
    relay::begin(&worker);
    tokio::spawn(relay::run(Arc::clone(&worker)));
    beat::start(&worker);
    tokio::spawn(rescue::run(Arc::clone(&worker)));
    tokio::spawn(schedule::run(Arc::clone(&worker)));
    if let Some(redis) = &worker.redis {
        signals::join(&worker.store, redis, worker.events.clone(), worker.ended.clone());
        tokio::spawn(locking::watch(Arc::clone(&worker)));
    }
    tokio::spawn(claim::run(worker));
    handle
}
