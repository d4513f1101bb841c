//! Headers with the credentials of a site rule: checks of their names and values, and the headers as they are sent.
//!
//! No message contains a value, and the headers are marked as sensitive, so that no debug output shows them.

use crate::domain::credential::{Credential, SecretValues};
use crate::domain::secret::Secret;
use crate::domain::site_rule::{FetcherKind, SiteRule};
use crate::domain::text::SafeLine;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use std::collections::HashSet;

/// Headers that a site rule cannot set, because the connection (RFC 9110, 7.6.1), the client or the fetch decides them.
const REFUSED: [&str; 22] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// Checks the names of a rule's headers and cookies. The error completes a sentence that begins with the setting's name.
pub(super) fn check_names(site: &SiteRule) -> Result<(), String> {
    let mut headers = HashSet::new();
    let mut cookies = HashSet::new();
    for credential in &site.credentials {
        let wrong = |why: &str| Err(format!("({}) {why}", SafeLine::new(&credential.key())));
        match credential {
            Credential::Header { name, .. } => match HeaderName::from_bytes(name.as_bytes()) {
                Err(_) => return wrong("is not the name of a header"),
                Ok(name) if name == COOKIE => return wrong("cannot be set: list cookies under `cookies`"),
                Ok(name) if REFUSED.contains(&name.as_str()) => {
                    return wrong("cannot be set: the fetch itself decides this header");
                }
                Ok(_) => {}
            },
            Credential::Cookie { name, .. } => {
                let is_token = !name.is_empty() && name.bytes().all(is_token_byte);
                if !is_token || !cookies.insert(name) {
                    return wrong("is not the name of a cookie, or is there twice");
                }
                continue;
            }
            Credential::Basic { user, .. } if user.contains(':') || user.chars().any(char::is_control) => {
                return wrong("must have a user name without `:` and control characters");
            }
            Credential::Basic { .. } | Credential::Bearer(_) => {}
        }
        if !headers.insert(credential.header()) {
            return wrong("sets a header that another key of the rule sets");
        }
    }
    if !site.credentials.is_empty() && site.fetcher == Some(FetcherKind::Firecrawl) {
        return Err("headers and cookies are never sent to Firecrawl; use fetcher = \"direct\"".to_owned());
    }
    Ok(())
}

/// Checks those values of a rule's credentials that this process has. The error names the source, never the value, and
/// completes a sentence that begins with the setting's name.
pub fn check_credentials(site: &SiteRule, secrets: &SecretValues) -> Result<(), String> {
    for credential in &site.credentials {
        if let Some(secret) = secrets.get(credential.source()) {
            value(credential, secret)?;
        }
    }
    Ok(())
}

/// Returns the headers that carry a rule's credentials. Fails if a value is missing or invalid; a page is never requested
/// without its credentials.
pub(super) fn headers(site: &SiteRule, secrets: &SecretValues) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    let mut cookies = String::new();
    for credential in &site.credentials {
        let source = credential.source();
        let secret = secrets.get(source).ok_or_else(|| secrets.problem(source).unwrap_or_default())?;
        let value = value(credential, secret)?;
        match credential {
            Credential::Cookie { name, .. } => {
                let separator = if cookies.is_empty() { "" } else { "; " };
                cookies.push_str(&format!("{separator}{name}={}", secret.reveal()));
            }
            Credential::Header { name, .. } => {
                let name =
                    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{} is invalid", credential.key()))?;
                headers.insert(name, value);
            }
            Credential::Basic { .. } | Credential::Bearer(_) => drop(headers.insert(AUTHORIZATION, value)),
        }
    }
    if !cookies.is_empty() {
        let mut value = HeaderValue::from_str(&cookies).map_err(|_| "cookies are invalid".to_owned())?;
        value.set_sensitive(true);
        headers.insert(COOKIE, value);
    }
    Ok(headers)
}

