//! Turns the entries of a sitemap or a feed into the lines of an import.

use super::lines::{Fields, ImportLine, import_line};
use crate::domain::listing::ListingKind;
use crate::domain::text::SafeLine;
use crate::fetch::{ListingEntry, parse_xml};
use std::io::Read;

/// Maximum number of sitemaps that the message about an index of sitemaps lists.
const MAX_NAMED_SITEMAPS: usize = 20;

/// Parses a sitemap or a feed. `owner` is the account and the assistant of its documents.
///
/// # Errors
/// The file's encoding is unknown, or the file is something else: an index of sitemaps, a page, not XML.
pub(super) fn read(file: impl Read, owner: (i64, i64)) -> Result<Vec<ImportLine>, String> {
    let (mut lines, mut sitemaps, mut last_line) = (Vec::new(), Vec::new(), 1);
    let kind = parse_xml(file, None, &mut |entry| {
        match entry {
            ListingEntry::Page { page, line } => {
                let mut entry = import_line(line, Fields::url_only(page.url).into_document(owner));
                if let ImportLine::Document(document) = &mut entry {
                    document.modified = page.modified;
                }
                lines.push(entry);
                last_line = line;
            }
            ListingEntry::Sitemap(url) => sitemaps.push(url),
            ListingEntry::Unreadable { line: number, reason } | ListingEntry::Cut { line: number, reason } => {
                last_line = number;
                lines.push(ImportLine::Unreadable { number, reason });
            }
        }
        true
    })?;
    if sitemaps.is_empty() {
        return match kind {
            ListingKind::Index if lines.is_empty() => Err("is a sitemap index without sitemaps".to_owned()),
            _ => Ok(lines),
        };
    }
    let reason = index_message(&sitemaps);
    if !lines.iter().any(|line| matches!(line, ImportLine::Document(_))) {
        return Err(reason);
    }
    lines.push(ImportLine::Unreadable { number: last_line, reason });
    Ok(lines)
}

/// Returns the message for an index of sitemaps, with the commands that import them: a file names no pages then, and
/// only a URL is fetched.
fn index_message(sitemaps: &[String]) -> String {
    let mut message =
        "is a sitemap index, which lists no pages. Import it by its URL, or each of its sitemaps, as in\n  \
                       quarterdeck import URL"
            .to_owned();
    for sitemap in sitemaps.iter().take(MAX_NAMED_SITEMAPS) {
        message.push_str("\n  ");
        message.push_str(&SafeLine::new(sitemap));
    }
    if let more @ 1.. = sitemaps.len().saturating_sub(MAX_NAMED_SITEMAPS) {
        message.push_str(&format!("\n  and {more} more"));
    }
    message
}
