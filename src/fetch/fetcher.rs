//! The entry point of fetching: chooses the fetcher of a page by its site rule, and the fallback when that one fails.

use super::client::{FetchSetupError, HttpClient};
use super::content_rules::{self, ContentRules};
use super::credentials;
use super::errors;
use super::fetchers::{Fetchers, PageFetcher, PageRequest};
use super::listing::{self, ListingLimits, ListingReader, PageLocation};
use super::lookup::{Lookup, NameServers, SystemLookup};
use super::request::{FetchRequest, FetchResponse};
use super::settings::{FetchSettings, FirecrawlAccess};
use super::stage_clock;
use super::trace::Trace;
use crate::domain::content::{ConverterVersion, Page};
use crate::domain::failure::{Blame, Failure};
use crate::domain::id::DocumentId;
use crate::domain::link::host_of;
use crate::domain::representation::{Negotiation, Representation};
use crate::domain::site_rule::{FetcherKind, SiteRule, Unfetchable};
use crate::domain::stages::Stages;
use crate::domain::template::{BlockComparison, Template};
use reqwest::header::HeaderMap;
use std::sync::Arc;
use url::Url;

/// Fetches pages. All tasks of a process share one fetcher, since the idle connections belong to it.
pub struct Fetcher {
    client: Arc<HttpClient>,
    fetchers: Fetchers,
    /// Compiled site rules, in the order of the settings.
    rules: Vec<Arc<ContentRules>>,
    default_rules: Arc<ContentRules>,
    /// Headers with the credentials of each site rule, in the order of the settings; or why this process lacks them.
    credentials: Vec<Result<HeaderMap, String>>,
    no_credentials: HeaderMap,
}

/// Fetcher, fallback and rules of one document.
struct Route<'a> {
    fetcher: &'a dyn PageFetcher,
    /// The site rule's fallback, if it differs from `fetcher`.
    fallback: Option<&'a dyn PageFetcher>,
    rules: &'a Arc<ContentRules>,
    /// True if Markdown may be requested for the page.
    negotiates: bool,
    credentials: Result<&'a HeaderMap, &'a String>,
}

impl Fetcher {
    /// Creates a fetcher that resolves names at the configured name servers, else with the system's resolver. Installs
    /// `ring` as the process's TLS provider unless one is installed.
    pub fn new(settings: FetchSettings) -> Result<Self, FetchSetupError> {
        let lookup = lookup_of(&settings)?;
        Self::with_lookup(settings, lookup)
    }

    /// Creates a fetcher that resolves names with `lookup`.
    pub fn with_lookup(settings: FetchSettings, lookup: Arc<dyn Lookup>) -> Result<Self, FetchSetupError> {
        Self::build(settings, lookup, None)
    }

    /// Creates a fetcher for a single fetch whose steps are recorded in `trace`.
    pub(super) fn traced(settings: FetchSettings, trace: Trace) -> Result<Self, FetchSetupError> {
        let lookup = lookup_of(&settings)?;
        Self::build(settings, lookup, Some(trace))
    }

    fn build(settings: FetchSettings, lookup: Arc<dyn Lookup>, trace: Option<Trace>) -> Result<Self, FetchSetupError> {
        let rules = content_rules::read(&settings.sites).map_err(FetchSetupError::Sites)?;
        let credentials = settings.sites.0.iter().map(|site| credentials::headers(site, &settings.secrets)).collect();
        let client = Arc::new(HttpClient::new(settings, lookup, trace)?);
        Ok(Self {
            fetchers: Fetchers::new(&client),
            client,
            rules: rules.into_iter().map(Arc::new).collect(),
            default_rules: Arc::default(),
            credentials,
            no_credentials: HeaderMap::new(),
        })
    }

