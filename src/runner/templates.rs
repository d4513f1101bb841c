//! The templates of the hosts that a worker fetches from: kept in memory as long as their version is current, and fed
//! with what is seen on the pages.
//!
//! Observations are gathered in memory and folded into the store every few seconds, in transactions of their own, so that
//! the end of an attempt neither waits for the row of its host nor writes it. A process that dies loses counts, nothing
//! else.

use super::worker::Worker;
use crate::domain::backoff::Backoff;
use crate::domain::content::{ContentChange, Page};
use crate::domain::link::host_of;
use crate::domain::template::{Observation, SAMPLE_SIZE, Template, TemplateVersion};
use crate::fault;
use crate::store::{ClaimedJob, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// Time for which observations are gathered before they are folded.
const FOLD_INTERVAL: Duration = Duration::from_secs(2);
/// Longest wait for the last fold when a runner ends.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Maximum number of hosts whose templates are in memory, and of hosts whose observations wait.
const MOST_HOSTS: usize = 256;

/// Templates and observations of one worker.
#[derive(Debug, Default)]
pub(super) struct Templates {
    known: Mutex<KnownTemplates>,
    /// Observations by host and rank, the lowest ranks of each host.
    observed: Mutex<HashMap<String, BTreeMap<u64, Observation>>>,
    has_observed: Notify,
}

/// Templates in memory. The one that was used the longest time ago makes room for another.
#[derive(Debug, Default)]
struct KnownTemplates {
    by_host: HashMap<String, KnownTemplate>,
    /// Number of uses of any template.
    uses: u64,
}

#[derive(Debug)]
struct KnownTemplate {
    template: Arc<Template>,
    /// Number of uses of any template up to the last one of this.
    used: u64,
}

impl KnownTemplates {
    /// Returns the template of a host if it is that of `version` or a later one.
    fn get(&mut self, host: &str, version: TemplateVersion) -> Option<Arc<Template>> {
        let one = self.by_host.get_mut(host).filter(|one| one.template.version >= version)?;
        self.uses += 1;
        one.used = self.uses;
        Some(Arc::clone(&one.template))
    }

    fn put(&mut self, host: String, template: Arc<Template>) {
        if self.by_host.len() >= MOST_HOSTS
            && let Some(oldest) = self.by_host.iter().min_by_key(|(_, one)| one.used).map(|(host, _)| host.clone())
        {
            self.by_host.remove(&oldest);
        }
        self.uses += 1;
        self.by_host.insert(host, KnownTemplate { template, used: self.uses });
    }
}

impl Templates {
    /// Returns the template of the host of a claimed job; `None` while it has none, and for documents whose site rule
    /// names the content. A store that does not answer is asked again.
    pub(super) async fn of(&self, worker: &Worker, claimed: &ClaimedJob) -> Option<Arc<Template>> {
        let version = claimed.host_template?;
        if !worker.live().fetcher.allows_template(claimed.document_id, &claimed.url) {
            return None;
        }
        let host = host_of(&claimed.url).unwrap_or_default();
        if let Some(template) = lock(&self.known).get(&host, version) {
            return Some(template);
        }
        let template = Arc::new(read_until_available(worker, || worker.store.template(&host)).await??);
        lock(&self.known).put(host, Arc::clone(&template));
        Some(template)
    }

    /// Counts the blocks of a converted page, unless its document does not enter the sample of its host.
    pub(super) fn observe(&self, url: &str, observation: Observation, template: Option<&Template>) {
        if template.is_some_and(|template| !template.wants(observation.document)) {
            return;
        }
        let host = host_of(url).unwrap_or_default();
        let mut observed = lock(&self.observed);
        if observed.len() >= MOST_HOSTS && !observed.contains_key(&host) {
            return;
        }
        let of_host = observed.entry(host).or_default();
        of_host.insert(observation.rank(), observation);
        while of_host.len() > SAMPLE_SIZE {
            of_host.pop_last();
        }
        self.has_observed.notify_one();
    }
}

/// Folds observations until the worker has ended.
pub(super) async fn run(worker: Arc<Worker>) {
    loop {
        tokio::select! {
            () = worker.ended.cancelled() => return,
            () = worker.templates.has_observed.notified() => {}
        }
        tokio::select! {
            () = worker.ended.cancelled() => return,
            () = sleep(FOLD_INTERVAL) => {}
        }
        fold(&worker).await;
    }
}

/// Folds what is left when a runner ends.
pub(super) async fn fold_remaining(worker: &Worker) {
    let _ = timeout(SHUTDOWN_GRACE, fold(worker)).await;
}

async fn fold(worker: &Worker) {
    let observed = std::mem::take(&mut *lock(&worker.templates.observed));
    for (host, observations) in observed {
        fault::point("before_fold", &host);
        let observations = observations.into_values().collect();
        match worker.store.fold_template(&host, observations).await {
            Ok(()) | Err(StoreError::Schema(_)) => {}
            // The next conversions are counted again.
            Err(error) => tracing::warn!(%error, "what recurs on the pages of a host was not counted"),
        }
        fault::point("after_fold", &host);
    }
}

/// Decides again on a page whose text differs from the stored one: without what the template leaves out of either, it
/// may be the same. A change of the frame alone is none.
pub(super) async fn compare(
    worker: &Worker,
    claimed: &ClaimedJob,
    template: Option<&Template>,
    page: &Page,
    change: ContentChange,
) -> ContentChange {
    let may_be_same = claimed.stored.may_be_same_by_blocks(page, change);
    let Some(template) = template.filter(|_| may_be_same) else { return change };
    let document = claimed.document_id;
    let Some(Some(stored)) = read_until_available(worker, || worker.store.stored_text(document)).await else {
        return change;
    };
    let blocks = worker.live().fetcher.compare_blocks(document, &claimed.url, template, (&stored, page));
    claimed.stored.change_by_blocks(page, change, blocks, worker.store.is_chatwoot_database())
}

/// Repeats a read until the store answers; `None` if it cannot, as after an upgrade by another process.
pub(super) async fn read_until_available<T, F: Future<Output = crate::store::Result<T>>>(
    worker: &Worker,
    read: impl Fn() -> F,
) -> Option<T> {
    let mut backoff = Backoff::of_service();
    loop {
        match read().await {
            Ok(answer) => return Some(answer),
            Err(error @ StoreError::Unavailable(_)) => {
                let wait = backoff.wait();
                worker.store_unavailable(&error, wait);
                sleep(wait).await;
            }
            Err(error) => {
                tracing::warn!(%error, "a page is compared without the template of its host");
                return None;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
