//! The address of Redis, from its settings, and the key pattern of a lock. Error messages never contain a password.

use super::Settings;
use super::sentinel::{SentinelTarget, Sentinels, is_sentinel_url};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use redis::{Client, ConnectionAddr, ErrorKind, RedisError, RedisResult, TlsCertificates};
use std::path::Path;
use thiserror::Error;

/// Pattern of Chatwoot's lock keys, which are in its Redis namespace `alfred`.
pub const DEFAULT_KEY: &str = "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::{id}";

/// Placeholder of the document's id in a key pattern.
const ID_PLACEHOLDER: &str = "{id}";

/// Reason why a setting of Redis is invalid. The message completes a sentence that begins with the setting's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not a Redis URL.
    #[error(
        "must be a URL such as redis://:password@host:6379/0, rediss://… or \
         redis+sentinel://:password@host:26379,host:26379/mymaster/0: {0}"
    )]
    Url(String),
    /// A pattern that does not contain `{id}` exactly once.
    #[error("must contain {{id}} once, in place of the document's id, such as {DEFAULT_KEY}")]
    Key,
    /// Addresses of sentinels or the name of their master are wrong.
    #[error("must list addresses such as \"sentinel-1:26379\": {0}")]
    Sentinels(&'static str),
    /// The certificates of `redis.ca_file` cannot be used.
    #[error("must name a file with certificates in PEM format, for rediss://: {0}")]
    CaFile(String),
}

impl AddressError {
    /// Returns the name of the invalid setting.
    pub const fn setting(&self) -> &'static str {
        match self {
            Self::Url(_) => "redis.url",
            Self::Key => "redis.key",
            Self::Sentinels(_) => "redis.sentinels",
            Self::CaFile(_) => "redis.ca_file",
        }
    }
}

/// A parsed address, with the parts of the key pattern before and after the document's id.
pub(super) struct RedisAddress {
    server: Server,
    /// Texts that no message may have.
    passwords: Vec<String>,
    before: String,
    after: String,
}

enum Server {
    /// One server, by its own address.
    Fixed(Box<Client>),
    /// The server that the sentinels name.
    Sentinels(Box<Sentinels>),
}

/// Checks that `url` is a Redis URL, without connecting.
pub fn check_url(url: &str) -> Result<(), AddressError> {
    if is_sentinel_url(url) {
        return sentinel_target(url).map(drop);
    }
    client(url, None).map(drop)
}

/// Checks that `key` contains `{id}` exactly once.
pub fn check_key(key: &str) -> Result<(), AddressError> {
    pattern(key).map(drop)
}

/// Returns `url` in a form that is safe to show: without user and query, and with `***` for a password. For an invalid
/// URL returns a phrase that says so.
pub fn masked_url(url: &str) -> SafeLine {
    if is_sentinel_url(url) {
        return match sentinel_target(url) {
            Ok(target) => SafeLine::new(&format!("redis+sentinel of {}", target.label())),
            Err(_) => "an invalid Redis URL".into(),
        };
    }
    let Ok(client) = client(url, None) else { return "an invalid Redis URL".into() };
    let info = client.get_connection_info();
    let scheme = if uses_tls(&client) { "rediss" } else { "redis" };
    let secret = if info.redis_settings().password().is_some() { "***@" } else { "" };
    SafeLine::new(&format!("{scheme}://{secret}{}/{}", info.addr(), info.redis_settings().db()))
}

fn sentinel_target(url: &str) -> Result<SentinelTarget, AddressError> {
    SentinelTarget::parse(url).map_err(|why| AddressError::Url(why.into()))
}

fn uses_tls(client: &Client) -> bool {
    matches!(client.get_connection_info().addr(), ConnectionAddr::TcpTls { .. })
}

