//! Targets of links and images: absolute, and safe between the parentheses of Markdown.

use url::Url;

/// Longer ones are left out: nobody reads them, and a page of them would be all URL.
const LONGEST: usize = 2048;

/// The destination of a link; `None` when there is nothing to go to.
pub(super) fn destination(href: &str, base: &Url) -> Option<String> {
    absolute(href, base, &["http", "https", "mailto", "tel", "ftp"])
}

/// The source of an image; `None` when it is not on the web.
pub(super) fn source(src: &str, base: &Url) -> Option<String> {
    if src.trim().is_empty() { None } else { absolute(src, base, &["http", "https"]) }
}

fn absolute(reference: &str, base: &Url, schemes: &[&str]) -> Option<String> {
    let reference = reference.trim();
    // A bare # is what scripts are hung on; an empty one is the page itself.
    if reference == "#" || reference.len() > LONGEST {
        return None;
    }
    let url = base.join(reference).ok()?;
    let known = schemes.contains(&url.scheme()) && url.as_str().len() <= LONGEST;
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
