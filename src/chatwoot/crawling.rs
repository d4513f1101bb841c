//! Chatwoot's own way of fetching the pages of documents, read from its settings.

use super::settings::stored_value;
use crate::domain::secret::Secret;
use crate::domain::text::{SafeLine, cut_chars};
use serde_json::Value;

/// Name of the setting with the key of Firecrawl's API.
pub const API_KEY: &str = "CAPTAIN_FIRECRAWL_API_KEY";
/// Name of the setting with the way in which pages are fetched; versions after June 2026 have it.
pub const PROVIDER: &str = "WEB_CRAWLING_PROVIDER";
/// Maximum length of a provider's name in a message, in characters.
const MAX_PROVIDER: usize = 40;

/// Chatwoot's way of fetching pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Crawling {
    /// Requests to the pages' own servers.
    Direct,
    /// Firecrawl's API with this key.
    Firecrawl(Secret),
    /// Firecrawl is set, and has no key.
    KeyMissing,
    /// A provider that this program cannot use, such as `context_dev`.
    Unknown(SafeLine),
    /// The settings cannot be read, for this reason.
    Unreadable(String),
}

impl Crawling {
    /// Reads the rows of `installation_configs` with the names [`API_KEY`] and [`PROVIDER`]: a name and its
    /// `serialized_value`, as JSON text.
    pub fn read<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
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
            ("" | "auto" | "firecrawl", Some(key)) => Self::Firecrawl(key),
            ("firecrawl", None) => Self::KeyMissing,
            ("" | "auto" | "native", _) => Self::Direct,
            (other, _) => Self::Unknown(SafeLine::new(cut_chars(&SafeLine::new(other), MAX_PROVIDER).0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_and_the_provider_decide() {
        let key = || Crawling::Firecrawl(Secret::new("fc-12"));
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
            assert_eq!(Crawling::read(rows.iter().copied()), expected, "{}", rows.len());
        }
        assert!(!format!("{:?}", key()).contains("fc-12"));
    }
}
