//! The settings of `[fetch]`.

use crate::domain::secret::Secret;
use crate::domain::source::Sources;
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// Ports of services that are none of the web: mail, files, databases, queues, remote shells. The fetch has the same
/// list for those who set nothing; a test holds them together.
const DENIED_PORTS: [u16; 64] = [
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 79, 110, 111, 113, 119, 123, 135, 137, 139,
    143, 161, 179, 389, 445, 465, 512, 513, 514, 515, 587, 636, 873, 993, 995, 1433, 1521, 2049, 2375, 2376, 2379,
    3306, 3389, 4369, 5432, 5672, 5900, 5984, 6000, 6379, 6443, 9042, 9092, 9200, 10250, 11211, 27017,
];

/// How pages are fetched, and what is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchConfig {
    /// Until a connection stands, name look-up included.
    pub connect_timeout: Duration,
    /// Between two pieces of an answer.
    pub read_timeout: Duration,
    /// For one fetch with all its redirects.
    pub total_timeout: Duration,
    /// Between the beginnings of two fetches of one host, over all workers; zero is no distance.
    pub host_interval: Duration,
    /// Bytes of a body, after decompression.
    pub max_body: u64,
    /// Bytes of all bodies together.
    pub max_memory: u64,
    /// Redirects that are followed.
    pub max_redirects: u32,
    /// How a fetch names itself.
    pub user_agent: String,
    /// Whether a host's robots.txt is asked first, and obeyed.
    pub respect_robots: bool,
    /// The key of Firecrawl's API; with one, pages are fetched by it.
    pub firecrawl_api_key: Option<Secret>,
    /// Firecrawl's address.
    pub firecrawl_url: Url,
    /// The version of its API, 1 or 2.
    pub firecrawl_version: u8,
    /// What is said of single hosts and documents.
    pub sources: Sources,
    /// Where those were said, for what is found wrong with them later.
    pub sources_place: String,
    /// Hosts and networks (CIDR) that may be fetched although their addresses are not public.
    pub allow_private_hosts: Vec<String>,
    /// Name servers that are asked instead of the system's resolver.
    pub dns_servers: Vec<SocketAddr>,
    /// The proxy that pages are asked through. May hold a secret: never printed as it is.
    pub proxy: Option<Url>,
    /// Ports that are never connected to.
    pub denied_ports: Vec<u16>,
}

impl Default for FetchConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            read_timeout: Duration::from_secs(20),
            total_timeout: Duration::from_secs(60),
            host_interval: Duration::ZERO,
            max_body: 40 << 20,
            max_memory: 48 << 20,
            max_redirects: 10,
            user_agent: concat!("quarterdeck/", env!("CARGO_PKG_VERSION")).to_owned(),
            respect_robots: false,
            firecrawl_api_key: None,
            firecrawl_url: firecrawl_url(),
            firecrawl_version: 2,
            sources: Sources::default(),
            sources_place: "defaults".to_owned(),
            allow_private_hosts: Vec::new(),
            dns_servers: Vec::new(),
            proxy: None,
            denied_ports: DENIED_PORTS.to_vec(),
        }
    }
}

/// Firecrawl's own service.
fn firecrawl_url() -> Url {
    Url::parse("https://api.firecrawl.dev").unwrap_or_else(|_| unreachable!("a URL"))
}
