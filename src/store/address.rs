//! Parsing of a `--store` URL into the database that it names.

use super::{Result, StoreError};
use std::path::PathBuf;

/// The database that a store URL names; the scheme selects the variant.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum StoreAddress {
    /// Path of an SQLite file; relative paths are allowed.
    Sqlite(PathBuf),
    /// URL of a PostgreSQL database; may contain a password.
    Postgres(String),
}

/// Parses a store's URL. Error messages repeat at most the scheme, because the rest of the URL may contain a password.
pub(super) fn parse(url: &str) -> Result<StoreAddress> {
    let unusable = |message: String| Err(StoreError::Address(message));
    let Some((scheme, rest)) = url.split_once(':') else {
        return unusable("the store must be a URL such as sqlite:/path/to/knowledge.db".into());
    };
    match scheme {
        "sqlite" => {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            if path.is_empty() {
                return unusable("the store URL names no file; write sqlite:/path/to/knowledge.db".into());
            }
            if path == ":memory:" || path.contains("mode=memory") {
                return unusable(
                    "a store in memory would be lost when the process ends; name a file, sqlite:/path/to/knowledge.db"
                        .into(),
                );
            }
            if path.contains('\0') {
                return unusable("the store's path contains a NUL character".into());
            }
            Ok(StoreAddress::Sqlite(PathBuf::from(path)))
        }
        "postgres" | "postgresql" => Ok(StoreAddress::Postgres(url.to_owned())),
        other if other.len() <= 20 && other.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) => {
            unusable(format!(
                "unknown kind of store `{other}:`; a store is sqlite:/path/to/knowledge.db or postgres://…"
            ))
        }
        _ => unusable("the store must be a URL such as sqlite:/path/to/knowledge.db".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_a_file_or_say_why_not() {
        let path = |url| {
            parse(url).map(|address| match address {
                StoreAddress::Sqlite(path) => path.display().to_string(),
                StoreAddress::Postgres(_) => "a server".to_owned(),
            })
        };
        assert_eq!(path("sqlite:a/b.db").ok().as_deref(), Some("a/b.db"));
        assert_eq!(path("sqlite:///tmp/b.db").ok().as_deref(), Some("/tmp/b.db"));
        assert_eq!(path("sqlite://b.db").ok().as_deref(), Some("b.db"));
        assert_eq!(path("postgresql://ana:secret@db/x").ok().as_deref(), Some("a server"));
        for (url, says) in [
            ("sqlite::memory:", "memory"),
            ("sqlite:", "no file"),
            ("mysql://ana:secret@db/x", "unknown kind of store `mysql:`"),
            ("knowledge.db", "must be a URL"),
        ] {
            let message = path(url).map_err(|error| error.to_string()).expect_err("not a store");
            assert!(message.contains(says) && !message.contains("secret"), "{url}: {message}");
        }
    }
}
