//! The choice between a page's HTML and the Markdown that its host may offer, and what a change of that choice means for
//! the stored text.

use super::worker::Worker;
use crate::domain::content::{ContentChange, Page, PriorResponse};
use crate::domain::failure::Failure;
use crate::domain::link::host_of;
use crate::domain::representation::{HostMarkdown, Negotiation, Representation, has_same_words};
use crate::fetch::{FetchRequest, FetchResponse, may_be_refused_markdown};
use crate::store::ClaimedJob;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Time for which what the store knows of a host is not read again.
const CACHED_FOR: Duration = Duration::from_secs(600);
/// Maximum number of cached hosts. If a new one would exceed it, the cache is emptied.
const MAX_HOSTS: usize = 4_096;

/// Knowledge of the store about hosts, with the time until which it is not read again; `Err` for hosts from which only
/// HTML is requested until then, since they failed.
#[derive(Default)]
pub(super) struct HostMarkdownCache(Mutex<HashMap<String, (Instant, Known)>>);

/// Knowledge about a host; `Err` if only HTML is to be requested.
type Known = Result<Option<HostMarkdown>, Failed>;

#[derive(Clone, Copy)]
struct Failed;

impl HostMarkdownCache {
    fn get(&self, host: &str) -> Option<Known> {
        let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.get(host).filter(|(until, _)| *until > Instant::now()).map(|(_, known)| *known)
    }

    fn put(&self, host: &str, known: Known) {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(host) {
            hosts.clear();
        }
        hosts.insert(host.to_owned(), (Instant::now() + CACHED_FOR, known));
    }
}

/// Returns the request for a claimed document. Validators are sent only for the representation that they belong to, and
/// nothing of the response before if another converter version or other site rules produced the stored text: the server
/// would answer 304 although the page must be converted again. (The body digest includes the converter version.)
pub(super) async fn request(worker: &Worker, claimed: &ClaimedJob) -> FetchRequest {
    let (document, url) = (claimed.document_id, &claimed.url);
    let version = |representation| worker.live().fetcher.converter(document, url, representation);
    let (stored, markdown) = (claimed.stored.converter, version(Representation::Markdown));
    let is_html = stored.is_some() && stored == version(Representation::Html);
    let is_markdown = stored.is_some() && stored == markdown;
    let PriorResponse { validators, body_digest } = claimed.prior.clone();
    let (negotiation, fits) = match known(worker, url, markdown.is_some()).await {
        Err(Failed) => (Negotiation::HtmlOnly, is_html),
        Ok(known) => match HostMarkdown::negotiation(known, worker.store.now()) {
            Negotiation::HtmlOnly => (Negotiation::HtmlOnly, is_html),
            // HTML that came although Markdown was preferred is what the host has for this page.
            Negotiation::PreferMarkdown => {
                let decided_at = known.map(|known| known.decided_at);
                (Negotiation::PreferMarkdown, is_markdown || is_html && claimed.fetched_whole_at > decided_at)
            }
            // A comparison needs whole pages. A conditional request for the stored HTML costs less, and is due at the
            // latest when the page is fetched whole again.
            Negotiation::Compare if is_html && validators.is_some() => (Negotiation::HtmlOnly, true),
            Negotiation::Compare => (Negotiation::Compare, is_markdown),
        },
    };
    let prior = PriorResponse { validators: validators.filter(|_| fits), body_digest };
    FetchRequest { prior, negotiation, ..FetchRequest::whole(document, url.as_str()) }
}

/// Returns what is known of the Markdown of the host of `url`; `Failed` if only HTML is to be requested, as for a page that
/// is never fetched as Markdown (`is_possible`). On a Chatwoot database that is always so: the texts there are those that
/// Chatwoot would store.
async fn known(worker: &Worker, url: &str, is_possible: bool) -> Known {
    if !is_possible || worker.store.is_chatwoot_database() {
        return Err(Failed);
    }
    let host = host_of(url).unwrap_or_default();
    if let Some(known) = worker.host_markdown.get(&host) {
        return known;
    }
    // While the database does not answer, HTML is a good choice.
    let known = worker.store.host_markdown(&host).await.map_err(|_| Failed)?;
    worker.host_markdown.put(&host, Ok(known));
    Ok(known)
}

/// Records what a fetch found out about the host's Markdown. An error of the store loses nothing but a comparison.
pub(super) async fn record(worker: &Worker, request: &FetchRequest, fetched: &Result<FetchResponse, Failure>) {
    let host = || host_of(&request.url).unwrap_or_default();
    match fetched {
        Ok(FetchResponse::Page(page)) => {
            let Some(finding) = page.markdown_finding else { return };
            let host = host();
            if let Ok(known) = worker.store.record_markdown(&host, finding).await {
                worker.host_markdown.put(&host, Ok(Some(known)));
            }
        }
        // The host failed in both ways. Asking it twice for each page would be of no use.
        Err(failure) if request.negotiation == Negotiation::Compare && may_be_refused_markdown(failure) => {
            worker.host_markdown.put(&host(), Err(Failed));
        }
        _ => {}
    }
}

/// Decides whether a text from another representation than the stored one is a change of the page. It is none if both
/// texts have the same words, or if the page in the stored representation still gives the stored text; for that it is
/// fetched once more. Other changes are returned as they are.
pub(super) async fn judge(
    worker: &Worker,
    claimed: &ClaimedJob,
    page: &mut Page,
    change: ContentChange,
) -> ContentChange {
    if change != ContentChange::Reconverted {
        return change;
    }
    let other = match page.representation {
        Representation::Html => Representation::Markdown,
        Representation::Markdown => Representation::Html,
    };
    let stored = claimed.stored.converter;
    let is_switch =
        stored.is_some() && stored == worker.live().fetcher.converter(claimed.document_id, &claimed.url, other);
    if !is_switch {
        return change;
    }
    page.is_switched = true;
    if page.other_fingerprint.is_some() && page.other_fingerprint == claimed.stored.fingerprint {
        return change;
    }
    if let Ok(Some(text)) = worker.store.stored_text(claimed.document_id).await
        && has_same_words(&text, &page.content)
    {
        return change;
    }
    let negotiation = match other {
        Representation::Html => Negotiation::HtmlOnly,
        Representation::Markdown => Negotiation::PreferMarkdown,
    };
    let whole = FetchRequest { negotiation, ..FetchRequest::whole(claimed.document_id, claimed.url.as_str()) };
    match worker.live().fetcher.fetch(&whole).await {
        Ok(FetchResponse::Page(before)) if Some(&before.fingerprint) == claimed.stored.fingerprint.as_ref() => change,
        _ => ContentChange::Changed,
    }
}
