//! Listings of pages: sitemaps, indexes of sitemaps, feeds, pages of links and `llms.txt`. They are parsed as they
//! arrive, so that a large one takes little memory.
//!
//! `input` decodes bytes, `xml` parses sitemaps and feeds, `links` pages of links, `text` lists. `download` fetches one
//! file, `reader` a whole listing with the files that it names, and `page` looks where a listed page is now.

mod download;
mod input;
mod links;
mod page;
mod reader;
mod text;
mod xml;

pub use input::is_likely_xml;
pub use page::PageLocation;
pub(super) use page::locate;
pub use reader::{ListingBatch, ListingLimits, ListingReader, ListingSummary};
pub use xml::parse as parse_xml;

use crate::domain::listing::{ListedPage, ListingKind};
use std::io::{self, BufRead, Cursor, Read};
use url::Url;

/// Number of bytes at the start of a file by which its format is recognised.
const HEAD_SIZE: u64 = 4_096;

/// An entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListingEntry {
    Page {
        page: ListedPage,
        /// Number of its line, from 1.
        line: u64,
    },
    /// URL of another sitemap.
    Sitemap(String),
    /// An entry that cannot be read; the others are.
    Unreadable {
        /// Number of its line, from 1.
        line: u64,
        reason: String,
    },
    /// The listing ends here, before its end; nothing follows.
    Cut {
        /// Number of the line, from 1.
        line: u64,
        reason: String,
    },
}

/// Receiver of entries. It returns false to end the parsing.
pub type OnEntry<'a> = dyn FnMut(ListingEntry) -> bool + 'a;

/// Parses a listing of any format. Relative URLs of feeds, pages and lists are joined with `base`.
///
/// # Errors
/// It is none, or its encoding is unknown. The message completes a sentence that begins with its name.
pub(super) fn parse(mut file: impl BufRead, base: &Url, on_entry: &mut OnEntry<'_>) -> Result<ListingKind, String> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD_SIZE).read_to_end(&mut head).map_err(|error| error.to_string())?;
    let is_html = is_html(&head);
    let is_xml = is_likely_xml(&head);
    let whole = Cursor::new(head).chain(file);
    match (is_html, is_xml) {
        (true, _) => links::parse(whole, base, on_entry).map(|()| ListingKind::Links),
        (false, true) => parse_xml(whole, Some(base), on_entry),
        (false, false) => text::parse(whole, base, on_entry).map(|()| ListingKind::Text),
    }
}

/// Elements with which a page may begin.
const HTML_ELEMENTS: [&str; 20] = [
    "a", "base", "body", "div", "h1", "h2", "head", "header", "html", "li", "link", "main", "meta", "nav", "ol", "p",
    "script", "table", "title", "ul",
];

/// Returns true if the first element of a file is that of an HTML page.
fn is_html(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    loop {
        let end = match rest {
            _ if rest.starts_with("<!doctype html") => return true,
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<?") || rest.starts_with("<!") => ">",
            _ => {
                let name = rest.strip_prefix('<').unwrap_or_default();
                let end = name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len());
                return HTML_ELEMENTS.contains(&&name[..end]);
            }
        };
        let Some(at) = rest.find(end) else { return false };
        rest = rest[at + end.len()..].trim_start();
    }
}

/// Reads a file of at most `most` bytes as a whole; the error names the limit.
fn read_whole(file: impl Read, most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error: io::Error| error.to_string())?;
    if bytes.len() as u64 > most { Err(format!("is longer than {} MB", most >> 20)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_from_xml_and_text() {
        for (head, is) in [
            ("<!DOCTYPE HTML>\n<html>", true),
            ("\u{feff} <!-- c --><html lang=en>", true),
            ("<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html>", true),
            ("<body><a href=x>", true),
            ("<a href=x>", true),
            ("<feed xmlns='x'>", false),
            ("<?xml version='1.0'?><urlset>", false),
            ("# Title\n<html>", false),
            ("<!--", false),
            ("", false),
        ] {
            assert_eq!(is_html(head.as_bytes()), is, "{head}");
        }
    }
}
