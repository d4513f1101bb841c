//! Reads addresses: URLs of services, ports, name servers, and hosts with private addresses.

use super::readers::{InvalidValue, text};
use crate::fetch::AllowedHost;
use std::net::{IpAddr, SocketAddr};
use toml::de::DeValue;
use url::Url;

/// Reads the address of a port to listen on. Host names are invalid: they may have several addresses.
pub(super) fn listen_address(address: &str) -> Result<SocketAddr, InvalidValue> {
    let wrong = || format!("must be an address with a port, such as 127.0.0.1:9464 or [::1]:9464, not \"{address}\"");
    address.parse().map_err(|_| wrong())
}

/// Reads the IP address of a DNS server, with a port or with the default port 53. Host names are invalid, since they
/// would need a lookup.
pub(super) fn name_server(value: &DeValue<'_>) -> Result<SocketAddr, InvalidValue> {
    let address = text(value)?;
    let with_port = address.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
    let bare = || address.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    let wrong = || format!("must list addresses such as 192.0.2.53 or [2001:db8::53]:5353, not \"{address}\"");
    with_port.or_else(bare).ok_or_else(wrong)
}

/// Reads the URL of a proxy. Messages never repeat the URL: it may contain a password.
pub(super) fn proxy(url: &str) -> Result<Url, InvalidValue> {
    let known = Url::parse(url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    known.ok_or_else(|| "must be the URL of a proxy, such as http://user:password@proxy.example.org:3128".to_owned())
}

pub(super) fn web_url(url: &str) -> Result<Url, InvalidValue> {
    let known = Url::parse(url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let known = known.filter(|url| url.username().is_empty() && url.password().is_none() && url.query().is_none());
    known.ok_or_else(|| "must be a URL such as https://api.firecrawl.dev, without a password in it".to_owned())
}

/// Reads a host, a host with its port, an address, or a network such as `10.0.0.0/8`.
pub(super) fn private_host(value: &DeValue<'_>) -> Result<AllowedHost, InvalidValue> {
    let host = text(value)?;
    let wrong = |_| format!("must list hosts, addresses or networks such as 10.0.0.0/8, not \"{host}\"");
    host.parse().map_err(wrong)
}
