//! Sources: listings of a site's pages (sitemaps, feeds, pages of links), in which new pages are discovered and by which
//! gone, moved and duplicate ones are noticed.
//!
//! `settings` has what a person sets, `pattern` selects pages, `proposal` is what a person decides about, `read` is one
//! reading of a source, and `summary` what is shown of a source.

mod pattern;
mod proposal;
mod read;
mod settings;
mod summary;

pub use pattern::PagePattern;
pub use proposal::{Proposal, ProposalDecision, ProposalFilter, ProposalKind, ProposalState};
pub use read::{
    BELIEVED_GONE, MAX_LOSSES, ReadCounts, ReadLease, ReadResult, SourceRead, failed_read_wait, is_much_smaller,
};
pub use settings::{NewPages, SourceSettings, SourceTimes};
pub use summary::{SourceState, SourceSummary};

use super::link::host_of;
use std::fmt;
use thiserror::Error;
use url::Url;

/// Maximum length of a source's name in bytes.
const MAX_NAME: usize = 60;
/// Maximum length of a source's URL in bytes.
const MAX_URL: usize = 2_000;

/// Name of a source: lower-case letters, digits, `.`, `-` and `_`; it begins with a letter or digit and is no number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(String);

impl SourceName {
    /// Returns the name; `None` if it is empty, too long, a number, or has other characters.
    pub fn new(name: &str) -> Option<Self> {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        // A number is an id.
        let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = begins && !is_number && name.len() <= MAX_NAME && name.chars().all(known);
        is_name.then(|| Self(name.to_owned()))
    }

    /// Returns the name that a source gets without one of its own: its host.
    pub fn of_url(url: &SourceUrl) -> Self {
        let lower = url.host().to_ascii_lowercase();
        let name: String = lower.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect();
        let name = name.trim_start_matches(['-', '.']).chars().take(MAX_NAME - 4).collect::<String>();
        Self::new(&name).unwrap_or_else(|| Self("source".to_owned()))
    }

    /// Returns the name with a number after it, for a second source of a host.
    pub fn numbered(&self, number: usize) -> Self {
        Self(format!("{}-{number}", self.0.chars().take(MAX_NAME - 8).collect::<String>()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// URL of a source: http or https, without user name and password, with no fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SourceUrl {
    text: String,
    host: String,
}

/// Reason why a text is no URL of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SourceUrlError {
    #[error("is not a URL that begins with http:// or https://")]
    NotAUrl,
    #[error("must not contain a user name or password")]
    UserInfo,
    #[error("is longer than {MAX_URL} bytes")]
    TooLong,
}

impl SourceUrl {
    /// Validates a URL. A trailing slash stays, since servers distinguish it.
    pub fn parse(text: &str) -> Result<Self, SourceUrlError> {
        let text = text.trim();
        if text.chars().any(char::is_control) {
            return Err(SourceUrlError::NotAUrl);
        }
        let mut url = Url::parse(text).map_err(|_| SourceUrlError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SourceUrlError::NotAUrl);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(SourceUrlError::UserInfo);
        }
        url.set_fragment(None);
        let host = host_of(url.as_str()).ok_or(SourceUrlError::NotAUrl)?;
        let text = String::from(url);
        if text.len() > MAX_URL { Err(SourceUrlError::TooLong) } else { Ok(Self { text, host }) }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns host and port; the scheme's default port is omitted.
    pub fn host(&self) -> &str {
        &self.host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_and_no_number() {
        for (text, is_name) in [
            ("docs", true),
            ("docs.example.org-2", true),
            ("7up", true),
            ("7", false),
            ("", false),
            ("Docs", false),
            ("-x", false),
            ("a b", false),
        ] {
            assert_eq!(SourceName::new(text).is_some(), is_name, "{text}");
        }
        let of = |url: &str| SourceName::of_url(&SourceUrl::parse(url).expect("a URL")).to_string();
        assert_eq!(of("https://Docs.Example.org/sitemap.xml"), "docs.example.org");
        assert_eq!(of("http://127.0.0.1:8080/"), "127.0.0.1-8080");
        assert_eq!(of("http://[::1]:8080/"), "1--8080");
        assert_eq!(SourceName::new(&"a".repeat(61)), None);
    }

    #[test]
    fn a_url_keeps_its_slash_and_loses_its_fragment() {
        let of = |text: &str| SourceUrl::parse(text).map(|url| (url.text, url.host));
        assert_eq!(of(" https://a.test/docs/#x "), Ok(("https://a.test/docs/".into(), "a.test".into())));
        assert_eq!(of("https://u:p@a.test/"), Err(SourceUrlError::UserInfo));
        for text in ["a.test", "file:///etc/passwd", "https://", "https://a.test/\u{1b}[2J"] {
            assert_eq!(of(text), Err(SourceUrlError::NotAUrl), "{text:?}");
        }
        assert_eq!(of(&format!("https://a.test/{}", "x".repeat(2_000))), Err(SourceUrlError::TooLong));
    }
}
