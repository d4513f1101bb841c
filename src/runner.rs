//! The job runner: claims, attempts, finishes, retries, rescues, schedules, drains. Knows no terminal and no SQL.
//!
//! [`start`] spawns the tasks of one worker and answers with the [`Handle`](handle::Handle) by which it is watched and
//! stopped. What survives a crash is in the store alone; this module holds only what is running right now.
//!
//! `settings` are the settings and the modes of a runner, `worker` is the state that its tasks share. `claim` keeps the slots
//! full and runs each job by `attempt`, under its lock (`locking`); `beat` renews leases, `rescue` takes over jobs of dead
//! workers, `schedule` puts due documents in the queue, `relay` delivers the messages of the outbox.

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
mod settings;
pub mod signals;
pub mod tail;
mod worker;

pub use settings::{Mode, Scheduling, Settings};

use crate::domain::id::WorkerId;
use crate::domain::outbox::Deliver;
use crate::domain::text::SafeLine;
use crate::fetch::Fetcher;
use crate::lock::Redis;
use crate::store::RunnerStore;
use event::{Health, LockHealth, RunnerStatus};
use handle::Handle;
use held::HeldJobs;
use relay::Relay;
use report::Reporter;
use std::sync::Arc;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::Worker;

/// Events that a slow watcher may be behind before it misses some.
const EVENTS: usize = 1_024;

/// Services that a worker uses.
pub struct Parts {
    /// Store of its jobs and documents.
    pub store: Arc<dyn RunnerStore>,
    /// Fetcher of its pages.
    pub fetcher: Arc<Fetcher>,
    /// Locks documents, and joins it to the other processes. The worker uses it until it has ended; closing it is the
    /// caller's.
    pub redis: Option<Arc<Redis>>,
    /// Subscribers of the outbox: outcomes of this worker are offered to them, and their messages delivered.
    pub subscribers: Vec<Arc<dyn Deliver>>,
    /// `host:pid`, for people.
    pub name: SafeLine,
}

/// Starts a worker. It runs until its handle drains or leaves it, or as its mode says; dropping the handle does not stop it.
pub fn start(parts: Parts, settings: Settings, mode: Mode) -> Handle {
    let Parts { store, fetcher, redis, subscribers, name } = parts;
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
        relays: subscribers.into_iter().map(Relay::new).collect(),
        name,
        settings,
        mode,
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
    relay::start(&worker);
    beat::start(&worker);
    tokio::spawn(rescue::run(Arc::clone(&worker)));
    tokio::spawn(schedule::run(Arc::clone(&worker)));
    if let Some(redis) = &worker.redis {
        signals::join(worker.store.clone(), redis, worker.events.clone(), worker.ended.clone());
        tokio::spawn(locking::watch(Arc::clone(&worker)));
    }
    tokio::spawn(claim::run(worker));
    handle
}
