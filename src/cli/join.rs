//! Puts runner, lock and fetch together from the settings.

use super::exit::CliError;
use super::output::note;
use crate::config::Config;
use crate::domain::lock::LockMode;
use crate::domain::schedule::Terms;
use crate::domain::text::SafeLine;
use crate::fetch::{AllowedHost, AllowedHostError, Fetcher, Firecrawl, Limits, check_sources};
use crate::lock::{self, AddressError, Redis};
use crate::runner::event::LockHealth;
use crate::runner::handle::Handle;
use crate::runner::schedule::Scheduling;
use crate::runner::{Settings, start_with};
use crate::store::Store;
use std::sync::Arc;

/// When the runner ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// When it is told to.
    Told,
    /// When the verb that started it has what it waits for; nothing is scheduled meanwhile.
    Served,
    /// By itself, when nothing is running, ready or waiting.
    Idle,
}

/// `host:pid`: this process, for people.
pub(super) fn worker_name() -> SafeLine {
    let system = rustix::system::uname();
    SafeLine::new(&format!("{}:{}", system.nodename().to_string_lossy(), std::process::id()))
}

/// What a process wants of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// It runs jobs: locks and news.
    Locks,
    /// It watches: news alone, no key is ever set.
    News,
}

/// The Redis of the settings, used for `store`; `None` when there is none, or it is off. Closing it is the caller's.
pub(super) async fn redis(
    config: &Config,
    store: &Arc<dyn Store>,
    wants: Wants,
) -> Result<Option<Arc<Redis>>, CliError> {
    let Some(mut settings) = redis_settings(config) else { return Ok(None) };
    if wants == Wants::News {
        settings.mode = LockMode::Off;
    }
    Redis::start(&settings, store.id().await?).map(Some).map_err(wrong_address)
}

/// Tells the other processes of `store` that it has changed, for a verb that asks and goes.
pub(super) async fn announce(config: &Config, store: &dyn Store) -> Result<(), CliError> {
    let Some(settings) = redis_settings(config) else { return Ok(()) };
    lock::announce(&settings, &store.id().await?).await.map_err(wrong_address)
}

/// How Redis is used; `None` when there is none, or it is off.
pub(super) fn redis_settings(config: &Config) -> Option<lock::Settings> {
    let url = config.redis.url.clone().filter(|_| config.redis.lock != LockMode::Off)?;
    let (key, mode) = (config.redis.key.clone(), config.redis.lock);
    Some(lock::Settings { url, key, mode, renew: config.runner.heartbeat, call: lock::CALL })
}

fn wrong_address(error: AddressError) -> CliError {
    let key = if error == AddressError::Key { "redis.key" } else { "redis.url" };
    CliError::Usage(format!("{key} {error}"))
}

/// Says on stderr when the locks are lost and when they are back, until the runner has ended.
pub(super) fn say_locks(runner: &Handle) {
    let (mut locks, runner) = (runner.locks(), runner.clone());
    let saying = async move {
        let mut away = false;
        loop {
            let words = locks.borrow_and_update().words();
            if words.is_some() != away {
                away = words.is_some();
                note(words.as_deref().unwrap_or(LockHealth::BACK));
            }
            if locks.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            () = saying => {}
            () = runner.ended() => {}
        }
    });
}

/// What the schedule goes by.
pub(super) fn terms(config: &Config) -> Terms {
    let schedule = &config.schedule;
    Terms {
        plans: config.plans.clone(),
        rules: schedule.rules,
        per_account: schedule.per_account,
        total: schedule.total,
        queue_depth: Some(schedule.queue_depth),
    }
}

/// What a runner schedules by.
pub(super) fn scheduling(config: &Config) -> Scheduling {
    Scheduling { terms: terms(config), enabled: config.schedule.enabled }
}

/// Starts the runner of this process.
pub(super) fn start_runner(
    config: &Config,
    store: Arc<dyn Store>,
    redis: Option<Arc<Redis>>,
    until: Until,
) -> Result<Handle, CliError> {
    let fetcher = Fetcher::new(limits(config)?).map_err(|error| CliError::Usage(error.to_string()))?;
    let runner = &config.runner;
    let settings = Settings {
        slots: runner.concurrency,
        per_host: runner.per_host,
        per_account: runner.per_account,
        host_interval: config.fetch.host_interval,
        lease: runner.lease,
        heartbeat: runner.heartbeat,
        drain: runner.drain,
        policy: config.retry.clone(),
        faq: config.chatwoot.clone(),
        worker_name: worker_name(),
        drain_when_idle: until == Until::Idle,
        schedule: (until == Until::Told).then(|| scheduling(config)),
    };
    Ok(start_with(store, Arc::new(fetcher), redis, settings))
}

/// What a fetch is held to.
pub(super) fn limits(config: &Config) -> Result<Limits, CliError> {
    let fetch = &config.fetch;
    let allowed = |host: &String| {
        let wrong =
            |error: AllowedHostError| CliError::Usage(format!("fetch.allow_private_hosts: \"{host}\": {error}"));
        host.parse::<AllowedHost>().map_err(wrong)
    };
    check_sources(&fetch.sources).map_err(|wrong| CliError::Usage(format!("{}: {wrong}", fetch.sources_place)))?;
    Ok(Limits {
        connect_timeout: fetch.connect_timeout,
        read_timeout: fetch.read_timeout,
        total_timeout: fetch.total_timeout,
        max_body: fetch.max_body,
        max_memory: fetch.max_memory,
        max_redirects: fetch.max_redirects,
        user_agent: fetch.user_agent.clone(),
        respect_robots: fetch.respect_robots,
        firecrawl: fetch.firecrawl_api_key.clone().map(|api_key| Firecrawl {
            api_key,
            url: fetch.firecrawl_url.clone(),
            version: fetch.firecrawl_version,
        }),
        sources: fetch.sources.clone(),
        allow_private_hosts: fetch.allow_private_hosts.iter().map(allowed).collect::<Result<_, _>>()?,
        dns_servers: fetch.dns_servers.clone(),
        proxy: fetch.proxy.clone(),
        denied_ports: fetch.denied_ports.clone(),
    })
}