    /// Fetches a page and turns it into text. Dropping the future ends the request; a conversion that has begun ends by
    /// its own time limit.
    ///
    /// A URL that the guard refuses is not fetched by any fetcher. If the fetcher fails in a way in which another
    /// fetcher may succeed, the fallback of the document's site rule also fetches the page. If the fallback fails too,
    /// its failure is returned, unless the fallback's service caused it: then the first failure is returned.
    pub async fn fetch(&self, fetch_request: &FetchRequest) -> Result<FetchResponse, Failure> {
        let url =
            self.client.guard.parse(&fetch_request.url).map_err(|refusal| errors::refused(refusal.to_string()))?;
        let access = self.fetchers.firecrawl_access();
        let default = Fetchers::default_with(access.as_ref());
        let route = self.route_by(default, fetch_request.document, &host_of(url.as_str()).unwrap_or_default());
        let credentials = route.credentials.map_err(|why| errors::refused(format!("not fetched: {why}")))?;
        let negotiation = if route.negotiates { fetch_request.negotiation } else { Negotiation::HtmlOnly };
        let request = PageRequest {
            url: &url,
            prior: &fetch_request.prior,
            rules: route.rules,
            negotiation,
            credentials,
            template: fetch_request.template.as_ref(),
            chatwoot: fetch_request.chatwoot,
            firecrawl: access.as_ref(),
        };
        match (fetch_by(route.fetcher, request, fetch_request).await, route.fallback) {
            (Err(failure), Some(fallback)) if route.fetcher.may_fall_back(&failure) => {
                let second = fetch_by(fallback, request, fetch_request).await;
                second.map_err(|other| if other.blame == Blame::Service { failure } else { other })
            }
            (fetched, _) => fetched,
        }
    }

    /// Does the same as [`fetch`](Self::fetch), and returns the durations of the stages that were ended; `None` if none
    /// was.
    pub async fn fetch_timed(&self, request: &FetchRequest) -> (Result<FetchResponse, Failure>, Option<Stages>) {
        stage_clock::timed(self.fetch(request)).await
    }

    /// Follows another installation's access to Firecrawl, or none; an own key in the settings wins. Fetches that run go
    /// on as they began. Returns true if that changes how pages are fetched.
    pub fn follow_firecrawl(&self, followed: Option<FirecrawlAccess>) -> bool {
        self.fetchers.follow(followed)
    }

    /// Begins to read the listing at `url` (a sitemap, a feed, a page of links).
    ///
    /// # Errors
    /// The guard refuses the URL, or this process lacks credentials for it.
    pub fn read_listing(&self, url: &str, limits: ListingLimits) -> Result<ListingReader, Failure> {
        let (url, credentials) = self.own_request(url)?;
        Ok(ListingReader::new(Arc::clone(&self.client), url, credentials.clone(), limits))
    }

    /// Looks where the page of `url` is now. Nothing is converted or stored.
    ///
    /// # Errors
    /// The page does not answer, or the guard refuses its URL or one that it redirects to.
    pub async fn locate_page(&self, url: &str) -> Result<PageLocation, Failure> {
        let (url, credentials) = self.own_request(url)?;
        listing::locate(&self.client, url, credentials).await
    }

    /// Returns a URL that the guard allows, with the credentials of its host.
    fn own_request(&self, url: &str) -> Result<(Url, &HeaderMap), Failure> {
        let url = self.client.guard.parse(url).map_err(|refusal| errors::refused(refusal.to_string()))?;
        // No document has this id, so that only rules for hosts apply.
        let route = self.route(DocumentId(0), &host_of(url.as_str()).unwrap_or_default());
        let credentials = route.credentials.map_err(|why| errors::refused(format!("not fetched: {why}")))?;
        Ok((url, credentials))
    }

    /// Returns the way in which a document's page was fetched by this version of the program and these site rules, if its
    /// text has this converter version; `None` if the version is another one.
    pub fn kind_of(&self, document: DocumentId, url: &str, converter: ConverterVersion) -> Option<FetcherKind> {
        let rules = self.route(document, &host_of(url).unwrap_or_default()).rules;
        FetcherKind::ALL.into_iter().find(|kind| {
            let version = self.fetchers.get(*kind).version();
            let of = |representation| rules.converter(version, representation) == converter;
            of(Representation::Html) || of(Representation::Markdown)
        })
    }

    /// Returns true if the template of the host may be used on a document's page. A site rule that names the content
    /// wins over it.
    pub fn allows_template(&self, document: DocumentId, url: &str) -> bool {
        self.route(document, &host_of(url).unwrap_or_default()).rules.allow_template()
    }

