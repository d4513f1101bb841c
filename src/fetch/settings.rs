//! The settings of `[fetch]`: what a fetch may cost, where it may go, and which fetcher gets a page.

use super::allowed::AllowedHost;
use crate::domain::secret::Secret;
use crate::domain::site_rule::SiteRules;
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// Ports that no page is served on and that a forged request could do harm on: logins, mail, name and directory
/// services, shares, databases, queues, caches, X11, container and cluster control.
pub const DENIED_PORTS: [u16; 64] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 79, 110, 111, 113, 119, 123, 135, 137, 139,
    143, 161, 179, 389, 445, 465, 512, 513, 514, 515, 587, 636, 873, 993, 995, 1433, 1521, 2049, 2375, 2376, 2379,
    3306, 3389, 4369, 5432, 5672, 5900, 5984, 6000, 6379, 6443, 9042, 9092, 9200, 10250, 11211, 27017,
];

/// Limits, addresses and rules of all fetches of one process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSettings {
    /// Name, connection and TLS together.
    pub connect_timeout: Duration,
    /// The wait for the answer, and each wait for the next piece of the body.
    pub read_timeout: Duration,
    /// Everything up to the last byte, redirects included, and the wait for a core.
    pub total_timeout: Duration,
    /// Bytes of the body after decompression.
    pub max_body: u64,
    /// Bytes that the bodies of all fetches may take together; one at least is always let in.
    pub max_memory: u64,
    /// Redirects that are followed.
    pub max_redirects: u32,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Ask each host's robots.txt first, and obey it.
    pub respect_robots: bool,
    /// The address and key of Firecrawl's API.
    pub firecrawl: FirecrawlSettings,
    /// Rules for single hosts and documents.
    pub sites: SiteRules,
    /// Hosts and networks that may be fetched although their addresses are not public.
    pub allow_private_hosts: Vec<AllowedHost>,
    /// Name servers that are asked instead of the system's resolver; none is the system's.
    pub dns_servers: Vec<SocketAddr>,
    /// The proxy that everything is asked through; it may be private. It looks names up by itself: what this program's
    /// own look-up finds is judged all the same. Never taken from the environment. May hold a secret.
    pub proxy: Option<Url>,
    /// Ports that are refused where no entry of `allow_private_hosts` lets them through.
    pub denied_ports: Vec<u16>,
}

/// Settings of Firecrawl's scrape API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirecrawlSettings {
    /// The key. With one, every page is fetched by Firecrawl unless a site rule says otherwise.
    pub api_key: Option<Secret>,
    /// The base, Firecrawl's own service or a server of one's own; judged by the guard like any URL.
    pub url: Url,
    /// The API's version, 1 or 2.
    pub version: u8,
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
        Self { api_key: None, url, version: 2 }
    }
}
