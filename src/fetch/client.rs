//! The HTTP client that all fetchers share: single requests within time limits, to addresses that the guard allows.

use super::conversion_pool::ConversionPool;
use super::errors::{self, Stage, timed_out};
use super::guard::{AddressGuard, GuardedResolver, Refusal};
use super::lookup::{Lookup, LookupError};
use super::memory::Memory;
use super::observer::{ObservedLookup, Observer};
use super::settings::FetchSettings;
use super::stage_clock::StageEvent;
use super::trace::{Mark, Trace};
use crate::domain::failure::Failure;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Proxy, RequestBuilder, Response, redirect};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::time::{Instant, timeout, timeout_at};
use url::Url;

/// `Accept` header of a request for HTML. Markdown is not named in it: a server that has both would choose.
pub(super) const ACCEPT_HTML: HeaderValue =
    HeaderValue::from_static("text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5");
/// `Accept` header of a request for Markdown, or HTML from a server that has none.
pub(super) const ACCEPT_MARKDOWN: HeaderValue =
    HeaderValue::from_static("text/markdown,text/html;q=0.9,application/xhtml+xml;q=0.9,text/plain;q=0.8,*/*;q=0.5");
/// Maximum number of idle connections kept per host; by default the runner fetches two pages of a host at a time.
const IDLE_PER_HOST: usize = 2;
/// Time after which an idle connection is closed. Common servers close theirs after 5 s; a connection that closes at
/// the moment of its reuse costs an attempt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
/// Maximum number of headers of an HTTP/1 response.
const MAX_HEADERS: usize = 128;
const MAX_HEADER_BYTES: u32 = 64 * 1024;

/// Reason why a fetcher could not be created.
#[derive(Debug, Error)]
pub enum FetchSetupError {
    /// The HTTP client could not be built; the user agent, for example, is not a valid header value.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[source] reqwest::Error),
    /// A selector or a pattern of a site rule is invalid.
    #[error("fetch.sites {0}")]
    Sites(String),
    /// The resolver for the configured name servers could not be built.
    #[error("the name servers cannot be set up: {0}")]
    NameServers(#[source] LookupError),
}

/// HTTP client of a process, with its idle connections, the memory budget of response bodies, and the slots for conversions.
pub(super) struct HttpClient {
    client: Client,
    resolver: GuardedResolver,
    pub(super) observer: Observer,
    pub(super) guard: Arc<AddressGuard>,
    pub(super) memory: Memory,
    pub(super) conversions: ConversionPool,
    pub(super) settings: FetchSettings,
}

impl HttpClient {
    /// Creates a client that resolves names with `lookup` and records its steps in `trace`. Installs `ring` as the
    /// process's TLS provider unless one is installed.
    pub(super) fn new(
        settings: FetchSettings,
        lookup: Arc<dyn Lookup>,
        trace: Option<Trace>,
    ) -> Result<Self, FetchSetupError> {
        // An error means that main or another fetcher has already installed a provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guard = Arc::new(AddressGuard::new(settings.allow_private_hosts.clone(), settings.denied_ports.clone()));
        let proxy_host = settings.proxy.as_ref().and_then(Url::host_str).map(str::to_owned);
        let observer = Observer::new(trace);
        let lookup = Arc::new(ObservedLookup { inner: lookup, observer: observer.clone() });
        let resolver = GuardedResolver { guard: Arc::clone(&guard), lookup, proxy: proxy_host };
        let proxy = settings.proxy.clone().map(Proxy::all).transpose().map_err(FetchSetupError::Client)?;
        let builder = || {
            let builder = Client::builder()
                .user_agent(&settings.user_agent)
                .connect_timeout(settings.connect_timeout)
                .redirect(redirect::Policy::none())
                .no_proxy()
                .referer(false)
                // Its decoder fails for the bare format that some servers send; `encoding` reads both.
                .no_deflate()
                .pool_max_idle_per_host(IDLE_PER_HOST)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .http1_max_headers(MAX_HEADERS)
                .http2_max_header_list_size(MAX_HEADER_BYTES)
                .dns_resolver(resolver.clone());
            // Must follow `no_proxy`, which removes this proxy too.
            let builder = proxy.iter().cloned().fold(builder, ClientBuilder::proxy);
            let builder = builder.connector_layer(observer.clone());
            match observer.tls() {
                Some(tls) => builder.tls_backend_preconfigured(tls),
                None => builder,
            }
        };
        // A machine without root certificates can still fetch http; https then fails with an unknown issuer.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build());
        let client = client.map_err(FetchSetupError::Client)?;
        let memory = Memory::new(settings.max_memory, settings.max_body);
        Ok(Self { client, resolver, observer, guard, memory, conversions: ConversionPool::new(), settings })
    }

    /// Sends one GET request with these headers, by default for HTML, and waits for the head of the response. Redirects are not
    /// followed.
    pub(super) async fn get(&self, url: &Url, mut headers: HeaderMap, deadline: Instant) -> Result<Response, Failure> {
        let judged = self.within(deadline, Stage::Connecting, self.judge_before_proxy(url)).await?;
        judged.map_err(|refusal| errors::refused(refusal.to_string()))?;
        self.observer.note(StageEvent::RequestStarted, || Mark::RequestStarted(url.to_string()));
        headers.entry(ACCEPT).or_insert(ACCEPT_HTML);
        let request = self.client.get(url.clone()).headers(headers);
        let sent = self.within(deadline, Stage::Waiting, request.send()).await?;
        if let Ok(response) = &sent {
            self.observer.note(StageEvent::HeadReceived, || Mark::of_head(response));
        }
        sent.map_err(|error| self.failure(&error))
    }

    /// Judges the addresses of a URL's name before a request goes to a proxy; without one, the resolver does.
    pub(super) async fn judge_before_proxy(&self, url: &Url) -> Result<(), Refusal> {
        if self.resolver.proxy.is_some() { self.resolver.judge_before_proxy(url).await } else { Ok(()) }
    }

    /// Prepares a request to a service's API, not to a page; the caller must limit its time.
    pub(super) fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Awaits `wait` for at most the read time-out, and until `deadline` at most.
    pub(super) async fn within<T>(
        &self,
        deadline: Instant,
        stage: Stage,
        wait: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let read = self.settings.read_timeout;
        self.before(deadline, timeout(read, wait)).await?.map_err(|_| timed_out(read, stage))
    }

    /// Awaits `wait` until `deadline` at most.
    pub(super) async fn before<T>(&self, deadline: Instant, wait: impl Future<Output = T>) -> Result<T, Failure> {
        let done = timeout_at(deadline, wait).await;
        done.map_err(|_| timed_out(self.settings.total_timeout, Stage::Total))
    }

    /// Converts an error of the HTTP client into a failure.
    pub(super) fn failure(&self, error: &reqwest::Error) -> Failure {
        errors::failure(error, self.settings.connect_timeout, self.settings.read_timeout)
    }
}
