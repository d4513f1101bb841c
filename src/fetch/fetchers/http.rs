//! Fetching from the page's own server. The guard checks every hop of a redirect.

use super::{PageFetcher, PageRequest};
use crate::domain::content::{Page, PriorResponse, Validators};
use crate::domain::failure::{ErrorCode, Failure, FailureClass};
use crate::domain::representation::{self, MarkdownFinding, Negotiation, Representation};
use crate::fetch::client::{ACCEPT_HTML, ACCEPT_MARKDOWN, HttpClient};
use crate::fetch::errors;
use crate::fetch::head::{next_hop, retry_after};
use crate::fetch::pipeline::{self, Source};
use crate::fetch::request::FetchResponse;
use crate::fetch::robots::{self, Robots};
use async_trait::async_trait;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use reqwest::{Response, StatusCode};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::time::Instant;
use url::Url;

/// Fetches pages from their own servers over HTTP.
pub(super) struct HttpFetcher {
    client: Arc<HttpClient>,
    /// Cached robots.txt rules; `None` when they are ignored.
    robots: Option<Robots>,
}

impl HttpFetcher {
    /// Creates a fetcher, which obeys robots.txt if the client's settings say so.
    pub fn new(client: Arc<HttpClient>) -> Self {
        let robots = client.settings.respect_robots.then(|| Robots::new(&client.settings.user_agent));
        Self { client, robots }
    }

    /// Sends the request and follows redirects. Returns the first response that is not a redirect, and its URL.
    async fn follow(
        &self,
        request: PageRequest<'_>,
        accept: &HeaderValue,
        deadline: Instant,
    ) -> Result<(Response, Url), Failure> {
        let most = self.client.settings.max_redirects;
        let mut url = request.url.clone();
        let mut visited = HashSet::new();
        // A redirect to another scheme, host or port ends the use of the credentials for good: who sends a request back to
        // the page's origin from elsewhere must not choose what is read with them.
        let mut is_own_origin = true;
        loop {
            url.set_fragment(None);
            is_own_origin &= url.origin() == request.url.origin();
            visited.insert(url.clone());
            if let Some(robots) = &self.robots {
                robots::obey(robots, &self.client, &url, deadline).await?;
            }
            let mut headers = conditions(request.prior.validators.as_ref());
            headers.insert(ACCEPT, accept.clone());
            if is_own_origin {
                headers.extend(request.credentials.clone());
            }
            let response = self.client.get(&url, headers, deadline).await?;
            let Some(next) = next_hop(&response, &url) else {
                return Ok((response, url));
            };
            let refused = |detail: String| errors::refused(detail).with_status(response.status().as_u16());
            let mut next = next.map_err(|error| refused(format!("redirected to a bad URL: {error}")))?;
            next.set_fragment(None);
            self.client.guard.judge(&next).map_err(|refusal| refused(format!("redirected: {refusal}")))?;
            if visited.contains(&next) {
                return Err(refused("redirect loop".into()));
            }
            if visited.len() > most as usize {
                return Err(refused(format!("too many redirects (more than {most})")));
            }
            url = next;
        }
    }
}