    /// Returns true if the text that is written for a document is Chatwoot's own. A site rule that names the content wins
    /// over the setting. `is_chatwoot_database` is true where Chatwoot syncs the same documents.
    pub fn writes_chatwoot_text(&self, document: DocumentId, url: &str, is_chatwoot_database: bool) -> bool {
        self.client.settings.writes_chatwoot_text(is_chatwoot_database) && self.allows_template(document, url)
    }

    /// Compares the stored text of a document with a fetched page by blocks, without what the template leaves out of
    /// either and without what the site rule ignores.
    pub fn compare_blocks(
        &self,
        document: DocumentId,
        url: &str,
        template: &Template,
        (stored, page): (&str, &Page),
    ) -> BlockComparison {
        let rules = self.route(document, &host_of(url).unwrap_or_default()).rules;
        template.compare(stored, &page.content, &page.blocks.paths, |text| rules.without_ignored(text))
    }

    /// Returns the converter version of a document's page from this representation, provided that no fallback is used;
    /// `None` if the page is never fetched so.
    pub fn converter(
        &self,
        document: DocumentId,
        url: &str,
        representation: Representation,
    ) -> Option<ConverterVersion> {
        let route = self.route(document, &host_of(url).unwrap_or_default());
        let is_possible = representation == Representation::Html || route.negotiates;
        is_possible.then(|| route.rules.converter(route.fetcher.version(), representation))
    }

    /// Returns the documents that this process cannot fetch, because it lacks credentials of their site rules.
    pub fn unfetchable(&self) -> Unfetchable {
        self.client.settings.sites.unfetchable(&self.client.settings.secrets)
    }

    fn route(&self, document: DocumentId, host: &str) -> Route<'_> {
        self.route_by(self.fetchers.default_fetcher(), document, host)
    }

    /// Returns the route of a document, where `default` is the fetcher for pages whose site rule names none.
    fn route_by(&self, default: FetcherKind, document: DocumentId, host: &str) -> Route<'_> {
        let sites = &self.client.settings.sites;
        let site = sites.of(document, host);
        // Credentials are never sent to a service, so the pages that need them are fetched from their own server.
        let has_credentials = site.is_some_and(|site| !site.credentials.is_empty());
        let default = if has_credentials { FetcherKind::Direct } else { default };
        let first = site.and_then(|site| site.fetcher).unwrap_or(default);
        let fallback = site.and_then(|site| site.fallback).filter(|fallback| *fallback != first);
        let index = sites.index(document, host);
        let rules = index.and_then(|index| self.rules.get(index));
        let credentials = index.and_then(|index| self.credentials.get(index));
        let negotiates = first == FetcherKind::Direct && !site.is_some_and(SiteRule::needs_html);
        Route {
            negotiates,
            fetcher: self.fetchers.get(first),
            fallback: fallback.map(|fallback| self.fetchers.get(fallback)),
            rules: rules.unwrap_or(&self.default_rules),
            credentials: credentials.map_or(Ok(&self.no_credentials), Result::as_ref),
        }
    }
}

/// Fetches a page, leaves out what the template of its host knows as frame, and records its converter version.
async fn fetch_by(
    fetcher: &dyn PageFetcher,
    request: PageRequest<'_>,
    asked: &FetchRequest,
) -> Result<FetchResponse, Failure> {
    Ok(match fetcher.fetch(request).await? {
        FetchResponse::Page(page) if request.rules.allow_template() => {
            let page = page.observed(asked.document, asked.template.as_deref());
            FetchResponse::Page(Box::new(request.rules.mark(page, fetcher.version())))
        }
        FetchResponse::Page(page) => FetchResponse::Page(Box::new(request.rules.mark(*page, fetcher.version()))),
        unchanged @ (FetchResponse::NotModified | FetchResponse::Identical(_)) => unchanged,
    })
}

/// Returns a resolver for the configured name servers, else the system's resolver.
pub(super) fn lookup_of(settings: &FetchSettings) -> Result<Arc<dyn Lookup>, FetchSetupError> {
    Ok(match settings.dns_servers.as_slice() {
        [] => Arc::new(SystemLookup),
        servers => Arc::new(NameServers::new(servers).map_err(FetchSetupError::NameServers)?),
    })
}
