//! From names to addresses: by the system's resolver, or by name servers that the settings name.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;
use thiserror::Error;

/// A name server answers within this, or is asked once more.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a name has led to no address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LookupError {
    /// There is no such name.
    #[error("the host name does not exist")]
    NoSuchName,
    /// The name stands for something, and for no address.
    #[error("the host name has no address")]
    NoAddress,
    /// No name server answered.
    #[error("no name server answers")]
    NoAnswer,
    /// The name server or the system reported an error.
    #[error("the host name could not be looked up: {0}")]
    Failed(String),
}

/// Result of a name look-up.
pub type Addresses = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, LookupError>> + Send>>;

/// Addresses of a name; the seam where another resolver than the system's is put.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of `name`.
    fn addresses(&self, name: String) -> Addresses;
}

/// The system's own resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: String) -> Addresses {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await;
            Ok(found.map_err(|error| system_error(&error.to_string()))?.map(|found| found.ip()).collect())
        })
    }
}

/// The standard library hands on the words of the C library and nothing else (glibc's, then musl's).
fn system_error(words: &str) -> LookupError {
    let words = words.trim_start_matches("failed to lookup address information: ");
    match words {
        "Name or service not known" | "Name does not resolve" => LookupError::NoSuchName,
        "No address associated with hostname" | "Name has no usable address" => LookupError::NoAddress,
        "Temporary failure in name resolution" | "Try again" => LookupError::NoAnswer,
        other => LookupError::Failed(other.to_owned()),
    }
}

/// The name servers of `fetch.dns_servers`, asked in their order; neither the system's hosts file nor its search list is
/// used.
pub struct NameServers(TokioResolver);

impl NameServers {
    /// Asks these, over UDP and, for long answers, TCP. At least one.
    pub fn new(servers: &[SocketAddr]) -> Result<Self, LookupError> {
        let of = |server: &SocketAddr| {
            let on_port = |mut connection: ConnectionConfig| {
                connection.port = server.port();
                connection
            };
            let connections = vec![on_port(ConnectionConfig::udp()), on_port(ConnectionConfig::tcp())];
            NameServerConfig::new(server.ip(), true, connections)
        };
        let config = ResolverConfig::from_name_servers(servers.iter().map(of).collect());
        let mut options = ResolverOpts::default();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = PATIENCE;
        options.attempts = 1;
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = resolver.with_options(options).build();
        resolver.map(Self).map_err(|error| LookupError::Failed(error.to_string()))
    }
}

impl Lookup for NameServers {
    fn addresses(&self, name: String) -> Addresses {
        let resolver = self.0.clone();
        // With its last dot it is a whole name: nothing is searched for beside it.
        let whole = if name.ends_with('.') { name } else { name + "." };
        Box::pin(async move {
            let found = resolver.lookup_ip(whole).await.map_err(|error| server_error(&error))?;
            Ok(found.iter().collect())
        })
    }
}

fn server_error(error: &NetError) -> LookupError {
    if error.is_nx_domain() {
        return LookupError::NoSuchName;
    }
    if error.is_no_records_found() {
        return LookupError::NoAddress;
    }
    match error {
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)) => {
            LookupError::Failed("the name server failed".into())
        }
        NetError::Timeout | NetError::NoConnections | NetError::Io(_) => LookupError::NoAnswer,
        other => LookupError::Failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_says_is_told_apart() {
        let said = |words: &str| system_error(&format!("failed to lookup address information: {words}"));
        assert_eq!(said("Name or service not known"), LookupError::NoSuchName);
        assert_eq!(said("Temporary failure in name resolution"), LookupError::NoAnswer);
        assert_eq!(said("No address associated with hostname"), LookupError::NoAddress);
        assert_eq!(said("System error"), LookupError::Failed("System error".into()));
    }
}
