//! The way in which Chatwoot fetches pages, which its settings may change while this worker runs: it is followed, and
//! shows whether a stored text was fetched in another way than a page.

use super::event::Event;
use super::templates::read_until_available;
use super::worker::Worker;
use crate::chatwoot::crawling::Crawling;
use crate::domain::content::{Page, StoredBaseline};
use crate::domain::id::DocumentId;
use crate::fetch::{Fetcher, FirecrawlAccess};
use crate::store::ClaimedJob;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Interval at which Chatwoot's settings are read again.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Chatwoot's way of fetching pages at the last reading; `None` before the first one.
#[derive(Default)]
pub(super) struct KnownCrawling(RwLock<Option<Crawling>>);

impl KnownCrawling {
    fn get(&self) -> Option<Crawling> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, crawling: Crawling) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(crawling);
    }
}

/// Returns the access to Firecrawl with which pages are fetched as Chatwoot does; `None` if it does not use Firecrawl.
pub fn access(crawling: &Crawling) -> Option<FirecrawlAccess> {
    match crawling {
        Crawling::Firecrawl { key, version } => Some(FirecrawlAccess { key: key.clone(), version: *version }),
        _ => None,
    }
}

/// Reads Chatwoot's settings every 10 s and follows them if that is wanted, until the worker has ended.
pub(super) async fn follow(worker: Arc<Worker>) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while worker.store.is_chatwoot_database() {
        tokio::select! {
            () = worker.ended.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match worker.store.crawling().await {
            Ok(crawling) => {
                let changed = worker.live().settings.follows_installation
                    && worker.live().fetcher.follow_firecrawl(access(&crawling));
                if changed {
                    worker.emit(Event::Problem { message: describe(&crawling).into() });
                }
                worker.crawling.set(crawling);
            }
            // The claim loop reports the store's failure to the user.
            Err(error) => tracing::warn!(%error, "Chatwoot's way of fetching pages could not be read"),
        }
    }
}

fn describe(crawling: &Crawling) -> &'static str {
    match crawling {
        Crawling::Firecrawl { .. } => "Chatwoot's settings have changed: pages are fetched by Firecrawl, with its key",
        _ => "Chatwoot's settings have changed: pages are fetched directly",
    }
}

/// Returns true if the stored text of a claimed document is known to have been fetched in another way than `page`.
pub(super) async fn is_otherwise(worker: &Worker, claimed: &ClaimedJob, page: &Page) -> bool {
    let crawling = match worker.crawling.get() {
        known @ Some(_) => known,
        None if worker.store.is_chatwoot_database() => read_until_available(worker, || worker.store.crawling()).await,
        None => None,
    };
    let document = (claimed.document_id, claimed.url.as_str());
    is_fetched_otherwise(&worker.live().fetcher, crawling.as_ref(), document, &claimed.stored, page)
}

/// Returns true if the stored text of a document is known to have been fetched in another way than `page`, so that a
/// difference may be none of the page. A text that this program has not written was fetched as Chatwoot does, by
/// `crawling`.
pub fn is_fetched_otherwise(
    fetcher: &Fetcher,
    crawling: Option<&Crawling>,
    (document, url): (DocumentId, &str),
    stored: &StoredBaseline,
    page: &Page,
) -> bool {
    let kind = |converter| fetcher.kind_of(document, url, converter);
    let Some(by) = page.converter.and_then(kind) else { return false };
    match stored.converter {
        Some(converter) => kind(converter).is_some_and(|stored| stored != by),
        None => crawling.and_then(|crawling| crawling.is_by(by)) == Some(false),
    }
}
