//! Targets of links and images: absolute URLs, safe between the parentheses of Markdown.

use url::Url;

/// Longest URL in bytes. Longer URLs are left out: nobody reads them, and a page with many of them would consist mostly
/// of URLs.
const MAX_URL_BYTES: usize = 2048;

/// Returns the destination of a link; `None` if the URL is invalid, too long or a bare `#`, or if its scheme is
/// unsuitable.
pub(super) fn destination(href: &str, base: &Url) -> Option<String> {
    absolute(href, base, &["http", "https", "mailto", "tel", "ftp"])
}

/// Returns the source of an image; `None` if the URL is empty, invalid or too long, or if it is neither http nor https.
pub(super) fn source(src: &str, base: &Url) -> Option<String> {
    if src.trim().is_empty() { None } else { absolute(src, base, &["http", "https"]) }
}

fn absolute(reference: &str, base: &Url, schemes: &[&str]) -> Option<String> {
    let reference = reference.trim();
    // A bare `#` is a target for scripts only; an empty reference means the page itself.
    if reference == "#" || reference.len() > MAX_URL_BYTES {
        return None;
    }
    let url = base.join(reference).ok()?;
    let known = schemes.contains(&url.scheme()) && url.as_str().len() <= MAX_URL_BYTES;
    known.then(|| {
        let mut destination = String::with_capacity(url.as_str().len());
        for c in url.as_str().chars() {
            match c {
                ' ' | '(' | ')' | '<' | '>' | '\\' | '"' | '`' | '|' | '*' => {
                    destination.push_str(&format!("%{:02X}", u32::from(c)));
                }
                c if c.is_control() => {}
                c => destination.push(c),
            }
        }
        destination
    })
}
