//! A document's URL: validation, normalised form and host.

use thiserror::Error;
use url::Url;

/// Validated http or https URL in the form stored in `external_link`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    text: String,
    host: String,
}

/// Reason why a text is not a valid link. The message is for the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    #[error("is not a URL")]
    NotAUrl,
    /// The scheme is neither http nor https.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// The URL contains a user name or password.
    #[error("must not contain a user name or password")]
    UserInfo,
    /// The URL ends in `.pdf`. PDFs are not synced, because pages are read as text.
    #[error("is a PDF, which is never fetched")]
    Pdf,
    #[error("is longer than {MAX_BYTES} bytes")]
    TooLong,
}

/// Maximum length of a URL in its stored form, in bytes. Servers accept about as much, and every outcome has its URL.
const MAX_BYTES: usize = 8_192;

impl Link {
    /// Validates a URL that was typed or read from a file, and normalises it as Chatwoot does: trimmed, without a
    /// fragment, without **one** trailing slash.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let trimmed = text.trim();
        if trimmed.len() > MAX_BYTES {
            return Err(LinkError::TooLong);
        }
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
        // Each character beyond ASCII has become several.
        if text.len() > MAX_BYTES {
            return Err(LinkError::TooLong);
        }
        Ok(Self { text, host })
    }

    /// Returns the stored form.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns host and port; the scheme's default port is omitted.
    pub fn host(&self) -> &str {
        &self.host
    }
}

/// Returns host and port of any URL text; `None` without a host. The scheme's default port is omitted.
pub fn host_of(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let host = url.host_str()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

/// Returns a host, with or without a port, as URLs have it: in lower case, other letters than those of ASCII as Punycode.
/// What is no host stays, but for its case.
pub fn ascii_host(host: &str) -> String {
    match host.is_ascii() {
        true => host.to_ascii_lowercase(),
        false => host_of(&format!("http://{host}/")).unwrap_or_else(|| host.to_lowercase()),
    }
}

/// Returns a host in the letters that its Punycode stands for; `None` if all are of ASCII.
pub fn unicode_host(host: &str) -> Option<String> {
    let ascii = ascii_host(host);
    let (name, port) = match ascii.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (ascii.as_str(), None),
    };
    let name = Some(url::quirks::domain_to_unicode(name)).filter(|name| !name.is_ascii())?;
    Some(match port {
        Some(port) => format!("{name}:{port}"),
        None => name,
    })
}

/// Returns true if `link` is that of a PDF, by Chatwoot's rule: uploads begin with `PDF:`, links end in `.pdf` in lower
/// case.
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
    fn a_link_has_a_limited_length_in_its_stored_form() {
        let of = |path: String| Link::parse(&format!("https://example.org/{path}")).map(|link| link.text.len());
        let rest = MAX_BYTES - "https://example.org/".len();
        assert_eq!(of("x".repeat(rest)), Ok(MAX_BYTES));
        assert_eq!(of("x".repeat(rest + 1)), Err(LinkError::TooLong));
        assert_eq!(of("\u{e9}".repeat(rest / 2)), Err(LinkError::TooLong), "six bytes each");
        assert_eq!(LinkError::TooLong.to_string(), "is longer than 8192 bytes");
    }

    #[test]
    fn a_host_of_other_letters_is_the_one_of_its_punycode() {
        for host in ["b\u{fc}cher.example:8080", "B\u{dc}CHER.example:8080", "XN--bcher-kva.example:8080"] {
            assert_eq!(ascii_host(host), "xn--bcher-kva.example:8080");
            assert_eq!(unicode_host(host).as_deref(), Some("b\u{fc}cher.example:8080"));
        }
        assert_eq!((ascii_host("A.test"), unicode_host("a.test:1")), ("a.test".to_owned(), None));
        assert_eq!((ascii_host("\u{c4} b"), unicode_host("[::1]:8080")), ("\u{e4} b".to_owned(), None));
    }

    #[test]
    fn pdf_is_a_test_of_the_string() {
        assert!(is_pdf("PDF: handbook_2026") && is_pdf("https://a.b/c.pdf"));
        assert!(!is_pdf("https://a.b/c.PDF") && !is_pdf("https://a.b/c.pdf?x=1"));
    }
}
