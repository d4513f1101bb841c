//! The job runner: claims, attempts, finishes, retries, rescues, schedules, drains. It contains no terminal code and no
//! SQL.
//!
//! [`start`] spawns the tasks of one worker and returns the [`Handle`](handle::Handle) by which callers watch and stop
//! it. Everything that must survive a crash is in the store; this module only knows the running jobs.
//!
//! `settings` has the settings and modes of a runner, `live` those that apply now, `worker` the state that its tasks share. `claim` keeps the slots
//! full and runs each job by `attempt`, under the document's lock (`locking`), with the `representation` of its host, unless there is a `fetch_pause`; `heartbeat` renews leases, `rescue`
//! makes the jobs of dead workers ready again, `schedule` enqueues due documents, `relay` delivers the messages of the
//! outbox, `retention` removes what is old, `templates` learns what recurs on the pages of a host, `crawling` follows Chatwoot's way of fetching pages,
//! `sinks` notices which sinks are registered, `command_sink` delivers to commands, and `sources` reads which pages
//! sites have.

mod attempt;
mod chatwoot_text;
mod claim;
mod command_sink;
mod crawling;
pub mod event;
mod fetch_pause;
pub mod handle;
mod heartbeat;
mod live;
mod locking;
pub mod log;
pub mod measures;
pub mod progress;
mod relay;
mod report;
mod representation;
mod rescue;
mod retention;
mod running_jobs;
pub mod schedule;
mod settings;
pub mod signals;
mod sinks;
mod sources;
pub mod tail;
mod templates;
mod worker;

pub use command_sink::CommandSink;
pub use crawling::{access as firecrawl_access, is_fetched_otherwise};
pub use rescue::read_shadows;
pub use settings::{Mode, Scheduling, Settings};
pub use sinks::follow_sinks;
pub use sources::read_source;

use crate::domain::id::WorkerId;
use crate::domain::outbox::Deliver;
use crate::domain::text::SafeLine;
use crate::fetch::Fetcher;
use crate::lock::Redis;
use crate::store::RunnerStore;
use crawling::KnownCrawling;
use event::{Health, LockHealth, RunnerStatus};
use fetch_pause::FetchPause;
use handle::Handle;
use live::{LiveSettings, LiveSettingsCell};
use measures::Measures;
use progress::Progress;
use relay::Relay;
use report::Reporter;
use representation::HostMarkdownCache;
use running_jobs::RunningJobs;
use std::sync::Arc;
use templates::Templates;
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use worker::{Worker, WriteCheck};

/// Maximum number of events buffered for a slow receiver. A receiver that falls further behind misses some.
const EVENT_CAPACITY: usize = 1_024;

/// Services that a worker uses (store, fetcher, Redis, subscribers), and the worker's name.
pub struct Services {
    pub store: Arc<dyn RunnerStore>,
    pub fetcher: Arc<Fetcher>,
    /// Locks documents and connects the worker to the other processes. The worker uses this connection until the worker
    /// has ended; the caller closes the connection.
    pub redis: Option<Arc<Redis>>,
    /// Subscribers of the outbox: the store offers them the outcomes of this worker, and relays deliver their messages.
    pub subscribers: Vec<Arc<dyn Deliver>>,
    /// Name of the worker for display, `host:pid`.
    pub name: SafeLine,
}

/// Starts a worker. The worker runs until its handle drains it or makes it leave, or until its mode ends it. Dropping
/// the handle does not stop the worker.
pub fn start(parts: Services, settings: Settings, mode: Mode) -> Handle {
    let Services { store, fetcher, redis, subscribers, name } = parts;
    let (events, _) = broadcast::channel(EVENT_CAPACITY);
    let (status, status_receiver) = watch::channel(RunnerStatus { slots: settings.slots, ..RunnerStatus::default() });
    let (health, health_receiver) = watch::channel(Health::Fine);
    let (locks, locks_receiver) = watch::channel(LockHealth::Off);
    let progress = Arc::new(Progress::new(settings.heartbeat));
    let measures = Arc::new(Measures::default());
    let live = LiveSettingsCell::new(LiveSettings::new(settings, mode, fetcher));
    let handle = Handle {
        live: live.clone(),
        measures: Arc::clone(&measures),
        progress: Arc::clone(&progress),
        events: events.clone(),
        status: status_receiver,
        health: health_receiver,
        locks: locks_receiver,
        claim_wakeup: Arc::new(Notify::new()),
        off: Arc::default(),
        drain: CancellationToken::new(),
        leave: CancellationToken::new(),
        ended: CancellationToken::new(),
    };
    let worker = Arc::new(Worker {
        id: WorkerId(uuid::Uuid::new_v4().to_string()),
        store,
        redis,
        relays: subscribers.into_iter().map(Relay::new).collect(),
        name,
        live: live.clone(),
        host_markdown: HostMarkdownCache::default(),
        running_jobs: RunningJobs::default(),
        templates: Templates::default(),
        crawling: KnownCrawling::default(),
        measures,
        progress,
        fetch_pause: FetchPause::default(),
        claim_wakeup: Arc::clone(&handle.claim_wakeup),
        write_check: WriteCheck::default(),
        attempts: TaskTracker::new(),
        reporter: Reporter::new(events.clone()),
        events,
        status,
        health,
        locks,
        off: Arc::clone(&handle.off),
        drain: handle.drain.clone(),
        leave: handle.leave.clone(),
        ended: handle.ended.clone(),
        last_deliveries: CancellationToken::new(),
        sources_read: CancellationToken::new(),
    });
    relay::start(&worker);
    heartbeat::start(&worker);
    tokio::spawn(rescue::run(Arc::clone(&worker)));
    tokio::spawn(rescue::read_shadows(worker.store.clone(), worker.ended.clone()));
    tokio::spawn(crawling::follow(Arc::clone(&worker)));
    tokio::spawn(schedule::run(Arc::clone(&worker)));
    tokio::spawn(retention::run(Arc::clone(&worker)));
    tokio::spawn(sinks::follow_sinks(worker.store.clone(), worker.ended.clone()));
    tokio::spawn(sources::run(Arc::clone(&worker)));
    tokio::spawn(templates::run(Arc::clone(&worker)));
    if let Some(redis) = &worker.redis {
        signals::join(worker.store.clone(), redis, worker.events.clone(), worker.ended.clone());
        tokio::spawn(locking::watch_redis(Arc::clone(&worker)));
    }
    tokio::spawn(claim::run(worker));
    handle
}
