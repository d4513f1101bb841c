//! Reads sources that are due: fetches their listings, notes the pages, and lets the store compare them with the
//! documents. One read at a time per process; a lease lets only one process read a source.

use super::settings::Mode;
use super::worker::Worker;
use crate::domain::failure::{Blame, Failure, FailureClass};
use crate::domain::link::Link;
use crate::domain::listing::ListedPage;
use crate::domain::source::{ReadCounts, ReadLease, ReadResult, SourceRead, SourceState, is_much_smaller};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::fetch::{Fetcher, ListingBatch, ListingLimits, ListingReader, ListingSummary, PageLocation};
use crate::store::{CompletedRead, FailedRead, MissingPage, MovedPage, RunnerStore, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Interval at which a runner looks for a read that is due.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Interval at which the lease of a read is renewed, a third of its length.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(10);
/// Maximum number of missing pages whose URLs are looked up in one read.
const MAX_LOCATED: u32 = 50;

/// Reads sources until the worker stops. In [`Mode::Drain`], reads those that are due, and those whose reads failed for a
/// cause that may pass, until none is left. Does nothing in [`Mode::OnDemand`].
pub(super) async fn run(worker: Arc<Worker>) {
    match worker.live().mode {
        Mode::Service(_) => serve(&worker).await,
        Mode::Drain => {
            drain(&worker).await;
            worker.sources_read.cancel();
            // The claim loop ends when nothing else is left.
            worker.claim_wakeup.notify_one();
        }
        Mode::OnDemand => {}
    }
}

async fn serve(worker: &Worker) {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = worker.stops() => return,
            _ = ticks.tick() => {}
        }
        // The claim loop reports the store's failure to the user.
        if let Err(error) = read_due(worker).await {
            tracing::warn!(%error, "sources could not be read");
        }
    }
}

async fn drain(worker: &Worker) {
    while !worker.is_stopped() {
        let wait = match read_due(worker).await {
            Ok(()) => match next_retry(worker).await {
                Ok(Some(at)) => at.since(worker.store.now()),
                Ok(None) => return,
                Err(_) => CHECK_INTERVAL,
            },
            Err(_) => CHECK_INTERVAL,
        };
        tokio::select! {
            () = worker.stops() => return,
            // Looked at often, since a clock may be set.
            () = sleep(wait.min(CHECK_INTERVAL)) => {}
        }
    }
}

/// Makes the reads that are due, one after the other, until none is or the worker stops.
async fn read_due(worker: &Worker) -> Result<(), StoreError> {
    while !worker.is_stopped() {
        let Some(lease) = worker.store.claim_read(&worker.id.0, &worker.name, None).await? else { break };
        read(worker, &lease).await;
    }
    Ok(())
}

/// Returns the time of the next read that is tried again after a failure. One that is due by now is paused.
async fn next_retry(worker: &Worker) -> Result<Option<Timestamp>, StoreError> {
    let now = worker.store.now();
    let sources = worker.store.sources().await?;
    let retried = sources.iter().filter(|source| source.state == SourceState::Retrying);
    Ok(retried.filter_map(|source| source.next_at).filter(|at| *at > now).min())
}

async fn read(worker: &Worker, lease: &ReadLease) {
    let live = worker.live();
    let ended = tokio::select! {
        ended = read_source(&*worker.store, &live.fetcher, lease, live.settings.host_interval) => ended,
        () = worker.stops() => {
            let detail = "its worker was stopped".into();
            let stopped = FailedRead { result: ReadResult::Retry, counts: ReadCounts::default(), detail, retry_after: None };
            worker.store.fail_read(lease, &stopped).await
        }
    };
    match ended {
        Ok(Some(read)) => {
            let (pages, proposals) = (read.counts.pages, read.counts.proposals());
            tracing::info!(source = %lease.name, result = read.result.word(), pages, proposals, "source_read");
        }
        Ok(None) => tracing::warn!(source = %lease.name, "the lease of a read was lost"),
        Err(error) => tracing::warn!(source = %lease.name, %error, "a source could not be read"),
    }
}

/// Makes a claimed read, and renews its lease meanwhile. `host_interval` is the pause between two requests for pages.
/// Returns how the read ended; `None` if its lease was lost.
///
/// # Errors
/// The store does not work. The read is then claimed anew once its lease has ended.
pub async fn read_source(
    store: &dyn RunnerStore,
    fetcher: &Fetcher,
    lease: &ReadLease,
    host_interval: Duration,
) -> Result<Option<SourceRead>, StoreError> {
    let renewing = async {
        loop {
            sleep(RENEWAL_INTERVAL).await;
            if !store.renew_read(lease).await? {
                return Ok::<(), StoreError>(());
            }
        }
    };
    let reading = async {
        let mut counts = ReadCounts::default();
        match read_pages(store, fetcher, lease, &mut counts).await? {
            Reading::Lost => Ok(None),
            Reading::Failed(failure) => {
                let read = FailedRead { counts, ..failed(&failure) };
                store.fail_read(lease, &read).await
            }
            Reading::Refused(why) => {
                let detail = SafeLine::new(&format!("{why}; nothing is proposed"));
                let read = FailedRead { result: ReadResult::Refused, counts, detail, retry_after: None };
                store.fail_read(lease, &read).await
            }
            Reading::Whole(summary) => {
                let moved = locate_missing(store, fetcher, lease, summary, &counts, host_interval).await?;
                let detail = SafeLine::new(&described(summary));
                let read = CompletedRead { counts, is_whole: summary.is_whole, moved, detail };
                store.complete_read(lease, &read).await
            }
        }
    };
    tokio::select! {
        read = reading => read,
        lost = renewing => lost.map(|()| None),
    }
}

