//! Settings of `[fetch]`: limits of a fetch, allowed addresses, and the choice of the fetcher.

use super::allowed::AllowedHost;
use crate::domain::credential::SecretValues;
use crate::domain::secret::Secret;
use crate::domain::site_rule::{SiteRules, WrittenText};
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// Ports that serve no pages and on which a forged request could do harm: logins, mail, name and directory services,
/// shares, databases, queues, caches, X11, container and cluster control.
pub const DENIED_PORTS: [u16; 64] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 79, 110, 111, 113, 119, 123, 135, 137, 139,
    143, 161, 179, 389, 445, 465, 512, 513, 514, 515, 587, 636, 873, 993, 995, 1433, 1521, 2049, 2375, 2376, 2379,
    3306, 3389, 4369, 5432, 5672, 5900, 5984, 6000, 6379, 6443, 9042, 9092, 9200, 10250, 11211, 27017,
];

/// Limits, addresses and rules for all fetches of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSettings {
    /// Time limit on name look-up, connection and TLS together.
    pub connect_timeout: Duration,
    /// Time limit on the wait for the response, and on each wait for the next piece of the body.
    pub read_timeout: Duration,
    /// Time limit on the whole fetch, including redirects and the wait for a conversion slot, but not the wait for
    /// memory. A fallback gets the limit anew.
    pub total_timeout: Duration,
    /// Maximum number of bytes of a body after decompression.
    pub max_body: u64,
    /// Maximum number of bytes that the bodies of all fetches take together; at least one body is always allowed.
    pub max_memory: u64,
    /// Maximum number of redirects that are followed.
    pub max_redirects: u32,
    pub user_agent: String,
    /// True if the direct fetcher fetches each host's robots.txt first and obeys it.
    pub respect_robots: bool,
    pub firecrawl: FirecrawlSettings,
    /// Rules for single hosts and documents.
    pub sites: SiteRules,
    /// Text of a page that is written; `None` is Chatwoot's own on a database of Chatwoot, and ours elsewhere.
    pub extract: Option<WrittenText>,
    /// Values of the secrets that the site rules name.
    pub secrets: SecretValues,
    /// Hosts and networks that may be fetched although they are not public.
    pub allow_private_hosts: Vec<AllowedHost>,
    /// Name servers to query. If empty, the system's resolver is used.
    pub dns_servers: Vec<SocketAddr>,
    /// Proxy for all requests, which may have a private address. The proxy resolves names; the guard still judges the
    /// addresses that a look-up by this program finds. The proxy is never taken from the environment. The URL may
    /// contain a secret.
    pub proxy: Option<Url>,
    /// Ports that are refused unless an entry of `allow_private_hosts` allows them.
    pub denied_ports: Vec<u16>,
}

impl FetchSettings {
    /// Returns true if the text that is written is Chatwoot's own, unless a site rule names the content.
    /// `is_chatwoot_database` is true where Chatwoot syncs the same documents.
    pub fn writes_chatwoot_text(&self, is_chatwoot_database: bool) -> bool {
        match self.extract {
            Some(text) => text == WrittenText::Chatwoot,
            None => is_chatwoot_database,
        }
    }
}

/// Settings of Firecrawl's scrape API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirecrawlSettings {
    /// API key. If set, Firecrawl fetches every page unless a site rule says otherwise.
    pub api_key: Option<Secret>,
    /// Access of another installation that is followed (Chatwoot's), which serves as long as `api_key` is not set.
    pub followed: Option<FirecrawlAccess>,
    /// Base URL, of Firecrawl's own service or a self-hosted server; the guard judges it like any URL.
    pub url: Url,
    /// API version, 1 or 2; `None` is that of the access that is followed, else [`DEFAULT_API_VERSION`].
    pub version: Option<u8>,
}

/// Version of Firecrawl's API where none is set or known.
pub const DEFAULT_API_VERSION: u8 = 2;

/// Key and version with which Firecrawl's API is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirecrawlAccess {
    pub key: Secret,
    /// API version, 1 or 2; `None` if it is not known.
    pub version: Option<u8>,
}

impl FirecrawlSettings {
    /// Returns the access that is used, where `followed` is the one that is followed now: the own key wins over it, and
    /// an own version over its version. `None` without a key.
    pub fn access(&self, followed: Option<&FirecrawlAccess>) -> Option<FirecrawlAccess> {
        let own = self.api_key.clone().map(|key| FirecrawlAccess { key, version: None });
        let used = own.or_else(|| followed.cloned())?;
        Some(FirecrawlAccess { version: self.version.or(used.version).or(Some(DEFAULT_API_VERSION)), ..used })
    }

    /// Returns true if Firecrawl fetches every page for which no site rule says otherwise.
    pub fn is_used(&self) -> bool {
        self.api_key.is_some() || self.followed.is_some()
    }
}

impl Default for FetchSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            read_timeout: Duration::from_secs(20),
            total_timeout: Duration::from_secs(60),
            max_body: 40 * 1024 * 1024,
            max_memory: 48 * 1024 * 1024,
            max_redirects: 10,
            user_agent: concat!("quarterdeck/", env!("CARGO_PKG_VERSION")).into(),
            respect_robots: false,
            firecrawl: FirecrawlSettings::default(),
            sites: SiteRules::default(),
            extract: None,
            secrets: SecretValues::default(),
            allow_private_hosts: Vec::new(),
            dns_servers: Vec::new(),
            proxy: None,
            denied_ports: DENIED_PORTS.to_vec(),
        }
    }
}

impl Default for FirecrawlSettings {
    fn default() -> Self {
        let url = Url::parse("https://api.firecrawl.dev").unwrap_or_else(|_| unreachable!("a URL"));
        Self { api_key: None, followed: None, url, version: None }
    }
}
