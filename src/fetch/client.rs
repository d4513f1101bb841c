//! The fetcher: one page over HTTP, within limits, through the guard at every hop.

use super::ask::{Answer, Ask};
use super::errors::{self, Stage, timed_out};
use super::guard::{Guard, GuardedResolver, Refusal};
use super::head::{ContentType, next_hop, retry_after, text_of};
use super::limits::Limits;
use super::lookup::{Lookup, LookupError, NameServers, SystemLookup};
use super::memory::Memory;
use super::robots::Robots;
use super::sources::{self, Rules};
use super::trace::{Mark, Trace, TracedLookup, traced_tls};
use crate::domain::content::{Converter, Page, Validators};
use crate::domain::failure::{Blame, ErrorCode, Failure, FailureClass};
use crate::domain::id::DocumentId;
use crate::domain::link::host_of;
use crate::domain::source::{FetchedBy, Source};
use crate::domain::text::SafeLine;
use reqwest::header::{ACCEPT, ETAG, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Client, ClientBuilder, Proxy, Response, StatusCode, redirect};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

const ACCEPTED: &str = "text/html,application/xhtml+xml,text/markdown,text/plain;q=0.9,*/*;q=0.5";
/// Idle connections kept per host; the runner asks a host for two pages at a time.
const IDLE_PER_HOST: usize = 2;
/// Shorter than the 5 s after which common servers close theirs: one that is closed at the moment when it is used again
/// costs an attempt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Bounds on what a server may send before its body.
const MAX_HEADERS: usize = 128;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// Conversions at a time, however many cores there are: each takes memory, and each does hundreds of pages a second.
const MOST_CONVERSIONS: usize = 4;

/// Why there is no fetcher.
#[derive(Debug, Error)]
pub enum FetchSetupError {
    /// The user agent, say, is no header value.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[source] reqwest::Error),
    /// A selector or a pattern of a source cannot be read.
    #[error("{0}")]
    Sources(String),
    /// The name servers cannot be asked.
    #[error("the name servers cannot be set up: {0}")]
    NameServers(#[source] LookupError),
}

/// Fetches pages. Cheap to share; one for the whole process, since it holds the idle connections.
pub struct Fetcher {
    pub(super) client: Client,
    pub(super) guard: Arc<Guard>,
    resolver: GuardedResolver,
    pub(super) limits: Limits,
    pub(super) memory: Memory,
    trace: Option<Trace>,
    /// Only when they are respected.
    pub(super) robots: Option<Robots>,
    /// Of `limits.sources`, in their order.
    rules: Vec<Arc<Rules>>,
    usual_rules: Arc<Rules>,
    pub(super) converting: Arc<Semaphore>,
    pub(super) conversions: u32,
}

impl Fetcher {
    /// A fetcher that looks names up at the limits' name servers, else with the system's resolver. Installs `ring` as the process's TLS provider unless
    /// one is installed.
    pub fn new(limits: Limits) -> Result<Self, FetchSetupError> {
        let lookup = lookup_of(&limits)?;
        Self::with_lookup(limits, lookup)
    }

    /// One for a single fetch, which is noted.
    pub(super) fn traced(limits: Limits, trace: Trace) -> Result<Self, FetchSetupError> {
        let lookup = Arc::new(TracedLookup { inner: lookup_of(&limits)?, trace: trace.clone() });
        Self::build(limits, lookup, Some(trace))
    }

    /// The same with another resolver.
    pub fn with_lookup(limits: Limits, lookup: Arc<dyn Lookup>) -> Result<Self, FetchSetupError> {
        Self::build(limits, lookup, None)
    }

    fn build(limits: Limits, lookup: Arc<dyn Lookup>, trace: Option<Trace>) -> Result<Self, FetchSetupError> {
        // An error means that main, or another fetcher, was first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(Guard::new(limits.allow_private_hosts.clone(), limits.denied_ports.clone()));
        let proxy_host = limits.proxy.as_ref().and_then(Url::host_str).map(str::to_owned);
        let resolver = GuardedResolver { guard: Arc::clone(&guard), lookup, proxy: proxy_host };
        let proxy = limits.proxy.clone().map(Proxy::all).transpose().map_err(FetchSetupError::Client)?;
        let builder = || {
            let builder = Client::builder()
                .user_agent(&limits.user_agent)
                .connect_timeout(limits.connect_timeout)
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                .pool_max_idle_per_host(IDLE_PER_HOST)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .http1_max_headers(MAX_HEADERS)
                .http2_max_header_list_size(MAX_HEADER_BYTES)
                .dns_resolver(resolver.clone());
            // Only after `no_proxy`, which forgets this one too.
            let builder = proxy.iter().cloned().fold(builder, ClientBuilder::proxy);
            match &trace {
                Some(trace) => match traced_tls(trace) {
                    Some(tls) => builder.tls_backend_preconfigured(tls).connector_layer(trace.clone()),
                    None => builder.connector_layer(trace.clone()),
                },
                None => builder,
            }
        };
        // A bare machine has no certificates; it can still fetch http, and https fails with an unknown issuer.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let client = client.map_err(FetchSetupError::Client)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let conversions = u32::try_from(cores.min(MOST_CONVERSIONS)).unwrap_or(1);
        let memory = Memory::new(limits.max_memory, limits.max_body);
        let robots = limits.respect_robots.then(|| Robots::new(&limits.user_agent));
        let rules = sources::read(&limits.sources).map_err(FetchSetupError::Sources)?;
        Ok(Self {
            trace,
            rules: rules.into_iter().map(Arc::new).collect(),
            usual_rules: Arc::default(),
            client,
            guard,
            resolver,
            limits,
            memory,
            robots,
            converting: Arc::new(Semaphore::new(conversions as usize)),
            conversions,
        })
    }