fn client(url: &str, certificates: Option<&TlsCertificates>) -> Result<Client, AddressError> {
    let known = ["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme));
    if !known {
        return Err(AddressError::Url("it begins with none of redis://, rediss:// and redis+sentinel://".into()));
    }
    // The parser's message is not passed on, because the URL contains a secret. The error's kind is enough.
    let wrong = |error: RedisError| {
        let why = if error.kind() == ErrorKind::InvalidClientConfig {
            "its parts cannot be read"
        } else {
            "it is not a valid URL"
        };
        AddressError::Url(why.into())
    };
    let client = Client::open(url).map_err(wrong)?;
    match certificates {
        Some(certificates) if uses_tls(&client) => {
            Client::build_with_tls(url, certificates.clone()).map_err(|_| not_pem())
        }
        _ => Ok(client),
    }
}

fn not_pem() -> AddressError {
    AddressError::CaFile("it has no such certificate".into())
}

/// Reads the certificates of the authorities that are trusted instead of the system's.
fn certificates(file: &Path) -> Result<TlsCertificates, AddressError> {
    let pem = std::fs::read(file).map_err(|error| AddressError::CaFile(error.to_string()))?;
    if !pem.windows(17).any(|part| part == b"BEGIN CERTIFICATE") {
        return Err(not_pem());
    }
    Ok(TlsCertificates { client_tls: None, root_cert: Some(pem) })
}

fn pattern(key: &str) -> Result<(&str, &str), AddressError> {
    key.split_once(ID_PLACEHOLDER).filter(|(_, after)| !after.contains(ID_PLACEHOLDER)).ok_or(AddressError::Key)
}

/// Returns the sentinels of the settings; `None` if these name a server.
fn sentinels(settings: &Settings, certificates: Option<&TlsCertificates>) -> Result<Option<Sentinels>, AddressError> {
    let target = match settings.url.as_deref() {
        Some(url) if is_sentinel_url(url) => sentinel_target(url)?,
        _ if settings.sentinel.nodes.is_empty() => return Ok(None),
        url => {
            let client = url.map(|url| client(url, None)).transpose()?;
            SentinelTarget::of(&settings.sentinel, client.as_ref()).map_err(AddressError::Sentinels)?
        }
    };
    let tls = target.tls;
    let built = Sentinels::new(target, certificates.filter(|_| tls).cloned());
    built.map(Some).map_err(|_| not_pem())
}

impl RedisAddress {
    /// Parses the settings; `None` if they use no Redis.
    pub(super) fn parse(settings: &Settings) -> Result<Option<Self>, AddressError> {
        if !settings.is_used() {
            return Ok(None);
        }
        let (before, after) = pattern(&settings.key)?;
        let trusted = settings.ca_file.as_deref().map(certificates).transpose()?;
        let (server, passwords) = match (sentinels(settings, trusted.as_ref())?, settings.url.as_deref()) {
            (Some(sentinels), _) => {
                let passwords = sentinels.target.passwords().collect();
                (Server::Sentinels(Box::new(sentinels)), passwords)
            }
            (None, Some(url)) => {
                let client = client(url, trusted.as_ref())?;
                let password = client.get_connection_info().redis_settings().password().map(str::to_owned);
                (
                    Server::Fixed(Box::new(client)),
                    password.into_iter().filter(|password| !password.is_empty()).collect(),
                )
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Self { server, passwords, before: before.to_owned(), after: after.to_owned() }))
    }

    /// Returns the client that opens connections to this address. With sentinels, asks them for the present master.
    pub(super) async fn client(&self) -> RedisResult<Client> {
        match &self.server {
            Server::Fixed(client) => Ok(client.as_ref().clone()),
            Server::Sentinels(sentinels) => sentinels.master().await,
        }
    }

    /// Returns the sentinels that name the server, if there are any.
    pub(super) fn sentinels(&self) -> Option<&Sentinels> {
        match &self.server {
            Server::Fixed(_) => None,
            Server::Sentinels(sentinels) => Some(sentinels),
        }
    }

    /// Returns the key of a document's lock.
    pub(super) fn key(&self, document: DocumentId) -> String {
        format!("{}{document}{}", self.before, self.after)
    }

    /// Returns `host:port`, or the master's name and the addresses of the sentinels, without secrets.
    pub(super) fn label(&self) -> SafeLine {
        match &self.server {
            Server::Fixed(client) => SafeLine::new(&client.get_connection_info().addr().to_string()),
            Server::Sentinels(sentinels) => SafeLine::new(&sentinels.target.label()),
        }
    }

    /// Returns true if the settings demand TLS and an error with this `message` can come from TLS: a refused handshake,
    /// or a server without TLS.
    fn is_tls_error(&self, message: &str) -> bool {
        let wants = match &self.server {
            Server::Fixed(client) => uses_tls(client),
            Server::Sentinels(sentinels) => sentinels.target.tls,
        };
        let tls = ["timed out", "tls", "certificate", "handshake", "corrupt message", "InvalidContentType"];
        wants && tls.iter().any(|word| message.contains(word))
    }

    /// Returns the error's text without passwords.
    pub(super) fn masked(&self, error: &RedisError) -> String {
        let mask = |message: String, password: &String| message.replace(password.as_str(), "***");
        self.passwords.iter().fold(error.to_string(), mask)
    }

    /// Describes an error in plain language, with the remedy where one is known. The password is masked.
    pub(super) fn reason(&self, error: &RedisError) -> SafeLine {
        let message = self.masked(error);
        let by_sentinel = self.sentinels().is_some();
        let cure = match error.code() {
            _ if error.kind() == ErrorKind::MasterNameNotFoundBySentinel => {
                "; the sentinels have no master of this name that is available: check the name, or wait for the end of \
                 a failover"
            }
            Some("NOAUTH" | "WRONGPASS") => self.check_credentials(),
            Some("NOPERM") if by_sentinel => {
                "; this user must be allowed ROLE, to run scripts on the lock's keys and to publish"
            }
            Some("NOPERM") => "; this user must be allowed to run scripts on the lock's keys and to publish",
            _ if message.contains("DB index") => "; end redis.url with the number of an existing database",
            _ if self.is_tls_error(&message) => {
                "; in redis.url use rediss:// for a server with TLS and redis:// for one without, and check its \
                 certificate"
            }
            Some("READONLY") if !by_sentinel => "; redis.url must name the primary, not a replica",
            _ if error.kind() == ErrorKind::AuthenticationFailed => self.check_credentials(),
            _ => "",
        };
        SafeLine::new(&format!("{}: {message}{cure}", self.label()))
    }

    fn check_credentials(&self) -> &'static str {
        if self.sentinels().is_some() {
            "; check user and password in redis.url, and those of the sentinels (sentinel_password; \"\" for none)"
        } else {
            "; check user and password in redis.url"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_named_without_their_secrets() {
        for url in [
            "redis://localhost",
            "rediss://:secret@db:6380/2",
            "redis://ana:secret@[::1]:6379/0",
            "redis+sentinel://ana:secret@s1,s2:1/m/1?sentinel_password=secret",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url}");
            assert!(!masked_url(url).contains("secret"), "{url}");
        }
        assert_eq!(masked_url("redis://:secret@db:6380/2").as_str(), "redis://***@db:6380/2");
        for url in [
            "",
            "localhost",
            "http://:secret@db",
            "redis://:secret@db/x",
            "redis://:secret@",
            "unix:/x",
            "redis+sentinel://:secret@",
        ] {
            let message = check_url(url).expect_err("not Redis").to_string();
            assert!(!message.contains("secret"), "{url}: {message}");
        }
    }

    #[test]
    fn a_key_has_one_place_for_the_document() {
        let settings = Settings { url: Some("redis://localhost".into()), ..Settings::default() };
        let address = RedisAddress::parse(&settings).expect("an address").expect("it is used");
        assert_eq!(address.key(DocumentId(42)), "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::42");
        for key in ["", "lock", "{id}:{id}"] {
            assert_eq!(check_key(key), Err(AddressError::Key), "{key}");
        }
        assert_eq!(check_key("{id}"), Ok(()));
    }
}