/// Returns the value of a credential's header; of a cookie, its value alone.
fn value(credential: &Credential, secret: &Secret) -> Result<HeaderValue, String> {
    let text = secret.reveal();
    let is_visible = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.trim() == text;
    let wrong = |why: &str| format!("({}) {} {why}", SafeLine::new(&credential.key()), credential.source());
    let text = match credential {
        Credential::Header { .. } if is_visible(text) => text.to_owned(),
        Credential::Cookie { .. } if text.bytes().all(is_cookie_byte) => text.to_owned(),
        Credential::Bearer(_) if text.bytes().all(|byte| byte.is_ascii_graphic()) => format!("Bearer {text}"),
        Credential::Basic { user, .. } if !text.chars().any(char::is_control) => {
            format!("Basic {}", base64(format!("{user}:{text}").as_bytes()))
        }
        Credential::Basic { .. } => return Err(wrong("has a control character, such as a line end")),
        _ => return Err(wrong("has a character that is not allowed there, such as a line end, or is not ASCII")),
    };
    let mut value = HeaderValue::from_str(&text).map_err(|_| wrong("is not the value of a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns true for the characters of a token (RFC 9110, 5.6.2), of which the names of cookies consist.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Returns true for the characters of a cookie's value (RFC 6265, 4.1.1), and for the quotes around one.
fn is_cookie_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b',' | b';' | b'\\')
}

/// Encodes bytes in Base64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let number = (0..3).fold(0u32, |number, index| number << 8 | u32::from(*group.get(index).unwrap_or(&0)));
        for index in 0..4 {
            let digit = DIGITS[(number >> (18 - 6 * index) & 63) as usize];
            text.push(if index <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::credential::SecretSource;

    fn source(name: &str) -> SecretSource {
        SecretSource::Env(name.to_owned())
    }

    fn site(credentials: Vec<Credential>) -> SiteRule {
        SiteRule { host: Some("a.test".into()), credentials, ..SiteRule::default() }
    }

    fn secrets(values: &[(&str, &str)]) -> SecretValues {
        SecretValues(values.iter().map(|(name, value)| (source(name), Ok(Secret::new(*value)))).collect())
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("\u{ff}\u{fe}", "w7/Dvg=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn headers_that_the_fetch_decides_and_doubles_are_refused() {
        let header = |name: &str| Credential::Header { name: name.into(), value: source("T") };
        let cookie = |name: &str| Credential::Cookie { name: name.into(), value: source("T") };
        for name in REFUSED.iter().chain(&["Host", "TE", "Cookie", "a b", "", "x\r\ny", "é"]) {
            assert!(check_names(&site(vec![header(name)])).is_err(), "{name}");
        }
        for name in ["a;b", "", "a=b", "a b"] {
            assert!(check_names(&site(vec![cookie(name)])).is_err(), "{name}");
        }
        let bearer = || Credential::Bearer(source("T"));
        assert!(check_names(&site(vec![header("authorization"), bearer()])).is_err());
        assert!(check_names(&site(vec![header("X-A"), header("x-a")])).is_err());
        assert!(check_names(&site(vec![header("X-A"), cookie("a"), cookie("b"), bearer()])).is_ok());
        let firecrawl = SiteRule { fetcher: Some(FetcherKind::Firecrawl), ..site(vec![bearer()]) };
        assert!(check_names(&firecrawl).is_err());
    }

    #[test]
    fn every_credential_has_its_header_and_none_is_printed() {
        let basic = Credential::Basic { user: "ana".into(), password: source("P") };
        let cookie = |name: &str| Credential::Cookie { name: name.into(), value: source("C") };
        let token = Credential::Header { name: "X-Token".into(), value: source("T") };
        let values = secrets(&[("P", "pass word"), ("C", "c00kie"), ("T", "s3cret")]);
        let sent = headers(&site(vec![basic, cookie("a"), token, cookie("b")]), &values).expect("all values");
        let of = |name: &str| sent.get(name).and_then(|value| value.to_str().ok());
        assert_eq!(of("authorization"), Some("Basic YW5hOnBhc3Mgd29yZA=="));
        assert_eq!((of("cookie"), of("x-token")), (Some("a=c00kie; b=c00kie"), Some("s3cret")));
        let printed = format!("{sent:?} {values:?}");
        assert!(!["s3cret", "c00kie", "YW5h", "pass"].iter().any(|secret| printed.contains(secret)), "{printed}");
        let bearer = headers(&site(vec![Credential::Bearer(source("T"))]), &values).expect("a value");
        assert_eq!(bearer[AUTHORIZATION], "Bearer s3cret");
    }

    #[test]
    fn a_value_that_a_header_cannot_have_is_refused_without_being_repeated() {
        let header = Credential::Header { name: "X".into(), value: source("T") };
        let cookie = Credential::Cookie { name: "x".into(), value: source("T") };
        let basic = Credential::Basic { user: "ana".into(), password: source("T") };
        let bearer = Credential::Bearer(source("T"));
        for (credential, values) in [
            (&header, ["hush\r\nEvil: 1", "hush\n", " hush", "húsh", "hush\u{7f}"]),
            (&cookie, ["hush; b=1", "hush\r\n", "hush hush", "húsh", "hush,"]),
            (&basic, ["hush\r\n", "hush\n", "hush\0", "hush\u{1b}", "hush\u{85}"]),
            (&bearer, ["hush\r\n", "hush hush", "húsh", "hush\t", "\u{1}hush"]),
        ] {
            for value in values {
                let refused = check_credentials(&site(vec![credential.clone()]), &secrets(&[("T", value)]));
                let message = refused.expect_err(value);
                assert!(message.contains("variable T") && !message.contains("hush"), "{message}");
            }
        }
        assert!(check_credentials(&site(vec![basic]), &secrets(&[("T", "pässword 語")])).is_ok());
        let missing = headers(&site(vec![header]), &SecretValues::default()).expect_err("no value");
        assert_eq!(missing, "the variable T was not read");
    }
}
