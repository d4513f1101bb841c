//! Implementations of [`PageFetcher`]: `http` requests a page from its own server, `firecrawl` lets a service fetch it.
//!
//! To add one, write a file here, a variant of [`FetchedBy`] (the compiler then points to [`Fetchers::by`]), and its
//! settings.

mod firecrawl;
mod http;
mod page_fetcher;

pub(super) use page_fetcher::{PageFetcher, PageRequest};

use super::client::HttpClient;
use crate::domain::site_rule::FetchedBy;
use firecrawl::FirecrawlFetcher;
use http::HttpFetcher;
use std::sync::Arc;

/// One instance of each fetcher.
pub(super) struct Fetchers {
    http: HttpFetcher,
    firecrawl: FirecrawlFetcher,
}

impl Fetchers {
    /// Creates the fetchers, which share `client`.
    pub fn new(client: &Arc<HttpClient>) -> Self {
        Self { http: HttpFetcher::new(Arc::clone(client)), firecrawl: FirecrawlFetcher::new(Arc::clone(client)) }
    }

    /// Returns the fetcher of this name.
    pub fn by(&self, name: FetchedBy) -> &dyn PageFetcher {
        match name {
            FetchedBy::Direct => &self.http,
            FetchedBy::Firecrawl => &self.firecrawl,
        }
    }

    /// Returns the name of the fetcher for pages without a site rule: Firecrawl if its key is set.
    pub fn usual(&self) -> FetchedBy {
        if self.firecrawl.is_configured() { FetchedBy::Firecrawl } else { FetchedBy::Direct }
    }
}
