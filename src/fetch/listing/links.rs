//! Reads the links of an HTML page.

use super::{ListingEntry, OnEntry, read_whole};
use crate::domain::listing::ListedPage;
use crate::fetch::budget::{Budget, BudgetMeter, TIME_LIMIT, TreeBudget};
use crate::fetch::charset::{self, Markup};
use crate::fetch::html::{self, Noscript};
use std::io::Read;
use url::Url;

/// Maximum size in bytes of a page whose links are read.
const MAX_PAGE: u64 = 8 * 1024 * 1024;

/// Reads the targets of all `a` elements, in their order, joined with the page's `base` element or else with `url`.
pub(super) fn parse(file: impl Read, url: &Url, on_entry: &mut OnEntry<'_>) -> Result<(), String> {
    let bytes = read_whole(file, MAX_PAGE)?;
    for (url, rel) in targets(&bytes, url, "a[href], area[href]")? {
        // Links within the page were joined with it.
        if rel.starts_with('#') || !matches!(url.scheme(), "http" | "https") {
            continue;
        }
        let page = ListedPage { url: url.into(), modified: None };
        if !on_entry(ListingEntry::Page { page, line: 1 }) {
            break;
        }
    }
    Ok(())
}

/// Returns the URL that a page names as its canonical one; `None` if it names none or cannot be read.
pub(super) fn canonical(bytes: &[u8], url: &Url) -> Option<Url> {
    let mut found = targets(bytes, url, "link[rel~=canonical][href]").ok()?;
    found.truncate(1);
    found.pop().map(|(url, _)| url).filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// Returns the `href` of each element that matches, joined and as it is written.
fn targets(bytes: &[u8], url: &Url, selector: &str) -> Result<Vec<(Url, String)>, String> {
    let html = charset::decode(bytes, None, Markup::Html);
    let clock = BudgetMeter::new(Budget::Processor(TIME_LIMIT));
    let document = html::parse(&html, Noscript::Elements, &clock, TreeBudget::Alone.bytes());
    let document = document.map_err(|error| error.to_string())?;
    let base = document.select("base[href]").attr("href").and_then(|base| url.join(base.trim()).ok());
    let base = base.unwrap_or_else(|| url.clone());
    let mut found = Vec::new();
    for node in document.select(selector).nodes() {
        let Some(href) = node.attr("href") else { continue };
        if let Ok(url) = base.join(href.trim()) {
            found.push((url, href.trim().to_owned()));
        }
    }
    Ok(found)
}
