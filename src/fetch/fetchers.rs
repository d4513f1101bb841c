//! Implementations of [`PageFetcher`]: `http` requests a page from its own server, `firecrawl` lets a service fetch it.
//!
//! To add a fetcher, write a file here, a variant of [`FetcherKind`] (the compiler then points to [`Fetchers::get`]),
//! and its settings.

mod firecrawl;
mod http;
mod page_fetcher;

pub use http::may_be_refused_markdown;
pub(super) use page_fetcher::{PageFetcher, PageRequest};

use super::client::HttpClient;
use super::settings::FirecrawlAccess;
use crate::domain::site_rule::FetcherKind;
use firecrawl::FirecrawlFetcher;
use http::HttpFetcher;
use std::sync::Arc;

/// The fetchers, one of each kind.
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
    pub fn get(&self, name: FetcherKind) -> &dyn PageFetcher {
        match name {
            FetcherKind::Direct => &self.http,
            FetcherKind::Firecrawl => &self.firecrawl,
        }
    }

    /// Returns the key and version with which Firecrawl is used now; `None` without a key.
    pub fn firecrawl_access(&self) -> Option<FirecrawlAccess> {
        self.firecrawl.access()
    }

    /// Follows another installation's access to Firecrawl, or none. Returns true if that changes how pages are fetched.
    pub fn follow(&self, followed: Option<FirecrawlAccess>) -> bool {
        self.firecrawl.follow(followed)
    }

    /// Returns the name of the fetcher for pages whose site rule names none: Firecrawl if its key is set, else the
    /// direct one.
    pub fn default_fetcher(&self) -> FetcherKind {
        Self::default_with(self.firecrawl.access().as_ref())
    }

    /// Returns the same where Firecrawl is used with `access`.
    pub const fn default_with(access: Option<&FirecrawlAccess>) -> FetcherKind {
        if access.is_some() { FetcherKind::Firecrawl } else { FetcherKind::Direct }
    }
}