    /// Fetches a page and turns it into text. Dropping the future ends the request; a conversion that has begun ends by
    /// its own deadline.
    ///
    /// What is not let through is not handed to Firecrawl either. When the one that fetches fails in a way that is its own,
    /// the fallback of the document's source has a try.
    pub async fn fetch(&self, ask: &Ask) -> Result<Answer, Failure> {
        let url = self.guard.parse(&ask.url).map_err(|refusal| errors::refused(refusal.to_string()))?;
        let host = host_of(url.as_str()).unwrap_or_default();
        let source = self.limits.sources.of(ask.document, &host);
        let by = self.fetched_by(source);
        let fallback = source.and_then(|source| source.fallback).filter(|fallback| *fallback != by);
        match (self.fetch_by(by, ask, &url).await, fallback) {
            (Err(failure), Some(fallback)) if is_its_own(&failure, by) => {
                let second = self.fetch_by(fallback, ask, &url).await;
                second.map_err(|other| if other.blame == Blame::Service { failure } else { other })
            }
            (fetched, _) => fetched,
        }
    }

    fn fetched_by(&self, source: Option<&Source>) -> FetchedBy {
        let usual = if self.limits.firecrawl.is_some() { FetchedBy::Firecrawl } else { FetchedBy::Direct };
        source.and_then(|source| source.fetcher).unwrap_or(usual)
    }

    /// What makes the text of a document's page, as long as no fallback has to help.
    pub fn converter(&self, document: DocumentId, url: &str) -> Converter {
        let host = host_of(url).unwrap_or_default();
        let by = self.fetched_by(self.limits.sources.of(document, &host));
        self.rules(document, &host).converter(by)
    }

    fn rules(&self, document: DocumentId, host: &str) -> &Arc<Rules> {
        let place = self.limits.sources.place(document, host);
        place.and_then(|place| self.rules.get(place)).unwrap_or(&self.usual_rules)
    }

    async fn fetch_by(&self, by: FetchedBy, ask: &Ask, url: &Url) -> Result<Answer, Failure> {
        let rules = self.rules(ask.document, &host_of(url.as_str()).unwrap_or_default());
        match (by, &self.limits.firecrawl) {
            (FetchedBy::Direct, _) => match self.fetch_directly(ask, rules).await? {
                Answer::Page(page) => Ok(Answer::Page(rules.mark(page, by))),
                Answer::NotModified => Ok(Answer::NotModified),
            },
            (FetchedBy::Firecrawl, Some(firecrawl)) => {
                let page = self.scrape(firecrawl, url, rules).await?;
                Ok(Answer::Page(rules.mark(page, by)))
            }
            (FetchedBy::Firecrawl, None) => {
                Err(errors::refused("it is to be fetched by Firecrawl, and fetch.firecrawl.api_key is not set")
                    .of_service())
            }
        }
    }

    async fn fetch_directly(&self, ask: &Ask, rules: &Arc<Rules>) -> Result<Answer, Failure> {
        let deadline = Instant::now() + self.limits.total_timeout;
        let (response, url) = self.follow(ask, deadline).await?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return match ask.validators {
                Some(_) => Ok(Answer::NotModified),
                None => {
                    Err(errors::refused("304 Not Modified, although the whole page was asked for").with_status(304))
                }
            };
        }
        if !status.is_success() {
            let wait = retry_after(status, response.headers(), SystemTime::now());
            let reason = status.canonical_reason().unwrap_or_default();
            return Err(Failure::from_status(status.as_u16(), reason).with_retry_after(wait));
        }
        let page = self.page(response, &url, rules, deadline).await;
        page.map(Answer::Page).map_err(|failure| failure.with_status(status.as_u16()))
    }

