//! Name resolution, by the system's resolver or by name servers from the settings.

use super::errors;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;
use thiserror::Error;

/// Time-out of one query to a name server.
const NAME_SERVER_TIMEOUT: Duration = Duration::from_secs(1);

/// Reason why a name was not resolved to an address.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LookupError {
    #[error("the host name does not exist")]
    NoSuchName,
    /// The name exists and has no address record.
    #[error("the host name has no address")]
    NoAddress,
    #[error("no name server answers")]
    NoAnswer,
    /// This process may open no more files, so that no name server could be asked.
    #[error("this process may open no more files")]
    OutOfFiles,
    /// The name server or the system reported another error.
    #[error("the host name could not be looked up: {0}")]
    Failed(String),
}

/// Future result of a name look-up.
pub type Addresses = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, LookupError>> + Send>>;

/// Resolver of host names; tests implement it to replace the system's resolver.
pub trait Lookup: Send + Sync + 'static {
    /// Resolves `name` to its IPv4 and IPv6 addresses.
    fn addresses(&self, name: String) -> Addresses;
}

/// The system's resolver, called through the standard library. Names that end in `.localhost` are this machine, as RFC
/// 6761, section 6.3, asks of resolvers: not every system's does that.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn addresses(&self, name: String) -> Addresses {
        if is_this_machine(&name) {
            return Box::pin(async { Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]) });
        }
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await;
            let found = found.map_err(|error| unless_out_of_files(system_error(&error.to_string())));
            Ok(found?.map(|found| found.ip()).collect())
        })
    }
}

/// Returns true for names below `localhost`; the system itself knows `localhost`, to which its hosts file may give one
/// address only.
fn is_this_machine(name: &str) -> bool {
    const TOP: &[u8] = b".localhost";
    let name = name.strip_suffix('.').unwrap_or(name).as_bytes();
    name.len() > TOP.len() && name[name.len() - TOP.len()..].eq_ignore_ascii_case(TOP)
}

/// Classifies an error of the system's resolver. The standard library only passes on the text of the C library
/// (glibc's, then musl's).
fn system_error(words: &str) -> LookupError {
    let words = words.trim_start_matches("failed to lookup address information: ");
    match words {
        "Name or service not known" | "Name does not resolve" => LookupError::NoSuchName,
        "No address associated with hostname" | "Name has no usable address" => LookupError::NoAddress,
        "Temporary failure in name resolution" | "Try again" => LookupError::NoAnswer,
        other => LookupError::Failed(other.to_owned()),
    }
}

/// Name servers of `fetch.dns_servers`, of which two are queried at a time, the fastest so far first. The system's
/// hosts file and search list are not used.
pub struct NameServers(TokioResolver);

impl NameServers {
    /// Creates a resolver for at least one server, queried over UDP and, for long answers, TCP.
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
        options.timeout = NAME_SERVER_TIMEOUT;
        options.attempts = 1;
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = resolver.with_options(options).build();
        resolver.map(Self).map_err(|error| LookupError::Failed(error.to_string()))
    }
}

impl Lookup for NameServers {
    fn addresses(&self, name: String) -> Addresses {
        let resolver = self.0.clone();
        // The trailing dot marks a complete name, so that no search domain is appended.
        let whole = if name.ends_with('.') { name } else { name + "." };
        Box::pin(async move {
            let found = resolver.lookup_ip(whole).await.map_err(|error| unless_out_of_files(server_error(&error)))?;
            Ok(found.iter().collect())
        })
    }
}

/// Returns the error, or [`LookupError::OutOfFiles`] if a resolver that may open no more files would report it: none of
/// them says so.
fn unless_out_of_files(error: LookupError) -> LookupError {
    match error {
        LookupError::NoAnswer | LookupError::Failed(_) if is_out_of_files() => LookupError::OutOfFiles,
        other => other,
    }
}

/// Returns true if this process cannot open one more file.
fn is_out_of_files() -> bool {
    std::fs::File::open("/dev/null").is_err_and(|error| errors::is_out_of_files(&error))
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
    fn names_below_localhost_are_this_machine() {
        for name in ["docs.osprey.localhost", "a.LOCALHOST.", "a.b.localhost"] {
            assert!(is_this_machine(name), "{name}");
        }
        for name in
            ["localhost", ".localhost", "localhost.example", "notlocalhost", "a.localhost.test", "", "élocalhost"]
        {
            assert!(!is_this_machine(name), "{name}");
        }
    }

    #[test]
    fn what_the_system_says_is_told_apart() {
        let said = |words: &str| system_error(&format!("failed to lookup address information: {words}"));
        assert_eq!(said("Name or service not known"), LookupError::NoSuchName);
        assert_eq!(said("Temporary failure in name resolution"), LookupError::NoAnswer);
        assert_eq!(said("No address associated with hostname"), LookupError::NoAddress);
        assert_eq!(said("System error"), LookupError::Failed("System error".into()));
    }
}
