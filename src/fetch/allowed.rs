//! Entries of `fetch.allow_private_hosts`: hosts and networks that may be fetched although they are not public.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use thiserror::Error;
use url::Host;

/// An allowed host: an exact host name, an IP address or a network. A name or an address may have a port; without a
/// port, every port is allowed, even a denied one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AllowedHost {
    target: Allowed,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Allowed {
    Name(String),
    Network { first: IpAddr, bits: u8 },
}

/// Reason why a text is not a valid entry. The message is for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AllowedHostError {
    #[error("`{0}` is not a host name, an IP address, host:port or a network such as 10.1.0.0/16")]
    NotAHost(String),
    /// The part after the slash is wrong; the number is the greatest allowed network length.
    #[error("`{0}` has no network length from 0 to {1} after the slash")]
    NetworkLength(String, u8),
    /// The part after the colon is wrong.
    #[error("`{0}` has no port from 1 to 65535 after the colon")]
    Port(String),
}

impl AllowedHost {
    /// Returns true if the entry names this host name on this port.
    pub(super) fn names(&self, name: &str, port: u16) -> bool {
        self.is_name(name) && self.port.is_none_or(|own| own == port)
    }

    /// Returns true if the entry names this host name on some port.
    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(&self.target, Allowed::Name(own) if own == name)
    }

    /// Returns true if the entry contains this address. `port` is `None` where it is unknown (in a resolver): there an
    /// entry with a port contains nothing.
    pub(super) fn contains(&self, address: IpAddr, port: Option<u16>) -> bool {
        let Allowed::Network { first, bits } = self.target else {
            return false;
        };
        self.port.is_none_or(|own| port == Some(own)) && masked(address.to_canonical(), bits) == Some(first)
    }
}

/// Returns the network part of an address; `None` when the address has fewer bits, which means another family.
fn masked(address: IpAddr, bits: u8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => {
            let drop = 32u32.checked_sub(u32::from(bits))?;
            Some(IpAddr::V4(v4.to_bits().checked_shr(drop).map_or(0, |kept| kept << drop).into()))
        }
        IpAddr::V6(v6) => {
            let drop = 128u32.checked_sub(u32::from(bits))?;
            Some(IpAddr::V6(v6.to_bits().checked_shr(drop).map_or(0, |kept| kept << drop).into()))
        }
    }
}

fn one_address(address: IpAddr) -> Allowed {
    let first = address.to_canonical();
    Allowed::Network { first, bits: if first.is_ipv4() { 32 } else { 128 } }
}

fn host(text: &str) -> Option<Allowed> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(one_address(address));
    }
    match Host::parse(text).ok()? {
        Host::Domain(name) => {
            // Names are exact: a pattern would be accepted and never match.
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
            plain.then(|| Allowed::Name(name.trim_end_matches('.').to_owned()))
        }
        Host::Ipv4(address) => Some(one_address(address.into())),
        Host::Ipv6(address) => Some(one_address(address.into())),
    }
}

impl FromStr for AllowedHost {
    type Err = AllowedHostError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let not_a_host = || AllowedHostError::NotAHost(text.to_owned());
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = address.parse().map_err(|_| not_a_host())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse::<u8>().ok().filter(|bits| *bits <= most);
            let bits = bits.ok_or_else(|| AllowedHostError::NetworkLength(text.to_owned(), most))?;
            let first = masked(address, bits).ok_or_else(not_a_host)?;
            return Ok(Self { target: Allowed::Network { first, bits }, port: None });
        }
        let bare_v6 = text.parse::<IpAddr>().is_ok();
        if let Some((name, port)) = text.rsplit_once(':').filter(|_| !bare_v6 && !text.ends_with(']')) {
            let port = port.parse::<u16>().ok().filter(|port| *port != 0);
            let port = port.ok_or_else(|| AllowedHostError::Port(text.to_owned()))?;
            return Ok(Self { target: host(name).ok_or_else(not_a_host)?, port: Some(port) });
        }
        Ok(Self { target: host(text).ok_or_else(not_a_host)?, port: None })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, self.port) {
            (Allowed::Name(name), _) => f.write_str(name)?,
            (Allowed::Network { first: IpAddr::V6(address), bits: 128 }, Some(_)) => write!(f, "[{address}]")?,
            (Allowed::Network { first: IpAddr::V4(address), bits: 32 }, _) => write!(f, "{address}")?,
            (Allowed::Network { first: IpAddr::V6(address), bits: 128 }, _) => write!(f, "{address}")?,
            (Allowed::Network { first, bits }, _) => write!(f, "{first}/{bits}")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
