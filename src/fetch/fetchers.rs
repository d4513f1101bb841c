//! The ways to get a page, each behind [`PageFetcher`]: `http` asks the page's own server, `firecrawl` has a service ask.
//!
//! A new one is a file here, a variant of [`FetchedBy`] (the compiler then leads to [`Fetchers::by`]), and its settings.

mod firecrawl;
mod http;
mod page_fetcher;

pub(super) use page_fetcher::{PageFetcher, PageRequest};

use super::client::HttpClient;
use crate::domain::site_rule::FetchedBy;
use firecrawl::FirecrawlFetcher;
use http::HttpFetcher;
use std::sync::Arc;

/// The fetchers.
pub(super) struct Fetchers {
    http: HttpFetcher,
    firecrawl: FirecrawlFetcher,
}

impl Fetchers {
    /// All of them share the client.
    pub fn new(client: &Arc<HttpClient>) -> Self {
        Self { http: HttpFetcher::new(Arc::clone(client)), firecrawl: FirecrawlFetcher::new(Arc::clone(client)) }
    }

    /// Returns the fetcher that a site rule names.
    pub fn by(&self, name: FetchedBy) -> &dyn PageFetcher {
        match name {
            FetchedBy::Direct => &self.http,
            FetchedBy::Firecrawl => &self.firecrawl,
        }
    }

    /// Returns the fetcher of pages about which no site rule says anything.
    pub fn usual(&self) -> FetchedBy {
        if self.firecrawl.is_configured() { FetchedBy::Firecrawl } else { FetchedBy::Direct }
    }
}
