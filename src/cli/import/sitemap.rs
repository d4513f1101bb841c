//! Parses sitemaps (sitemaps.org, 0.9): the `loc` of each `url` of a `urlset`; everything else is ignored.
//!
//! Lenient where the meaning is plain (a bare `&`, a wrong or missing namespace, several sitemaps one after the other).
//! An entry that cannot be read is reported with its line, and the others are imported. Where the file is not
//! well-formed XML, everything before is imported, and nothing after. Entities that a document declares are never
//! expanded.

mod encoding;

use super::lines::{Fields, ImportLine, import_line};
use crate::cli::output::shortened;
use encoding::{Decoded, decode};
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

pub(super) use encoding::is_likely_xml;

/// Maximum depth of nested elements that is read; sitemaps with images and videos are five deep.
const MAX_DEPTH: usize = 100;
/// Maximum number of sitemaps that the message about an index of sitemaps lists.
const MAX_NAMED_SITEMAPS: usize = 20;

/// Parses a sitemap. `owner` is the account and the assistant of its documents.
///
/// # Errors
/// The file's encoding is unknown, or the file is something else: an index of sitemaps, a feed, a page, not XML.
pub(super) fn read(bytes: &[u8], owner: (i64, i64)) -> Result<Vec<ImportLine>, String> {
    let Decoded { text, encoding } = decode(bytes)?;
    let mut reader = NsReader::from_str(&text);
    reader.config_mut().allow_dangling_amp = true;
    reader.config_mut().expand_empty_elements = true;
    let mut walk = SitemapParser::new(&text, encoding, owner);
    loop {
        let (at, reason) = match reader.read_event() {
            Ok(Event::Eof) => return walk.end(),
            Ok(event) => {
                let space = match &event {
                    Event::Start(tag) => reader.resolver().resolve_element(tag.name()).0,
                    _ => ResolveResult::Unbound,
                };
                match walk.event(&space, &event, reader.buffer_position()) {
                    Ok(()) => continue,
                    Err(reason) => (reader.buffer_position(), reason),
                }
            }
            Err(error) => {
                (reader.error_position(), format!("is not well-formed XML: {}", shortened(&error.to_string())))
            }
        };
        return walk.stop(at, reason);
    }
}

/// Kind of the file, by its outermost element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `urlset`: a list of pages.
    Pages,
    /// `sitemapindex`: a list of sitemaps.
    Index,
}

struct Root {
    kind: Kind,
    /// Namespace of the sitemap's own elements, so that `image:loc` is not read as a page's `loc`.
    namespace: String,
}

/// The `url` or `sitemap` element that is open.
struct Entry {
    line: u64,
    has_loc: bool,
}

#[derive(Default)]
struct Loc {
    line: u64,
    text: String,
    error: Option<String>,
}

struct SitemapParser<'t> {
    line_counter: LineCounter<'t>,
    encoding: &'static str,
    owner: (i64, i64),
    depth: usize,
    root: Option<Root>,
    entries: u64,
    entry: Option<Entry>,
    loc: Option<Loc>,
    read: Vec<ImportLine>,
    sitemaps: Vec<String>,
}

impl<'t> SitemapParser<'t> {
    fn new(text: &'t str, encoding: &'static str, owner: (i64, i64)) -> Self {
        Self {
            line_counter: LineCounter { text, at: 0, line: 1 },
            encoding,
            owner,
            depth: 0,
            root: None,
            entries: 0,
            entry: None,
            loc: None,
            read: Vec::new(),
            sitemaps: Vec::new(),
        }
    }

    /// Handles an event. `space` is the namespace of a start tag, `at` the byte offset at which the event ends. An
    /// error ends the parsing.
    fn event(&mut self, space: &ResolveResult, event: &Event, at: u64) -> Result<(), String> {
        match event {
            Event::Start(tag) => self.start_element(tag.local_name().into_inner(), namespace_key(space), at)?,
            Event::End(_) => self.end_element(),
            Event::Text(text) => self.append_text(text),
            Event::CData(text) => self.append_text(text),
            Event::GeneralRef(name) => self.append_entity(name),
            _ => {}
        }
        Ok(())
    }

