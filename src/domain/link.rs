//! A document's URL: what is taken, how it is written, whose host it is.

use thiserror::Error;
use url::Url;

/// An http or https URL as it is stored in `external_link`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    text: String,
    host: String,
}

/// Why a text is not a link. The message is for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// The text is not a URL.
    #[error("is not a URL")]
    NotAUrl,
    /// Another scheme.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// A user name or password within.
    #[error("must not carry a user name or password")]
    UserInfo,
    /// A page is fetched and read as text; a PDF is not.
    #[error("is a PDF, which is never synced by a fetch")]
    Pdf,
}

impl Link {
    /// Reads what a person typed or a file holds: trimmed, checked, without a fragment, without **one** trailing slash
    /// (as Chatwoot stores it).
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.chars().any(char::is_control) {
            return Err(LinkError::NotAUrl);
        }
        let mut url = Url::parse(trimmed).map_err(|_| match trimmed.split_once("://") {
            Some(_) => LinkError::NotAUrl,
            None => LinkError::Scheme,
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(LinkError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LinkError::UserInfo);
        }
        url.set_fragment(None);
        let host = host_of(url.as_str()).ok_or(LinkError::NotAUrl)?;
        let text = url.as_str();
        let text = text.strip_suffix('/').unwrap_or(text).to_owned();
        if is_pdf(&text) {
            return Err(LinkError::Pdf);
        }
        Ok(Self { text, host })
    }

    /// The stored form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port; the scheme's own port is left out.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// Host and port of any URL text; `None` when there is none.
pub fn host_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Upstream's string test for a PDF document: uploads are `PDF: …`, links end in `.pdf`, case counts.
pub fn is_pdf(link: &str) -> bool {
    link.starts_with("PDF:") || link.ends_with(".pdf")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_stored_as_upstream_stores_them() {
        let link = |text: &str| Link::parse(text).map(|link| (link.text, link.host));
        let good = |text: &str, stored: &str, host: &str| {
            assert_eq!(link(text), Ok((stored.to_owned(), host.to_owned())), "{text}");
        };
        good("https://example.org/", "https://example.org", "example.org");
        good("https://example.org/a//", "https://example.org/a/", "example.org");
        good(" http://Example.org:8080/a#part ", "http://example.org:8080/a", "example.org:8080");
        good("https://example.org:443/x", "https://example.org/x", "example.org");
        for (text, error) in [
            ("", LinkError::NotAUrl),
            ("example.org", LinkError::Scheme),
            ("http://", LinkError::NotAUrl),
            ("ftp://example.org", LinkError::Scheme),
            ("javascript:alert(1)", LinkError::Scheme),
            ("http://ana:secret@example.org", LinkError::UserInfo),
            ("https://example.org/a.pdf", LinkError::Pdf),
            ("https://example.org/\x1b[2J", LinkError::NotAUrl),
        ] {
            assert_eq!(link(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn pdf_is_a_test_of_the_string() {
        assert!(is_pdf("PDF: handbook_2026") && is_pdf("https://a.b/c.pdf"));
        assert!(!is_pdf("https://a.b/c.PDF") && !is_pdf("https://a.b/c.pdf?x=1"));
    }
}
