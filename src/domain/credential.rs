//! Credentials of a site rule: headers and cookies whose values come from the environment or from files.
//!
//! A rule names only the source of a value. The values are read once when the process starts ([`SecretValues`]), so
//! each process can fetch the pages whose values it has.

use super::secret::Secret;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Source of a secret value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretSource {
    /// Environment variable of this name.
    Env(String),
    /// File whose text, without the line end after it, is the value.
    File(PathBuf),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// Credential that is sent with the requests for a site's pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    Header {
        name: String,
        value: SecretSource,
    },
    Cookie {
        name: String,
        value: SecretSource,
    },
    /// HTTP Basic authentication (RFC 7617).
    Basic {
        user: String,
        password: SecretSource,
    },
    /// Bearer token (RFC 6750).
    Bearer(SecretSource),
}

impl Credential {
    /// Returns the source of the secret part.
    pub fn source(&self) -> &SecretSource {
        match self {
            Self::Header { value, .. } | Self::Cookie { value, .. } => value,
            Self::Basic { password, .. } => password,
            Self::Bearer(token) => token,
        }
    }

    /// Returns the key of the site rule that sets this credential, such as `headers.X-Token`.
    pub fn key(&self) -> String {
        match self {
            Self::Header { name, .. } => format!("headers.{name}"),
            Self::Cookie { name, .. } => format!("cookies.{name}"),
            Self::Basic { .. } => "basic".to_owned(),
            Self::Bearer(_) => "bearer".to_owned(),
        }
    }

    /// Returns the lower-case name of the header that carries this credential.
    pub fn header(&self) -> String {
        match self {
            Self::Header { name, .. } => name.to_ascii_lowercase(),
            Self::Cookie { .. } => "cookie".to_owned(),
            Self::Basic { .. } | Self::Bearer(_) => "authorization".to_owned(),
        }
    }
}

/// Values of the secret sources, as this process read them when it started. A source without a value has the reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretValues(pub BTreeMap<SecretSource, Result<Secret, String>>);

impl SecretValues {
    /// Returns the value of `source`; `None` if this process does not have it.
    pub fn get(&self, source: &SecretSource) -> Option<&Secret> {
        self.0.get(source)?.as_ref().ok()
    }

    /// Returns why the value of `source` is missing, such as `the variable TOKEN is not set`; `None` if it is there.
    pub fn problem(&self, source: &SecretSource) -> Option<String> {
        match self.0.get(source) {
            Some(Ok(_)) => None,
            Some(Err(reason)) => Some(format!("{source} {reason}")),
            None => Some(format!("{source} was not read")),
        }
    }
}