    fn start_element(&mut self, name: &str, space: &str, at: u64) -> Result<(), String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("has elements nested more than {MAX_DEPTH} deep"));
        }
        if self.depth == 1 {
            self.root = Some(Root { kind: kind(name)?, namespace: space.to_owned() });
            return Ok(());
        }
        let Some(root) = self.root.as_ref().filter(|root| root.namespace == space) else {
            return Ok(());
        };
        let is_entry = name == if root.kind == Kind::Pages { "url" } else { "sitemap" };
        match self.depth {
            2 if is_entry => {
                self.entries += 1;
                self.entry = Some(Entry { line: self.line_counter.line(at), has_loc: false });
            }
            3 if name == "loc" => {
                if let Some(entry) = &mut self.entry {
                    entry.has_loc = true;
                    self.loc = Some(Loc { line: self.line_counter.line(at), ..Loc::default() });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end_element(&mut self) {
        match self.depth {
            2 => {
                if let Some(entry) = self.entry.take().filter(|entry| !entry.has_loc) {
                    // Many sitemaps consist of a single line, so the line number alone does not identify the entry.
                    let reason = format!("entry {} has no loc", self.entries);
                    self.read.push(ImportLine::Unreadable { number: entry.line, reason });
                }
            }
            3 => {
                if let Some(loc) = self.loc.take() {
                    self.finish_loc(loc);
                }
            }
            _ => {}
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn finish_loc(&mut self, loc: Loc) {
        if self.root.as_ref().is_some_and(|root| root.kind == Kind::Index) {
            self.sitemaps.push(loc.text.trim().to_owned());
            return;
        }
        let wrong = loc.error.or_else(|| {
            let reason = || format!("{}: is not {} text", shortened(&loc.text), self.encoding);
            loc.text.contains(char::REPLACEMENT_CHARACTER).then(reason)
        });
        let read = match wrong {
            Some(reason) => Err(reason),
            None if loc.text.trim().is_empty() => Err(format!("entry {} has an empty loc", self.entries)),
            None => Fields::url_only(loc.text).into_document(self.owner),
        };
        self.read.push(import_line(loc.line, read));
    }

    fn append_text(&mut self, text: &str) {
        if self.depth == 3
            && let Some(loc) = &mut self.loc
        {
            loc.text.push_str(text);
        }
    }

    fn append_entity(&mut self, name: &BytesRef) {
        let Some(loc) = self.loc.as_mut().filter(|_| self.depth == 3) else { return };
        let known = match name.resolve_char_ref() {
            Ok(Some(c)) => Some(c.to_string()),
            Ok(None) => resolve_xml_entity(name).map(str::to_owned),
            Err(_) => None,
        };
        match known {
            Some(text) => loc.text.push_str(&text),
            None => {
                let name = shortened(name);
                loc.text.push_str(&format!("&{name};"));
                loc.error.get_or_insert_with(|| format!("&{name}; is an unknown entity"));
            }
        }
    }

    fn push_unreadable(&mut self, at: u64, reason: String) {
        let number = self.line_counter.line(at);
        self.read.push(ImportLine::Unreadable { number, reason });
    }

    /// Ends the parsing at byte `at`: the file cannot be read from there on, for the reason `why`.
    fn stop(mut self, at: u64, reason: String) -> Result<Vec<ImportLine>, String> {
        if self.root.is_none() {
            return Err(reason);
        }
        self.push_unreadable(at, format!("{reason}; the rest was not read"));
        self.depth = 0;
        self.end()
    }

    fn end(mut self) -> Result<Vec<ImportLine>, String> {
        if self.root.is_none() {
            return Err("is not a sitemap: it has no elements".to_owned());
        }
        if self.depth > 0 {
            self.push_unreadable(u64::MAX, "the sitemap is cut off here".to_owned());
        }
        if self.entries == 0 && self.root.as_ref().is_some_and(|root| root.kind == Kind::Index) {
            return Err("is a sitemap index without sitemaps".to_owned());
        }
        let names_pages = self.read.iter().any(|line| matches!(line, ImportLine::Document(_)));
        if self.sitemaps.is_empty() {
            return Ok(self.read);
        }
        let reason = index_message(&self.sitemaps);
        if !names_pages {
            return Err(reason);
        }
        self.push_unreadable(u64::MAX, reason);
        Ok(self.read)
    }
}

/// Returns the kind of file for `root`, the name of its outermost element. Fails for any other kind; the error names
/// the format if it is known.
fn kind(root: &str) -> Result<Kind, String> {
    let feed = |name: &str| Err(format!("is {name} feed, not a sitemap: it lists only new pages"));
    match root {
        "urlset" => Ok(Kind::Pages),
        "sitemapindex" => Ok(Kind::Index),
        "rss" | "RDF" => feed("an RSS"),
        "feed" => feed("an Atom"),
        _ if root.eq_ignore_ascii_case("html") => Err("is an HTML page, not a sitemap".to_owned()),
        _ => Err(format!("is not a sitemap: its outermost element is {}, not urlset", shortened(root))),
    }
}

/// Returns the message for an index of sitemaps, with commands to import them: an index names no pages, and import
/// fetches nothing.
fn index_message(sitemaps: &[String]) -> String {
    let mut message = "is a sitemap index, which lists no pages. Import each of its sitemaps, as in\n  curl -sL URL | \
         quarterdeck import -"
        .to_owned();
    for sitemap in sitemaps.iter().take(MAX_NAMED_SITEMAPS) {
        message.push_str("\n  ");
        message.push_str(&crate::domain::text::SafeLine::new(sitemap));
    }
    if let more @ 1.. = sitemaps.len().saturating_sub(MAX_NAMED_SITEMAPS) {
        message.push_str(&format!("\n  and {more} more"));
    }
    message
}

/// Returns a string that identifies a namespace: its URI, or the prefix if the file does not declare it.
fn namespace_key<'a>(space: &'a ResolveResult) -> &'a str {
    match space {
        ResolveResult::Bound(space) => space.0,
        ResolveResult::Unknown(prefix) => prefix,
        ResolveResult::Unbound => "",
    }
}

/// Converts byte offsets, given in ascending order, to line numbers.
struct LineCounter<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl LineCounter<'_> {
    /// Returns the number, from 1, of the line that contains the byte before offset `at`.
    fn line(&mut self, at: u64) -> u64 {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(self.text.len());
        if let Some(between) = self.text.as_bytes().get(self.at..at) {
            self.line += between.iter().filter(|byte| **byte == b'\n').count() as u64;
            self.at = at;
        }
        self.line
    }
}
