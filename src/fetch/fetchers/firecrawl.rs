//! Fetching through Firecrawl's scrape API, a service that also runs a page's scripts.
//!
//! Errors of the API itself (key, credits, rate, outages) never count as responses of the page: they are blamed on the
//! service ([`Blame::Service`](crate::domain::failure::Blame)), have no HTTP status and are never `access_denied`. The
//! request has the parameters that Chatwoot uses: Markdown of the main content, without frames, sidebars, cookie
//! banners and navigation, unless the page's site rule has others. Where Chatwoot's own text is wanted, the request is
//! the one that Chatwoot itself makes, without a time limit.
//!
//! Identical bodies are not recognised here: the API's responses contain values of each scrape, and the text in them
//! needs no conversion.

use super::{PageFetcher, PageRequest};
use crate::domain::content::Page;
use crate::domain::failure::{Blame, ErrorCode, Failure};
use crate::domain::site_rule::Extract;
use crate::domain::text::SafeLine;
use crate::fetch::charset;
use crate::fetch::client::HttpClient;
use crate::fetch::errors;
use crate::fetch::head::retry_after;
use crate::fetch::pipeline::read_body;
use crate::fetch::request::FetchResponse;
use crate::fetch::settings::{DEFAULT_API_VERSION, FirecrawlAccess};
use async_trait::async_trait;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout_at};

/// Selectors to exclude in addition to Firecrawl's defaults.
const EXCLUDED_TAGS: [&str; 6] =
    ["iframe", ".sidebar", ".cookie-banner", "[role=navigation]", "[role=banner]", "[role=contentinfo]"];
/// Difference by which Firecrawl's time-out is shorter than ours, so that Firecrawl reports the time-out.
const TIMEOUT_LEAD: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct ScrapeResponse {
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    error: Option<Value>,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(default)]
    markdown: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Metadata {
    title: Option<Value>,
    status_code: Option<u16>,
    error: Option<String>,
    url: Option<String>,
    #[serde(rename = "sourceURL")]
    source_url: Option<String>,
}

/// Fetches pages through Firecrawl's API.
pub(super) struct FirecrawlFetcher {
    client: Arc<HttpClient>,
    /// Access of another installation that is followed now.
    followed: RwLock<Option<FirecrawlAccess>>,
}

#[async_trait]
impl PageFetcher for FirecrawlFetcher {
    async fn fetch(&self, request: PageRequest<'_>) -> Result<FetchResponse, Failure> {
        let deadline = Instant::now() + self.client.settings.total_timeout;
        let response = self.scrape(request, deadline).await?;
        let status = response.status();
        let wait = retry_after(status, response.headers(), SystemTime::now());
        let body = match timeout_at(deadline, read_body(&self.client, response, deadline, |_| ())).await {
            Ok(body) => body.map_err(|failure| service_failure(&failure))?.0,
            Err(_) => return Err(self.too_slow()),
        };
        if !status.is_success() {
            return Err(api_failure(status, &body.bytes).with_retry_after(wait).of_service());
        }
        let scraped: ScrapeResponse = serde_json::from_slice(&body.bytes).map_err(|_| invalid_response())?;
        if scraped.success == Some(false) {
            let reason = error_message(scraped.error.as_ref()).unwrap_or_else(|| "it gives no reason".to_owned());
            return Err(broken(format!("Firecrawl could not fetch the page: {reason}")));
        }
        self.page(scraped.data.ok_or_else(invalid_response)?, body.bytes.len() as u64)
            .map(|page| FetchResponse::Page(Box::new(page)))
    }

    /// Returns true only for a failure of the service: a response of the page itself is final.
    fn may_fall_back(&self, failure: &Failure) -> bool {
        failure.blame == Blame::Service
    }

    fn version(&self) -> &'static str {
        "firecrawl\n"
    }
}

impl FirecrawlFetcher {
    /// Creates a fetcher; without an API key every fetch fails.
    pub fn new(client: Arc<HttpClient>) -> Self {
        let followed = RwLock::new(client.settings.firecrawl.followed.clone());
        Self { client, followed }
    }

    /// Returns the key and version that are used now; `None` without a key.
    pub fn access(&self) -> Option<FirecrawlAccess> {
        let followed = self.followed.read().unwrap_or_else(PoisonError::into_inner);
        self.client.settings.firecrawl.access(followed.as_ref())
    }

    /// Follows another installation's access, or none. Returns true if that changes how pages are fetched.
    pub fn follow(&self, followed: Option<FirecrawlAccess>) -> bool {
        let before = self.access();
        *self.followed.write().unwrap_or_else(PoisonError::into_inner) = followed;
        self.access() != before
    }

