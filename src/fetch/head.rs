//! Parsing of a response's head: target of a redirect, type of the body, `Retry-After`.

use super::errors;
use crate::domain::failure::Failure;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use std::time::{Duration, SystemTime};
use url::Url;

/// Kind of a body, which decides if it is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// HTML, which is converted to Markdown.
    Html,
    /// Plain text, which is not converted.
    Text,
    /// Markdown. It is not converted either, but its links are made absolute if it was asked for.
    Markdown,
}

/// A parsed `Content-Type`.
#[derive(Debug)]
pub(super) struct ContentType {
    /// Kind of the body; `None` if the server sent no type.
    pub kind: Option<Kind>,
    pub charset: Option<String>,
}

impl ContentType {
    /// Parses the header; a type that is neither a page nor text is a failure.
    pub fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let value = headers.get(CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let value = value.unwrap_or_default();
        let mut parts = value.split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let kind = match essence.as_str() {
            "" => None,
            "text/html" | "application/xhtml+xml" => Some(Kind::Html),
            "text/plain" => Some(Kind::Text),
            "text/markdown" | "text/x-markdown" => Some(Kind::Markdown),
            other => {
                let named: String = other.chars().take(80).collect();
                return Err(errors::refused(format!("the content type is {named}, not a page or text")));
            }
        };
        let charset = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']).to_owned())
        });
        Ok(Self { kind, charset })
    }
}

/// Returns the target of a redirect, or an error for an invalid target; `None` if the response is not a redirect or has
/// no `Location`.
pub(super) fn next_hop(response: &Response, url: &Url) -> Option<Result<Url, url::ParseError>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    Some(url.join(&String::from_utf8_lossy(location.as_bytes())))
}

/// Returns the value of the header `name`; `None` if the header is absent or not visible ASCII.
pub(super) fn text_of(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Returns the wait that `Retry-After` requests in seconds or as a date. Returns `None` for a status in which the
/// header has no meaning, for an invalid value, and for a date in the past.
pub(super) fn retry_after(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if !matches!(status.as_u16(), 408 | 425 | 429 | 500..=599) {
        return None;
    }
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that is too large for us is a long wait all the same; whoever uses it has a limit.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    httpdate::parse_http_date(value).ok()?.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_only_where_it_means_something() {
        let now = httpdate::parse_http_date("Tue, 24 Nov 2026 10:00:00 GMT").expect("a date");
        let wait = |status: u16, value: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
            retry_after(StatusCode::from_u16(status).expect("a status"), &headers, now)
        };
        assert_eq!(wait(429, "120"), Some(Duration::from_secs(120)));
        assert_eq!(wait(503, "Tue, 24 Nov 2026 10:02:00 GMT"), Some(Duration::from_secs(120)));
        assert_eq!(wait(503, "Tue, 24 Nov 2026 09:00:00 GMT"), None);
        let long = wait(429, "99999999999999999999").expect("it is a number");
        assert!(long > crate::domain::retry::RETRY_AFTER_CAP, "{long:?}");
        assert_eq!(wait(503, "soon"), None);
        assert_eq!(wait(503, ""), None);
        assert_eq!(wait(503, "-5"), None);
        assert_eq!(wait(404, "120"), None);
        assert_eq!(wait(408, "1"), Some(Duration::from_secs(1)));
    }
}
