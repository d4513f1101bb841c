//! The numbers that a fetch stays within.

use super::allowed::AllowedHost;
use super::firecrawl::Firecrawl;
use super::guard::DENIED_PORTS;
use crate::domain::source::Sources;
use std::net::SocketAddr;
use std::time::Duration;
use url::Url;

/// What a fetch may cost and where it may go.
#[derive(Clone, Debug)]
pub struct Limits {
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
    /// Whether a host's robots.txt is asked first, and obeyed.
    pub respect_robots: bool,
    /// How Firecrawl is reached; everything is fetched by it unless `sources` say otherwise.
    pub firecrawl: Option<Firecrawl>,
    /// What is said of single hosts and documents.
    pub sources: Sources,
    /// What may be fetched although it is not public.
    pub allow_private_hosts: Vec<AllowedHost>,
    /// Name servers that are asked instead of the system's resolver; none is the system's.
    pub dns_servers: Vec<SocketAddr>,
    /// The proxy that everything is asked through; it may be private. It looks names up by itself: what this program's
    /// own look-up finds is judged all the same. Never taken from the environment. May hold a secret.
    pub proxy: Option<Url>,
    /// Ports that are refused where no entry of `allow_private_hosts` lets them through.
    pub denied_ports: Vec<u16>,
}

impl Default for Limits {
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
            firecrawl: None,
            sources: Sources::default(),
            allow_private_hosts: Vec::new(),
            dns_servers: Vec::new(),
            proxy: None,
            denied_ports: DENIED_PORTS.to_vec(),
        }
    }
}
