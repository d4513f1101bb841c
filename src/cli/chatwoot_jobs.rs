//! Chatwoot's own jobs for the console, `show` and `doctor`: read from its Sidekiq, with names and accounts from the
//! store.

use super::exit::CliError;
use super::wiring::connect_watcher;
use crate::config::Config;
use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobReader, ChatwootJobs};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::lock::Redis;
use crate::store::{Queries, Store};
use async_trait::async_trait;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Shortest time between two reads.
const INTERVAL: Duration = Duration::from_secs(5);
/// Maximum number of jobs whose documents are looked up.
const MAX_NAMED: usize = 500;

/// Returns the reader of Chatwoot's jobs; `None` if the store is not its database.
pub(super) fn reader(store: &Arc<dyn Store>, redis: Option<&Arc<Redis>>) -> Option<Arc<dyn ChatwootJobReader>> {
    let redis = redis.filter(|_| store.is_chatwoot_database())?;
    Some(Arc::new(Reader(Arc::new(Source {
        redis: Arc::clone(redis),
        store: Arc::clone(store),
        reading: tokio::sync::Mutex::new(()),
        last: Mutex::default(),
    }))))
}

/// Reads the jobs once, for a verb; `None` if the store is not Chatwoot's database, or no Redis is used.
pub(super) async fn read(config: &Config, store: &Arc<dyn Store>) -> Result<Option<ChatwootJobs>, CliError> {
    if !store.is_chatwoot_database() {
        return Ok(None);
    }
    let Some(redis) = connect_watcher(config, &**store).await? else { return Ok(None) };
    redis.first_connection().await;
    let jobs = current(&redis, &**store).await;
    redis.close().await;
    Ok(Some(jobs))
}

struct Reader(Arc<Source>);

struct Source {
    redis: Arc<Redis>,
    store: Arc<dyn Store>,
    /// Locked by a read, so that one runs at a time.
    reading: tokio::sync::Mutex<()>,
    last: Mutex<Option<(Instant, ChatwootJobs)>>,
}

impl Source {
    fn last(&self) -> MutexGuard<'_, Option<(Instant, ChatwootJobs)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_recent(&self) -> bool {
        self.last().as_ref().is_some_and(|(at, _)| at.elapsed() < INTERVAL)
    }

    async fn refresh(&self) {
        let _guard = self.reading.lock().await;
        if !self.is_recent() {
            let jobs = current(&self.redis, &*self.store).await;
            *self.last() = Some((Instant::now(), jobs));
        }
    }

    fn jobs(&self) -> ChatwootJobs {
        self.last().as_ref().map_or_else(ChatwootJobs::default, |(_, jobs)| jobs.clone())
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

#[async_trait]
impl ChatwootJobReader for Reader {
    fn latest(&self) -> ChatwootJobs {
        if !self.0.is_recent() && self.0.reading.try_lock().is_ok() {
            let source = Arc::clone(&self.0);
            tokio::spawn(async move { source.refresh().await });
        }
        self.0.jobs()
    }

    async fn current(&self) -> ChatwootJobs {
        if !self.0.is_recent() {
            self.0.refresh().await;
        }
        self.0.jobs()
    }
}

/// Reads the jobs now. A Redis that does not answer is a problem of the result.
async fn current(redis: &Redis, store: &dyn Store) -> ChatwootJobs {
    let now: Timestamp = store.now();
    match redis.chatwoot_jobs(now).await {
        Ok(mut jobs) => {
            let most = jobs.jobs.len().min(MAX_NAMED);
            name(&mut jobs.jobs[..most], store).await;
            jobs
        }
        Err(error) => {
            ChatwootJobs { problem: Some(SafeLine::new(&error.to_string())), read_at: Some(now), ..Default::default() }
        }
    }
}

/// Adds names and accounts of the documents. Without the store's answer the numbers remain.
async fn name(jobs: &mut [ChatwootJob], store: &dyn Queries) {
    let ids: BTreeSet<DocumentId> = jobs.iter().filter_map(|job| job.document).collect();
    if ids.is_empty() {
        return;
    }
    let Ok(rows) = store.rows(&ids.into_iter().collect::<Vec<_>>()).await else { return };
    let rows: HashMap<DocumentId, _> = rows.into_iter().map(|row| (row.id, row)).collect();
    for job in jobs {
        if let Some(row) = job.document.and_then(|document| rows.get(&document)) {
            job.account = Some(row.account_id);
            job.name = Some(if row.name.is_empty() { row.url.clone() } else { row.name.clone() });
        }
    }
}
