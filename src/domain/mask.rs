//! Masks the secrets of URLs in texts that are printed or stored.

use super::text::{SafeLine, fit};

/// Returns `text` with the secrets of every URL in it replaced by `***`: its password, a user name without a password, and
/// the values of parameters such as `password` and `sslpassword`.
pub fn masked(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        safe.push_str(before);
        let end = after.find(|c: char| ends_url(c) || matches!(c, '/' | '?' | '#')).unwrap_or(after.len());
        let (authority, after) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                if let Some((name, _)) = user.split_once(':') {
                    safe.push_str(name);
                    safe.push(':');
                }
                safe.push_str("***@");
                safe.push_str(host);
            }
            None => safe.push_str(authority),
        }
        // Another URL may follow without a space between.
        let end = after.find(ends_url).into_iter().chain(after.find("://")).min().unwrap_or(after.len());
        let (parameters, after) = after.split_at(end);
        push_parameters(&mut safe, parameters);
        rest = after;
    }
    safe.push_str(rest);
    safe
}

/// Returns a text that a person has typed or that stands in a file, cut to 80 cells for a message. Secrets are masked
/// first, since a cut may hide that a part is one.
pub fn shortened(text: &str) -> String {
    fit(&SafeLine::new(&masked(text)), 80)
}

/// Returns true for a character after which a URL in a text has ended.
fn ends_url(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`')
}

/// Adds a URL's path and parameters; the values of parameters that are secret become `***`.
fn push_parameters(safe: &mut String, text: &str) {
    for part in text.split_inclusive(['?', '&', '#', ';']) {
        let (pair, separator) = match part.char_indices().next_back() {
            Some((last, '?' | '&' | '#' | ';')) => part.split_at(last),
            _ => (part, ""),
        };
        match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => {
                safe.push_str(name);
                safe.push_str("=***");
            }
            _ => safe.push_str(pair),
        }
        safe.push_str(separator);
    }
}

/// Returns true for the name of a parameter whose value nobody may see.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "pwd", "secret", "token"].iter().any(|word| name.contains(word))
}
