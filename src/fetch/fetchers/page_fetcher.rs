//! Interface between the router ([`Fetcher`](crate::fetch::Fetcher)) and the fetchers.

use crate::domain::content::PriorResponse;
use crate::domain::failure::Failure;
use crate::domain::representation::Negotiation;
use crate::domain::template::Template;
use crate::fetch::content_rules::ContentRules;
use crate::fetch::request::FetchResponse;
use crate::fetch::settings::FirecrawlAccess;
use async_trait::async_trait;
use reqwest::header::HeaderMap;
use std::sync::Arc;
use url::Url;

/// Request for a page whose URL has passed the guard.
#[derive(Clone, Copy, Debug)]
pub(in crate::fetch) struct PageRequest<'a> {
    pub url: &'a Url,
    /// Facts about the response that the stored text came from. A fetcher that can use neither validators nor the body
    /// digest ignores them.
    pub prior: &'a PriorResponse,
    /// Rules of the page's site about content.
    pub rules: &'a Arc<ContentRules>,
    pub negotiation: Negotiation,
    /// Headers with the credentials of the page's site, which only a request to the origin of `url` may carry.
    pub credentials: &'a HeaderMap,
    /// Template of the page's host, for an explanation of the text.
    pub template: Option<&'a Arc<Template>>,
    /// True if Chatwoot's own texts of the page are wanted too.
    pub chatwoot: bool,
    /// Key and version for Firecrawl, read once for the whole request; `None` without a key.
    pub firecrawl: Option<&'a FirecrawlAccess>,
}

/// A way to fetch a page: from its server or through a service.
#[async_trait]
pub(in crate::fetch) trait PageFetcher: Send + Sync {
    /// Fetches a page and turns it into text. Dropping the future ends the request; a conversion that has begun ends by
    /// its own time limit.
    async fn fetch(&self, request: PageRequest<'_>) -> Result<FetchResponse, Failure>;

    /// Returns true if another fetcher may succeed after this failure.
    fn may_fall_back(&self, failure: &Failure) -> bool;

    /// Returns this fetcher's part of the converter version, which distinguishes its texts from those of other
    /// fetchers. After a change of this value, every page of the fetcher is fetched and converted again at its next
    /// sync.
    fn version(&self) -> &'static str;
}
