//! Builds the runner, the Redis connection and the fetcher from the settings, and connects them with each other.

use super::crawling::followed;
use super::exit::CliError;
use super::limits::ensure_open_files;
use super::output::problem;
use super::probe::HostFacts;
use super::subscribers;
use crate::config::Config;
use crate::domain::extraction::{ExplainedPage, PageExplainer};
use crate::domain::failure::Failure;
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::fetch::{Fetcher, probe};
use crate::lock::{self, AddressError, Redis, Role};
use crate::runner::event::LockHealth;
use crate::runner::handle::Handle;
use crate::runner::{self, Mode, Services};
use crate::store::{Store, StoreError};
use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;

/// Returns `host:pid`, the name of this process for people.
pub(super) fn worker_name() -> SafeLine {
    let system = rustix::system::uname();
    SafeLine::new(&format!("{}:{}", system.nodename().to_string_lossy(), std::process::id()))
}

/// Connects a process that runs jobs to the Redis of the settings, for locks and for notifications between the
/// processes of `store`; `None` when no Redis is used. The caller closes the connection.
pub(super) async fn connect_worker(config: &Config, store: &dyn Store) -> Result<Option<Arc<Redis>>, CliError> {
    connect(config, store, Role::Worker { renew: config.runner.heartbeat }).await
}

/// Does the same as [`connect_worker`] for a process that runs no jobs: it takes no locks and uses Redis for
/// notifications only.
pub(super) async fn connect_watcher(config: &Config, store: &dyn Store) -> Result<Option<Arc<Redis>>, CliError> {
    connect(config, store, Role::Watcher).await
}

async fn connect(config: &Config, store: &dyn Store, role: Role) -> Result<Option<Arc<Redis>>, CliError> {
    if !config.redis.is_used() {
        return Ok(None);
    }
    Redis::start(&config.redis, role, store.id().await?).map_err(wrong_address)
}

/// Notifies the other processes of `store` that it has changed. Connects to Redis for this message only; does nothing
/// when no Redis is used.
pub(super) async fn announce(config: &Config, store: &dyn Store) -> Result<(), CliError> {
    if !config.redis.is_used() {
        return Ok(());
    }
    lock::announce(&config.redis, &store.id().await?).await.map_err(wrong_address)
}

fn wrong_address(error: AddressError) -> CliError {
    CliError::Usage(format!("{} {error}", error.setting()))
}

/// Starts a task that prints on stderr when the locks in Redis become unavailable and when they are available again,
/// until the runner has ended.
pub(super) fn report_lock_health(runner: &Handle) {
    let (mut locks, runner) = (runner.locks(), runner.clone());
    let reporting = async move {
        let mut unavailable = false;
        loop {
            let message = locks.borrow_and_update().message();
            if message.is_some() != unavailable {
                unavailable = message.is_some();
                problem(message.as_deref().unwrap_or(LockHealth::RECOVERED));
            }
            if locks.changed().await.is_err() {
                return;
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            () = reporting => {}
            () = runner.ended() => {}
        }
    });
}

/// Prints on stderr which documents this process will not fetch, because it lacks credentials of their site rules.
pub(super) fn report_unfetchable(config: &Config) {
    for reason in config.fetch.sites.unfetchable(&config.fetch.secrets).reasons {
        problem(format!("this process syncs no document of {}", SafeLine::new(&reason)));
    }
}

/// Returns the way in which a console fetches pages to explain their text: with all settings, as a sync would.
pub(super) fn explainer(config: &Config, store: Arc<dyn Store>) -> Arc<dyn PageExplainer> {
    Arc::new(ProbingExplainer { config: config.clone(), store })
}

/// Fetches each page with a fetcher of its own, since an explanation is rare.
struct ProbingExplainer {
    config: Config,
    store: Arc<dyn Store>,
}

impl fmt::Debug for ProbingExplainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProbingExplainer").finish_non_exhaustive()
    }
}

#[async_trait]
impl PageExplainer for ProbingExplainer {
    async fn explain(&self, document: DocumentId, url: &str) -> Result<ExplainedPage, Failure> {
        let unread = |error: StoreError| Failure::unexpected("StoreError", error.to_string());
        let facts = HostFacts::read(&*self.store, url).await.map_err(unread)?;
        let fetch = followed(&self.config, &*self.store).await.map_err(unread)?.fetch;
        let probed = probe(fetch, &facts.request(document, url)).await;
        probed.map_err(|error| Failure::unexpected("FetchSetupError", error.to_string()))?.explained()
    }

    async fn costs_credits(&self) -> bool {
        // A store that does not answer shows no preview either.
        followed(&self.config, &*self.store).await.is_ok_and(|config| config.fetch.firecrawl.is_used())
    }
}

/// Returns a fetcher according to the settings. Fails if it refuses them, or if this process may not open enough files.
pub(super) fn fetcher(config: &Config) -> Result<Arc<Fetcher>, CliError> {
    ensure_open_files(config.runner.slots)?;
    let fetcher = Fetcher::new(config.fetch.clone()).map_err(|error| CliError::Usage(error.to_string()))?;
    Ok(Arc::new(fetcher))
}

/// Starts a runner in this process, with a fetcher and the subscribers according to the settings. Fails if the fetcher
/// refuses its settings.
pub(super) fn start_runner(
    config: &Config,
    store: Arc<dyn Store>,
    redis: Option<Arc<Redis>>,
    mode: Mode,
) -> Result<Handle, CliError> {
    let fetcher = fetcher(config)?;
    let subscribers =
        subscribers::configured(config, &store, redis.as_ref()).map_err(|error| CliError::Usage(error.to_string()))?;
    let parts = Services { store, fetcher, redis, subscribers, name: worker_name() };
    Ok(runner::start(parts, config.runner.clone(), mode))
}