    /// Requests the page from the API, with a time limit for Firecrawl below ours.
    async fn scrape(&self, request: PageRequest<'_>, deadline: Instant) -> Result<Response, Failure> {
        let url = &self.client.settings.firecrawl.url;
        let Some(FirecrawlAccess { key: api_key, version }) = request.firecrawl else {
            let detail = "the page's site rule uses Firecrawl, but fetch.firecrawl.api_key is not set";
            return Err(errors::refused(detail).of_service());
        };
        let refused = |why: String| errors::refused(format!("fetch.firecrawl.url: {why}")).of_service();
        let version = version.unwrap_or(DEFAULT_API_VERSION);
        let endpoint = format!("{}/v{version}/scrape", url.as_str().trim_end_matches('/'));
        let endpoint = self.client.guard.parse(&endpoint).map_err(|refusal| refused(refusal.to_string()))?;
        let mut key = HeaderValue::from_str(&format!("Bearer {}", api_key.reveal()))
            .map_err(|_| errors::refused("fetch.firecrawl.api_key is not a valid key").of_service())?;
        key.set_sensitive(true);
        let PageRequest { url, rules, chatwoot, .. } = request;
        let own = rules.exclude.iter().map(|selector| selector.source.as_str());
        let excluded: Vec<_> = EXCLUDED_TAGS.into_iter().chain(own).collect();
        let mut body = json!({
            "url": url.as_str(),
            "onlyMainContent": rules.extract == Extract::Main,
            "formats": ["markdown"],
            "excludeTags": excluded,
        });
        if !chatwoot {
            let timeout = self.client.settings.total_timeout.saturating_sub(TIMEOUT_LEAD).max(Duration::from_secs(1));
            body["timeout"] = json!(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX));
        }
        if !rules.include.is_empty() {
            body["includeTags"] = rules.include.iter().map(|selector| selector.source.as_str()).collect();
        }
        if version >= 2 {
            // Firecrawl must fetch the page, not return a cached copy.
            body["maxAge"] = json!(0);
        }
        let post = self.client.post(endpoint).header(AUTHORIZATION, key).header(CONTENT_TYPE, "application/json");
        match timeout_at(deadline, post.body(body.to_string()).send()).await {
            Ok(response) => response.map_err(|error| service_failure(&self.client.failure(&error))),
            Err(_) => Err(self.too_slow()),
        }
    }

    fn page(&self, data: Data, bytes: u64) -> Result<Page, Failure> {
        let Data { markdown, metadata } = data;
        for url in [&metadata.url, &metadata.source_url].into_iter().flatten() {
            // The final URL is only Firecrawl's claim; a page at an address that the guard refuses is not stored.
            let judged = self.client.guard.parse(url);
            judged.map_err(|refusal| errors::refused(format!("Firecrawl was redirected: {refusal}")))?;
        }
        let status = metadata.status_code.unwrap_or(200);
        if !(200..300).contains(&status) {
            let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            return Err(Failure::from_status(status, reason.or(metadata.error.as_deref()).unwrap_or_default()));
        }
        let title = match &metadata.title {
            Some(Value::String(title)) => Some(title.clone()),
            // Pages with several titles.
            Some(Value::Array(titles)) => titles.first().and_then(Value::as_str).map(str::to_owned),
            _ => None,
        };
        let markdown = charset::plain(&markdown.unwrap_or_default());
        let page = Page::new(title.as_deref(), markdown, bytes, status);
        page.ok_or_else(|| Failure::permanent(ErrorCode::ContentEmpty, "the page has no text").with_status(status))
    }

    fn too_slow(&self) -> Failure {
        let limit = self.client.settings.total_timeout.as_secs_f64();
        Failure::transient(ErrorCode::Timeout, format!("Firecrawl did not answer within {limit} s")).of_service()
    }
}

/// Converts a failure of the request to Firecrawl into a failure of the service.
fn service_failure(failure: &Failure) -> Failure {
    let detail = format!("Firecrawl: {}", failure.detail);
    Failure { detail: SafeLine::new(&detail), ..failure.clone() }.of_service()
}

/// Returns the failure for an error of the API itself, with a remedy where one is known.
fn api_failure(status: StatusCode, body: &[u8]) -> Failure {
    let body: Option<ScrapeResponse> = serde_json::from_slice(body).ok();
    let reason = body
        .and_then(|body| error_message(body.error.as_ref()))
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let permanent = |detail: String| Failure::permanent(ErrorCode::FetchFailed, detail);
    match status.as_u16() {
        401 | 403 => permanent(format!("Firecrawl rejects the key ({status}); see fetch.firecrawl.api_key")),
        402 => permanent("Firecrawl has no credits left (402); buy more from Firecrawl".to_owned()),
        404 => permanent(
            "Firecrawl's API was not found (404); check fetch.firecrawl.url and fetch.firecrawl.version".to_owned(),
        ),
        408 | 504 => {
            Failure::transient(ErrorCode::Timeout, format!("Firecrawl did not get the page in time ({status})"))
        }
        429 => broken(format!("Firecrawl receives too many requests ({status})")),
        500..=599 => broken(format!("Firecrawl reports a server error ({status})")),
        _ => permanent(format!("Firecrawl rejects the request ({status}){reason}")),
    }
}

fn broken(detail: String) -> Failure {
    Failure::transient(ErrorCode::FetchFailed, detail).of_service()
}

fn invalid_response() -> Failure {
    broken("Firecrawl's response is not valid for its API".to_owned())
}

/// Returns the API's error message, cut to 160 characters; `None` if it is missing, blank or not a text.
fn error_message(error: Option<&Value>) -> Option<String> {
    let words = error?.as_str()?.trim();
    (!words.is_empty()).then(|| words.chars().take(160).collect())
}
