//! The guard against being sent to places that are not public (SSRF).
//!
//! It judges a URL before it is asked for, at every hop, and every answer of the resolver before it is dialled: the
//! connector asks the resolver for names alone, so literals are judged in the URL and names in both places.

use super::address::not_public;
use super::allowed::AllowedHost;
use super::lookup::{Lookup, LookupError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use thiserror::Error;
use url::{Host, Url};

/// Why a URL or what it leads to is not asked for. The message is the failure's detail.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The URL does not parse or has no host.
    #[error("bad URL: {0}")]
    BadUrl(String),
    /// Neither http nor https.
    #[error("refused: {0} is not http or https")]
    Scheme(String),
    /// A user name or password within.
    #[error("refused: the URL carries a user name or password")]
    UserInfo,
    /// The port is one of the denied ones.
    #[error("refused: port {0} is not one that pages are served on")]
    Port(u16),
    /// An entry lets this name through on other ports alone.
    #[error("refused: {name} is allowed on another port than {port}")]
    OtherPort {
        /// The host name.
        name: String,
        /// The port that was asked for.
        port: u16,
    },
    /// A name that means something in a local network alone.
    #[error("refused: {0} is a name of a local network")]
    LocalName(String),
    /// A literal address.
    #[error("refused: {address} is {what}")]
    Address {
        /// The address.
        address: IpAddr,
        /// Kind of the address.
        what: &'static str,
    },
    /// An address among a name's answers.
    #[error("refused: {name} leads to {address}, {what}")]
    Answer {
        /// The host name.
        name: String,
        /// The address.
        address: IpAddr,
        /// Kind of the address.
        what: &'static str,
    },
}

/// Rules about addresses and ports that may be fetched.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    allowed: Vec<AllowedHost>,
    denied_ports: Vec<u16>,
}

impl Guard {
    pub fn new(allowed: Vec<AllowedHost>, denied_ports: Vec<u16>) -> Self {
        Self { allowed, denied_ports }
    }

    /// Reads a text as a URL and judges it.
    pub fn parse(&self, text: &str) -> Result<Url, Refusal> {
        let url = Url::parse(text.trim()).map_err(|error| Refusal::BadUrl(error.to_string()))?;
        self.judge(&url)?;
        Ok(url)
    }

    /// Judges all that is known before a name is looked up.
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
        if self.allowed.iter().any(|entry| entry.holds(address, Some(port))) {
            return Ok(());
        }
        match not_public(address) {
            Some(what) => Err(Refusal::Address { address: address.to_canonical(), what }),
            None => self.judge_port(port),
        }
    }

    fn judge_name(&self, name: &str, port: u16) -> Result<(), Refusal> {
        if self.allowed.iter().any(|entry| entry.names(name, port)) {
            return Ok(());
        }
        // The resolver is not told the port, so a name that is let through on one port must not be asked for on another.
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

    /// Judges a name's addresses. One that is not public refuses the name: a mixed answer is how a name is rebound.
    fn judge_answers(&self, name: &str, addresses: &[IpAddr]) -> Result<(), Refusal> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        if self.allowed.iter().any(|entry| entry.is_name(&name)) {
            return Ok(());
        }
        for address in addresses {
            if let Some(what) = not_public(*address)
                && !self.allowed.iter().any(|entry| entry.holds(*address, None))
            {
                return Err(Refusal::Answer { name, address: address.to_canonical(), what });
            }
        }
        Ok(())
    }
}

/// The resolver that the client dials by: what it answers has been judged.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    pub guard: Arc<Guard>,
    pub lookup: Arc<dyn Lookup>,
    /// The host name of the proxy, when there is one: the settings name it, so it may be anywhere.
    pub proxy: Option<String>,
}

impl GuardedResolver {
    /// Before a proxy is asked for `url`: what can be known here of where its name leads is judged. A name that is
    /// known to the proxy alone is left to it.
    pub async fn judge_ahead(&self, url: &Url) -> Result<(), Refusal> {
        let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
        match self.lookup.addresses(name.to_owned()).await {
            Ok(addresses) => self.guard.judge_answers(name, &addresses),
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
                guard.judge_answers(name.as_str(), &addresses)?;
            }
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