/// How the reading of the pages ended.
enum Reading {
    Whole(ListingSummary),
    Failed(Failure),
    /// What was read is not believed, for this reason.
    Refused(String),
    /// Another process has the lease.
    Lost,
}

async fn read_pages(
    store: &dyn RunnerStore,
    fetcher: &Fetcher,
    lease: &ReadLease,
    counts: &mut ReadCounts,
) -> Result<Reading, StoreError> {
    let limits = ListingLimits { hosts: lease.settings.hosts.clone(), ..ListingLimits::default() };
    let mut reader: ListingReader = match fetcher.read_listing(lease.url.as_str(), limits) {
        Ok(reader) => reader,
        Err(failure) => return Ok(Reading::Failed(failure)),
    };
    loop {
        let batch = match reader.next().await {
            Ok(Some(batch)) => batch,
            Ok(None) => break,
            Err(failure) => return Ok(Reading::Failed(failure)),
        };
        let pages = selected(lease, batch, counts);
        if counts.pages > lease.settings.limit {
            let limit = lease.settings.limit;
            return Ok(Reading::Refused(format!("lists more than {limit} pages; raise --limit or exclude some")));
        }
        if !pages.is_empty() && !store.stage_pages(lease, &pages).await? {
            return Ok(Reading::Lost);
        }
    }
    let Some(summary) = reader.summary() else { return Ok(Reading::Refused("has no files".to_owned())) };
    counts.files = summary.files;
    Ok(match lease.settings.check_kind(summary.kind) {
        Ok(()) => Reading::Whole(summary),
        Err(why) => Reading::Refused(why.to_owned()),
    })
}

/// Returns the pages that count, in the stored form of documents.
fn selected(lease: &ReadLease, batch: ListingBatch, counts: &mut ReadCounts) -> Vec<ListedPage> {
    counts.unreadable += batch.unreadable.len() as u64;
    let mut pages = Vec::new();
    for page in batch.pages {
        let Ok(link) = Link::parse(&page.url) else {
            counts.unreadable += 1;
            continue;
        };
        if link.host() != lease.url.host() && !lease.settings.hosts.iter().any(|host| host == link.host()) {
            counts.other_hosts += 1;
        } else if !lease.settings.selects(link.as_str()) {
            counts.excluded += 1;
        } else {
            counts.pages += 1;
            pages.push(ListedPage { url: link.as_str().to_owned(), modified: page.modified });
        }
    }
    pages
}

/// Looks up where documents are whose pages the listing no longer has.
async fn locate_missing(
    store: &dyn RunnerStore,
    fetcher: &Fetcher,
    lease: &ReadLease,
    summary: ListingSummary,
    counts: &ReadCounts,
    host_interval: Duration,
) -> Result<Vec<MovedPage>, StoreError> {
    let is_believed = !lease.pages_before.is_some_and(|before| is_much_smaller(counts.pages, before));
    if !summary.is_whole || !(is_believed || lease.allows_smaller) {
        return Ok(Vec::new());
    }
    let mut moved = Vec::new();
    for page in store.missing_pages(lease, MAX_LOCATED).await? {
        // A page that does not answer now is looked up in the next read.
        if let Ok(location) = fetcher.locate_page(&page.url).await {
            moved.extend(move_of(page, &location));
        }
        sleep(host_interval).await;
    }
    Ok(moved)
}

fn move_of(page: MissingPage, location: &PageLocation) -> Option<MovedPage> {
    let stored = |url: &url::Url| Link::parse(url.as_str()).ok().filter(|link| link.as_str() != page.url);
    let by_redirect = location.redirect.as_ref().and_then(stored).map(|link| (link, "redirects there for good"));
    let is_page = (200..300).contains(&location.status);
    let by_canonical = || {
        let canonical = location.canonical.as_ref().filter(|_| is_page).and_then(stored)?;
        Some((canonical, "names that URL as its canonical one"))
    };
    let (target, reason) = by_redirect.or_else(by_canonical)?;
    let target = target.as_str().to_owned();
    Some(MovedPage { document: page.document, url: page.url, target, reason: reason.into() })
}

fn failed(failure: &Failure) -> FailedRead {
    let may_pass = failure.class == FailureClass::Transient || failure.blame == Blame::Machine;
    let result = if may_pass { ReadResult::Retry } else { ReadResult::Failed };
    let detail = SafeLine::new(&format!("{}; nothing is proposed", failure.detail));
    FailedRead { result, counts: ReadCounts::default(), detail, retry_after: failure.retry_after }
}

fn described(summary: ListingSummary) -> String {
    match summary.files {
        0 | 1 => summary.kind.described().to_owned(),
        files => format!("{}, {files} files", summary.kind.described()),
    }
}