impl HttpFetcher {
    /// Fetches one representation of the page.
    async fn fetch_as(
        &self,
        request: PageRequest<'_>,
        accept: HeaderValue,
        deadline: Instant,
    ) -> Result<FetchResponse, Failure> {
        let accepts_markdown = accept == ACCEPT_MARKDOWN;
        let (response, url) = self.follow(request, &accept, deadline).await?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return match request.prior.validators {
                Some(_) => Ok(FetchResponse::NotModified),
                None => {
                    Err(errors::refused("304 Not Modified, although the whole page was requested").with_status(304))
                }
            };
        }
        if let Some(failure) = without_page(status) {
            return Err(failure.with_status(status.as_u16()));
        }
        if !status.is_success() {
            let wait = retry_after(status, response.headers(), SystemTime::now());
            let reason = status.canonical_reason().unwrap_or_default();
            return Err(Failure::from_status(status.as_u16(), reason).with_retry_after(wait));
        }
        let rules = Arc::clone(request.rules);
        let source = Source {
            requested: request.url.clone(),
            url,
            rules,
            fetcher: self.version(),
            accepts_markdown,
            template: request.template.cloned(),
            chatwoot: request.chatwoot,
        };
        let known = request.prior.body_digest.as_ref();
        let page = pipeline::page(&self.client, response, source, known, deadline).await;
        page.map_err(|failure| failure.with_status(status.as_u16()))
    }

    /// Fetches the page's HTML, whole.
    async fn fetch_html(&self, request: PageRequest<'_>, deadline: Instant) -> Result<FetchResponse, Failure> {
        let prior = PriorResponse::default();
        self.fetch_as(PageRequest { prior: &prior, ..request }, ACCEPT_HTML, deadline).await
    }

    /// Fetches the HTML of a page whose Markdown was fetched, and returns the page to take, with the finding. Markdown
    /// without an HTML beside it is taken as it is.
    async fn compare(&self, mut page: Box<Page>, request: PageRequest<'_>, deadline: Instant) -> Box<Page> {
        match self.fetch_html(request, deadline).await {
            Ok(FetchResponse::Page(mut html)) if html.representation == Representation::Html => {
                let fits = representation::fits(&page.content, &html.content);
                if fits {
                    page.other_fingerprint = Some(html.fingerprint);
                    page.markdown_finding = Some(MarkdownFinding::Fits);
                    return page;
                }
                html.other_fingerprint = Some(page.fingerprint);
                html.markdown_finding = Some(MarkdownFinding::Poorer);
                html
            }
            _ => page,
        }
    }
}

#[async_trait]
impl PageFetcher for HttpFetcher {
    async fn fetch(&self, request: PageRequest<'_>) -> Result<FetchResponse, Failure> {
        let deadline = Instant::now() + self.client.settings.total_timeout;
        if request.negotiation == Negotiation::HtmlOnly {
            return self.fetch_as(request, ACCEPT_HTML, deadline).await;
        }
        match self.fetch_as(request, ACCEPT_MARKDOWN, deadline).await {
            Ok(FetchResponse::Page(page))
                if page.representation == Representation::Markdown && request.negotiation == Negotiation::Compare =>
            {
                Ok(FetchResponse::Page(self.compare(page, request, deadline).await))
            }
            Err(failure) if may_be_refused_markdown(&failure) => match self.fetch_html(request, deadline).await? {
                FetchResponse::Page(mut page) => {
                    page.markdown_finding = Some(MarkdownFinding::Refused);
                    Ok(FetchResponse::Page(page))
                }
                unchanged => Ok(unchanged),
            },
            other => other,
        }
    }

    /// Returns true for failures that another fetcher may avoid: all transient failures (such as of hosts that do not
    /// answer this program), bot protection, and pages without text, which scripts may build.
    fn may_fall_back(&self, failure: &Failure) -> bool {
        failure.class == FailureClass::Transient
            || matches!(failure.code, ErrorCode::AccessDenied | ErrorCode::ContentEmpty)
    }

    fn version(&self) -> &'static str {
        ""
    }
}

/// Returns the failure for a success status whose response is not the page; `None` for every other status.
fn without_page(status: StatusCode) -> Option<Failure> {
    match status {
        StatusCode::ACCEPTED => {
            Some(Failure::transient(ErrorCode::FetchFailed, "202 Accepted: the server has no page yet"))
        }
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => {
            Some(Failure::permanent(ErrorCode::ContentEmpty, "the server says that the page has no content"))
        }
        StatusCode::PARTIAL_CONTENT => {
            Some(errors::refused("206 Partial Content, although the whole page was requested"))
        }
        _ => None,
    }
}

/// Returns true for failures by which a server may react to the request for Markdown alone: statuses that refuse the
/// request, and a success without a page that can be stored. Whether it is so, a request for HTML shows.
pub fn may_be_refused_markdown(failure: &Failure) -> bool {
    match failure.http_status {
        Some(400 | 403 | 406 | 415 | 500 | 501) => true,
        Some(200..=299) => failure.class == FailureClass::Permanent,
        _ => false,
    }
}

/// Returns the headers of a conditional request; empty without validators.
fn conditions(validators: Option<&Validators>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(Validators { etag, last_modified }) = validators {
        for (name, value) in [(IF_NONE_MATCH, etag), (IF_MODIFIED_SINCE, last_modified)] {
            // A stored validator came from a header, but another program may have written the row: an invalid value is
            // skipped.
            if let Some(Ok(value)) = value.as_ref().map(|value| HeaderValue::from_str(value)) {
                headers.insert(name, value);
            }
        }
    }
    headers
}
