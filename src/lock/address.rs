//! Parsing of the Redis URL and of the key pattern of a lock. Error messages never contain a password.

use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use redis::{Client, ErrorKind, RedisError};
use thiserror::Error;

/// Pattern of Chatwoot's lock keys, which are in its Redis namespace `alfred`.
pub const DEFAULT_KEY: &str = "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::{id}";

/// Placeholder of the document's id in a key pattern.
const ID_PLACEHOLDER: &str = "{id}";

/// Reason why a URL or a key pattern is invalid. The message completes a sentence that begins with the setting's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not a Redis URL.
    #[error("must be a URL such as redis://:password@host:6379/0 or rediss://…: {0}")]
    Url(String),
    /// A pattern that does not contain `{id}` exactly once.
    #[error("must contain {{id}} once, in place of the document's id, such as {DEFAULT_KEY}")]
    Key,
}

/// A parsed URL, with the parts of the key pattern before and after the document's id.
pub(super) struct RedisAddress {
    client: Client,
    password: Option<String>,
    before: String,
    after: String,
}

/// Checks that `url` is a Redis URL, without connecting.
pub fn check_url(url: &str) -> Result<(), AddressError> {
    client(url).map(drop)
}

/// Checks that `key` contains `{id}` exactly once.
pub fn check_key(key: &str) -> Result<(), AddressError> {
    pattern(key).map(drop)
}

/// Returns `url` in a form that is safe to show: without user and query, and with `***` for a password. For an invalid
/// URL returns a phrase that says so.
pub fn masked_url(url: &str) -> SafeLine {
    let Ok(client) = client(url) else { return "an invalid Redis URL".into() };
    let info = client.get_connection_info();
    let scheme = if matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. }) { "rediss" } else { "redis" };
    let secret = if info.redis_settings().password().is_some() { "***@" } else { "" };
    SafeLine::new(&format!("{scheme}://{secret}{}/{}", info.addr(), info.redis_settings().db()))
}

fn client(url: &str) -> Result<Client, AddressError> {
    let known = ["redis://", "rediss://"].iter().any(|scheme| url.starts_with(scheme));
    if !known {
        return Err(AddressError::Url("it begins with neither redis:// nor rediss://".into()));
    }
    // The parser's message is not passed on, because the URL contains a secret. The error's kind is enough.
    Client::open(url).map_err(|error| {
        let why = if error.kind() == ErrorKind::InvalidClientConfig {
            "its parts cannot be read"
        } else {
            "it is not a valid URL"
        };
        AddressError::Url(why.into())
    })
}

fn pattern(key: &str) -> Result<(&str, &str), AddressError> {
    key.split_once(ID_PLACEHOLDER).filter(|(_, after)| !after.contains(ID_PLACEHOLDER)).ok_or(AddressError::Key)
}

impl RedisAddress {
    /// Parses the URL and the key pattern.
    pub(super) fn parse(url: &str, key: &str) -> Result<Self, AddressError> {
        let client = client(url)?;
        let password = client.get_connection_info().redis_settings().password().map(str::to_owned);
        let (before, after) = pattern(key)?;
        Ok(Self { client, password, before: before.to_owned(), after: after.to_owned() })
    }

    /// Returns the client that opens connections to this address.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the key of a document's lock.
    pub(super) fn key(&self, document: DocumentId) -> String {
        format!("{}{document}{}", self.before, self.after)
    }

    /// Returns `host:port`, without secrets.
    pub(super) fn label(&self) -> SafeLine {
        SafeLine::new(&self.client.get_connection_info().addr().to_string())
    }

    /// Returns true if the URL demands TLS and an error with this `message` can come from TLS: a refused handshake, or
    /// a server without TLS.
    fn is_tls_error(&self, message: &str) -> bool {
        let wants = matches!(self.client.get_connection_info().addr(), redis::ConnectionAddr::TcpTls { .. });
        let tls = ["timed out", "tls", "certificate", "handshake", "corrupt message", "InvalidContentType"];
        wants && tls.iter().any(|word| message.contains(word))
    }

    /// Describes an error in plain language, with the remedy where one is known. The password is masked.
    pub(super) fn reason(&self, error: &RedisError) -> SafeLine {
        let message = error.to_string();
        let message = match &self.password {
            Some(password) if !password.is_empty() => message.replace(password.as_str(), "***"),
            _ => message,
        };
        let cure = match error.code() {
            Some("NOAUTH" | "WRONGPASS") => "; check user and password in redis.url",
            Some("NOPERM") => "; this user must be allowed to run scripts on the lock's keys and to publish",
            _ if message.contains("DB index") => "; end redis.url with the number of an existing database",
            _ if self.is_tls_error(&message) => {
                "; in redis.url use rediss:// for a server with TLS and redis:// for one without, and check its \
                 certificate"
            }
            Some("READONLY") => "; redis.url must name the primary, not a replica",
            _ if error.kind() == ErrorKind::AuthenticationFailed => "; check user and password in redis.url",
            _ => "",
        };
        SafeLine::new(&format!("{}: {message}{cure}", self.label()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_or_named_without_their_secrets() {
        for url in ["redis://localhost", "rediss://:secret@db:6380/2", "redis://ana:secret@[::1]:6379/0"] {
            assert_eq!(check_url(url), Ok(()), "{url}");
            assert!(!masked_url(url).contains("secret"), "{url}");
        }
        assert_eq!(masked_url("redis://:secret@db:6380/2").as_str(), "redis://***@db:6380/2");
        for url in ["", "localhost", "http://:secret@db", "redis://:secret@db/x", "redis://:secret@", "unix:/x"] {
            let message = check_url(url).expect_err("not Redis").to_string();
            assert!(!message.contains("secret"), "{url}: {message}");
        }
    }

    #[test]
    fn a_key_has_one_place_for_the_document() {
        let address = RedisAddress::parse("redis://localhost", DEFAULT_KEY).expect("an address");
        assert_eq!(address.key(DocumentId(42)), "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::42");
        for key in ["", "lock", "{id}:{id}"] {
            assert_eq!(check_key(key), Err(AddressError::Key), "{key}");
        }
        assert_eq!(check_key("{id}"), Ok(()));
    }
}