    /// Asks and follows redirects; the answer that is none, and its own URL.
    async fn follow(&self, ask: &Ask, deadline: Instant) -> Result<(Response, Url), Failure> {
        let mut url = self.guard.parse(&ask.url).map_err(|refusal| errors::refused(refusal.to_string()))?;
        let mut seen = HashSet::new();
        loop {
            url.set_fragment(None);
            seen.insert(url.clone());
            self.obey_robots(&url, deadline).await?;
            let response = self.send(&url, ask.validators.as_ref(), deadline).await?;
            let Some(next) = next_hop(&response, &url) else {
                return Ok((response, url));
            };
            let refused = |detail: String| errors::refused(detail).with_status(response.status().as_u16());
            let mut next = next.map_err(|error| refused(format!("redirected to a bad URL: {error}")))?;
            next.set_fragment(None);
            self.guard.judge(&next).map_err(|refusal| refused(redirected(&refusal)))?;
            if seen.contains(&next) {
                return Err(refused("redirect loop".into()));
            }
            if seen.len() > self.limits.max_redirects as usize {
                return Err(refused(format!("too many redirects (more than {})", self.limits.max_redirects)));
            }
            url = next;
        }
    }

    /// One request, no more.
    pub(super) async fn send(
        &self,
        url: &Url,
        validators: Option<&Validators>,
        deadline: Instant,
    ) -> Result<Response, Failure> {
        if self.resolver.proxy.is_some() {
            let judged = self.within(deadline, Stage::Connecting, self.resolver.judge_ahead(url)).await?;
            judged.map_err(|refusal| errors::refused(refusal.to_string()))?;
        }
        let mut request = self.client.get(url.clone()).header(ACCEPT, ACCEPTED);
        if let Some(Validators { etag, last_modified }) = validators {
            let headers = [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)];
            for (name, value) in headers.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
                // What came as a header is one; a row that somebody else wrote may hold anything.
                if let Ok(value) = HeaderValue::from_str(value) {
                    request = request.header(name, value);
                }
            }
        }
        self.note(|| Mark::Asking(url.to_string()));
        let sent = self.within(deadline, Stage::Waiting, request.send()).await?;
        if let (Some(trace), Ok(response)) = (&self.trace, &sent) {
            trace.answered(response);
        }
        sent.map_err(|error| self.failure(&error))
    }

    fn note(&self, mark: impl FnOnce() -> Mark) {
        if let Some(trace) = &self.trace {
            trace.note(mark());
        }
    }

    /// Runs one wait within the limit on single waits and the limit on all of them.
    pub(super) async fn within<T>(
        &self,
        deadline: Instant,
        stage: Stage,
        wait: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let read = self.limits.read_timeout;
        match timeout_at(deadline, timeout(read, wait)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(timed_out(read, stage)),
            Err(_) => Err(timed_out(self.limits.total_timeout, Stage::InAll)),
        }
    }

    pub(super) fn failure(&self, error: &reqwest::Error) -> Failure {
        errors::failure(error, self.limits.connect_timeout, self.limits.read_timeout)
    }

    async fn page(
        &self,
        response: Response,
        url: &Url,
        rules: &Arc<Rules>,
        deadline: Instant,
    ) -> Result<Page, Failure> {
        let status = response.status().as_u16();
        let content_type = ContentType::of(response.headers())?;
        let (etag, last_modified) = (text_of(&response, ETAG), text_of(&response, LAST_MODIFIED));
        let (body, deadline) = self.body(response, deadline).await?;
        self.note(|| Mark::Read);
        let bytes = body.bytes.len() as u64;
        let converted = self.text(body, content_type, (url.clone(), Arc::clone(rules)), deadline).await?;
        self.note(|| Mark::Converted);
        let page = Page::new(converted.title.as_deref(), converted.markdown, bytes, status);
        let page = page.ok_or_else(|| Failure::permanent(ErrorCode::ContentEmpty, "the page has no text"))?;
        let unmatched = (!converted.unmatched.is_empty())
            .then(|| SafeLine::new(&format!("nothing on the page fits {}", converted.unmatched.join(" nor "))));
        Ok(Page { note: unmatched, etag, last_modified, ..page })
    }
}

/// The name servers of the settings, else the system's resolver.
fn lookup_of(limits: &Limits) -> Result<Arc<dyn Lookup>, FetchSetupError> {
    Ok(match limits.dns_servers.as_slice() {
        [] => Arc::new(SystemLookup),
        servers => Arc::new(NameServers::new(servers).map_err(FetchSetupError::NameServers)?),
    })
}

/// Whether another way to the page may do better than the one that failed so.
fn is_its_own(failure: &Failure, by: FetchedBy) -> bool {
    match by {
        FetchedBy::Firecrawl => failure.blame == Blame::Service,
        // Walls against robots, pages made by scripts, and hosts that do not answer us.
        FetchedBy::Direct => {
            failure.class == FailureClass::Transient
                || matches!(failure.code, ErrorCode::AccessDenied | ErrorCode::ContentEmpty)
        }
    }
}

fn redirected(refusal: &Refusal) -> String {
    format!("redirected: {refusal}")
}
