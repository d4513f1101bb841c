//! Chatwoot's own way of fetching the pages of documents, read from its settings.

use super::settings::stored_value;
use crate::domain::secret::Secret;
use crate::domain::site_rule::FetcherKind;
use crate::domain::text::{SafeLine, cut_chars};
use serde_json::Value;

/// Name of the setting with the key of Firecrawl's API.
pub const API_KEY: &str = "CAPTAIN_FIRECRAWL_API_KEY";
/// Name of the setting with the way in which pages are fetched; versions after June 2026 have it.
pub const PROVIDER: &str = "WEB_CRAWLING_PROVIDER";
/// Version of a migration of Chatwoot, as `schema_migrations` has it (a UTC time), from which on it uses version 2 of
/// Firecrawl's API: 2 June 2026, when that change was proposed. It has no migration of its own.
const API_V2_SINCE: &str = "20260602000000";
/// Maximum length of a provider's name in a message, in characters.
const MAX_PROVIDER: usize = 40;

/// Chatwoot's way of fetching pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crawling {
    /// Requests to the pages' own servers.
    Direct,
    /// Firecrawl's API.
    Firecrawl {
        key: Secret,
        /// Version of the API that this Chatwoot uses, 1 or 2; `None` if its age is unknown.
        version: Option<u8>,
    },
    /// Firecrawl is set, and has no key.
    KeyMissing,
    /// A provider that this program cannot use, such as `context_dev`.
    Unknown(SafeLine),
    /// The settings cannot be read, for this reason.
    Unreadable(String),
}

impl Crawling {
    /// Reads the rows of `installation_configs` with the names [`API_KEY`] and [`PROVIDER`]: a name and its
    /// `serialized_value`, as JSON text. `newest_migration` is the greatest version in `schema_migrations`, if known.
    pub fn read<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>, newest_migration: Option<&str>) -> Self {
        let (mut key, mut provider) = (None, String::new());
        for (name, serialized) in rows {
            let Value::String(value) = stored_value(serialized) else { continue };
            let value = value.trim();
            match name {
                // It becomes the value of a header.
                API_KEY if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic()) => {
                    key = Some(Secret::new(value));
                }
                PROVIDER => provider = value.to_ascii_lowercase(),
                _ => {}
            }
        }
        match (provider.as_str(), key) {
            ("" | "auto" | "firecrawl", Some(key)) => Self::Firecrawl { key, version: api_version(newest_migration) },
            ("firecrawl", None) => Self::KeyMissing,
            ("" | "auto" | "native", _) => Self::Direct,
            (other, _) => Self::Unknown(SafeLine::new(cut_chars(&SafeLine::new(other), MAX_PROVIDER).0)),
        }
    }
}

impl Crawling {
    /// Returns true if Chatwoot fetches pages in the way `kind`; `None` if its way is not known.
    pub fn is_by(&self, kind: FetcherKind) -> Option<bool> {
        match self {
            Self::Direct => Some(kind == FetcherKind::Direct),
            Self::Firecrawl { .. } => Some(kind == FetcherKind::Firecrawl),
            Self::Unknown(_) => Some(false),
            Self::KeyMissing | Self::Unreadable(_) => None,
        }
    }
}

/// Returns the version of Firecrawl's API that a Chatwoot of this age uses.
fn api_version(newest_migration: Option<&str>) -> Option<u8> {
    let version = newest_migration.filter(|version| version.len() == API_V2_SINCE.len())?;
    Some(if version < API_V2_SINCE { 1 } else { 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_and_the_provider_decide() {
        let key = || Crawling::Firecrawl { key: Secret::new("fc-12"), version: None };
        let plain = r#"{"value": "fc-12"}"#;
        for (rows, expected) in [
            (vec![], Crawling::Direct),
            (vec![(API_KEY, plain)], key()),
            (vec![(API_KEY, r#""--- !ruby/hash:ActiveSupport::HashWithIndifferentAccess\nvalue: fc-12\n""#)], key()),
            (vec![(API_KEY, r#"{"value": "  "}"#)], Crawling::Direct),
            (vec![(API_KEY, r#"{"value": null}"#)], Crawling::Direct),
            (vec![(API_KEY, r#"{"value": "a\nb"}"#)], Crawling::Direct),
            (vec![(API_KEY, plain), (PROVIDER, r#"{"value": "auto"}"#)], key()),
            (vec![(API_KEY, plain), (PROVIDER, r#"{"value": "Firecrawl"}"#)], key()),
            (vec![(API_KEY, plain), (PROVIDER, r#"{"value": "native"}"#)], Crawling::Direct),
            (vec![(PROVIDER, r#"{"value": "firecrawl"}"#)], Crawling::KeyMissing),
            (
                vec![(API_KEY, plain), (PROVIDER, r#"{"value": "context_dev"}"#)],
                Crawling::Unknown("context_dev".into()),
            ),
        ] {
            assert_eq!(Crawling::read(rows.iter().copied(), None), expected, "{}", rows.len());
        }
        assert!(!format!("{:?}", key()).contains("fc-12"));
    }

    #[test]
    fn the_age_of_chatwoot_decides_about_the_version_of_the_api() {
        for (newest, expected) in [
            (Some("20260525093000"), Some(1)),
            (Some("20260602000000"), Some(2)),
            (Some("20260611184600"), Some(2)),
            (Some("7"), None),
            (None, None),
        ] {
            let read = Crawling::read([(API_KEY, r#"{"value": "fc-12"}"#)], newest);
            assert_eq!(read, Crawling::Firecrawl { key: Secret::new("fc-12"), version: expected }, "{newest:?}");
        }
    }
}
