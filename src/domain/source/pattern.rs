//! Patterns by which pages of a source are selected.

use serde::{Deserialize, Serialize};

/// Pattern of pages: `*` stands for any characters. One that begins with `/` is compared with path and query, any other
/// with the whole URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PagePattern(String);

impl PagePattern {
    /// Returns the pattern. Fails if it is empty, or has white space or control characters; the error completes a sentence
    /// that begins with the pattern.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        match text.trim() {
            "" => Err("is empty"),
            text if text.chars().any(|c| c.is_whitespace() || c.is_control()) => Err("has white space"),
            text if !text.starts_with('/') && !text.contains("://") && !text.starts_with('*') => {
                Err("must begin with / (path), * or http:// (whole URL)")
            }
            text => Ok(Self(text.to_owned())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true if the pattern selects a URL in stored form.
    pub fn matches(&self, url: &str) -> bool {
        let path = || {
            let after = url.split_once("://").map_or(url, |(_, after)| after);
            after.find(['/', '?']).map_or("/", |at| &after[at..])
        };
        let text = if self.0.starts_with('/') { path() } else { url };
        glob(self.0.as_bytes(), text.as_bytes())
    }
}

/// Compares in one pass, with backtracking only to the last `*`, so that no pattern makes this slow.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_paths_or_whole_urls() {
        for (pattern, url, expected) in [
            ("/docs/*", "https://a.test/docs/x?y=1", true),
            ("/docs/*", "https://a.test/docs", false),
            ("/docs*", "https://a.test/docs", true),
            ("/docs", "https://a.test/docs/x", false),
            ("/", "https://a.test", true),
            ("/*", "https://a.test", true),
            ("*.html", "https://a.test/x.html", true),
            ("https://a.test/*", "https://b.test/a.test/", false),
            ("*/de/*", "https://a.test/de/x", true),
            ("/*a*b*c", "https://a.test/xaxbxcx", false),
            ("/?q=*", "https://a.test/?q=1", true),
        ] {
            let parsed = PagePattern::parse(pattern).expect("a pattern");
            assert_eq!(parsed.matches(url), expected, "{pattern} {url}");
        }
        for text in ["", " ", "docs", "/a b", "/\u{1b}"] {
            assert!(PagePattern::parse(text).is_err(), "{text:?}");
        }
        let slow = PagePattern::parse(&format!("/{}b", "*a".repeat(2_000))).expect("a pattern");
        assert!(!slow.matches(&format!("https://a.test/{}", "a".repeat(8_000))));
    }
}
