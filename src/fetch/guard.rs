//! The guard against server-side request forgery (SSRF): refuses addresses that are not public.
//!
//! The guard judges a URL before each request, redirects included, and every address that the resolver returns, before
//! a connection to it is opened. The connector resolves only names. Therefore literal addresses are judged in the URL,
//! and names both in the URL and by their addresses.

use super::address::not_public;
use super::allowed::AllowedHost;
use super::lookup::{Lookup, LookupError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use thiserror::Error;
use url::{Host, Url};

/// Reason why a URL or an address is refused. The message is the failure's detail.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The URL does not parse or has no host.
    #[error("bad URL: {0}")]
    BadUrl(String),
    #[error("refused: {0} is not http or https")]
    Scheme(String),
    #[error("refused: the URL contains a user name or password")]
    UserInfo,
    /// The port is denied or 0.
    #[error("refused: port {0} is in fetch.denied_ports")]
    Port(u16),
    /// An entry of `fetch.allow_private_hosts` allows this name on other ports only.
    #[error("refused: fetch.allow_private_hosts allows {name}, but not on port {port}")]
    OtherPort { name: String, port: u16 },
    /// A name that only exists in local networks.
    #[error("refused: {0} is a name of a local network; fetch.allow_private_hosts can allow it")]
    LocalName(String),
    /// A literal address in the URL.
    #[error("refused: {address} is {kind}; fetch.allow_private_hosts can allow it")]
    Address {
        address: IpAddr,
        /// Kind of the address as the rest of "it is …", such as "a private address".
        kind: &'static str,
    },
    /// An address to which the name resolves.
    #[error("refused: {name} resolves to {address}, {kind}; fetch.allow_private_hosts can allow it")]
    ResolvedAddress {
        name: String,
        address: IpAddr,
        /// Kind of the address as the rest of "it is …", such as "a private address".
        kind: &'static str,
    },
}

/// Rules about the addresses and ports that may be fetched.
#[derive(Clone, Debug)]
pub(super) struct AddressGuard {
    allowed: Vec<AllowedHost>,
    denied_ports: Vec<u16>,
}

impl AddressGuard {
    /// Creates a guard; `allowed` hosts are exempt from the address and port rules; if an entry has a port, on that
    /// port only.
    pub fn new(allowed: Vec<AllowedHost>, denied_ports: Vec<u16>) -> Self {
        Self { allowed, denied_ports }
    }

    /// Parses a URL and judges it.
    pub fn parse(&self, text: &str) -> Result<Url, Refusal> {
        let url = Url::parse(text.trim()).map_err(|error| Refusal::BadUrl(error.to_string()))?;
        self.judge(&url)?;
        Ok(url)
    }

    /// Judges a URL before its name is resolved: scheme, credentials, literal address, name and port.
    pub fn judge(&self, url: &Url) -> Result<(), Refusal> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refusal::Scheme(url.scheme().chars().take(20).collect()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        match url.host() {
            None => Err(Refusal::BadUrl("no host".into())),
            Some(Host::Ipv4(address)) => self.judge_literal(address.into(), port),
            Some(Host::Ipv6(address)) => self.judge_literal(address.into(), port),
            Some(Host::Domain(name)) => self.judge_name(name.trim_end_matches('.'), port),
        }
    }

    fn judge_literal(&self, address: IpAddr, port: u16) -> Result<(), Refusal> {
        if self.allowed.iter().any(|entry| entry.contains(address, Some(port))) {
            return Ok(());
        }
        match not_public(address) {
            Some(kind) => Err(Refusal::Address { address: address.to_canonical(), kind }),
            None => self.judge_port(port),
        }
    }

    fn judge_name(&self, name: &str, port: u16) -> Result<(), Refusal> {
        if self.allowed.iter().any(|entry| entry.names(name, port)) {
            return Ok(());
        }
        // The resolver does not know the port, so a name that is allowed on one port must not be resolved for another.
        if self.allowed.iter().any(|entry| entry.is_name(name)) {
            return Err(Refusal::OtherPort { name: name.to_owned(), port });
        }
        let top = name.rsplit('.').next().unwrap_or_default();
        if !name.contains('.') || matches!(top, "localhost" | "local" | "internal" | "localdomain" | "lan") {
            return Err(Refusal::LocalName(name.to_owned()));
        }
        self.judge_port(port)
    }

    fn judge_port(&self, port: u16) -> Result<(), Refusal> {
        if port == 0 || self.denied_ports.contains(&port) { Err(Refusal::Port(port)) } else { Ok(()) }
    }

    /// Judges the addresses of a name. A single address that is neither public nor allowed makes the guard refuse the
    /// name, because DNS rebinding mixes public and private addresses.
    fn judge_addresses(&self, name: &str, addresses: &[IpAddr]) -> Result<(), Refusal> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if self.allowed.iter().any(|entry| entry.is_name(&name)) {
            return Ok(());
        }
        for address in addresses {
            if let Some(kind) = not_public(*address)
                && !self.allowed.iter().any(|entry| entry.contains(*address, None))
            {
                return Err(Refusal::ResolvedAddress { name, address: address.to_canonical(), kind });
            }
        }
        Ok(())
    }
}

/// The resolver of the HTTP client; it returns only addresses that the guard allows, except for the name of the proxy.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    pub guard: Arc<AddressGuard>,
    pub lookup: Arc<dyn Lookup>,
    /// Host name of the proxy, if there is one. It comes from the settings, so its addresses are not judged.
    pub proxy: Option<String>,
}

impl GuardedResolver {
    /// Judges the addresses of a URL's name before a request goes to a proxy. A name that cannot be resolved here is
    /// left to the proxy.
    pub async fn judge_before_proxy(&self, url: &Url) -> Result<(), Refusal> {
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        match self.lookup.addresses(name.to_owned()).await {
            Ok(addresses) => self.guard.judge_addresses(name, &addresses),
            Err(_) => Ok(()),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookup) = (Arc::clone(&self.guard), Arc::clone(&self.lookup));
        let is_proxy = self.proxy.as_deref().is_some_and(|proxy| proxy == name.as_str());
        Box::pin(async move {
            let addresses = lookup.addresses(name.as_str().to_owned()).await?;
            if addresses.is_empty() {
                return Err(LookupError::NoAddress.into());
            }
            if !is_proxy {
                guard.judge_addresses(name.as_str(), &addresses)?;
            }
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
