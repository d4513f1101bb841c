//! Parses sitemaps (sitemaps.org, 0.9), indexes of sitemaps, RSS and Atom. Of an entry only the URL and the date are
//! read.
//!
//! Lenient where the meaning is plain (a bare `&`, a wrong or missing namespace, several sitemaps one after the other).
//! An entry that cannot be read is reported with its line. Where the file is not well-formed XML, everything before is
//! read, and nothing after. Entities that a document declares are never expanded.

use super::input::DecodedInput;
use super::{ListingEntry, OnEntry};
use crate::domain::listing::{ListedPage, ListingKind, parse_date};
use crate::domain::mask::shortened;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;
use std::io::Read;
use url::Url;

/// Maximum depth of nested elements that is read; sitemaps with images and videos are five deep.
const MAX_DEPTH: usize = 100;
/// Maximum number of attributes of an element that are read.
const MAX_ATTRIBUTES: usize = 50;

/// Parses a sitemap, an index or a feed. Relative URLs of feeds are joined with `base`.
///
/// # Errors
/// The file's encoding is unknown, or the file is something else: a page, not XML.
pub fn parse(file: impl Read, base: Option<&Url>, on_entry: &mut OnEntry<'_>) -> Result<ListingKind, String> {
    let mut input = NsReader::from_reader(DecodedInput::new(file)?);
    input.config_mut().allow_dangling_amp = true;
    input.config_mut().expand_empty_elements = true;
    let encoding = input.get_mut().encoding();
    let mut parser = Parser::new(encoding, base, on_entry);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        input.get_mut().begin_token();
        let began = input.get_mut().line();
        let (line, reason) = match input.read_event_into(&mut buffer) {
            Ok(Event::Eof) => return parser.end(input.get_mut().line()),
            Ok(event) => {
                let space = match &event {
                    Event::Start(tag) => namespace_key(&input.resolver().resolve_element(tag.name()).0).to_owned(),
                    _ => String::new(),
                };
                let line = input.get_mut().line();
                match parser.event(&space, &event, line) {
                    Ok(true) => continue,
                    Ok(false) => return parser.kind(),
                    Err(reason) => (line, reason),
                }
            }
            Err(quick_xml::Error::Io(error)) => (began, error.to_string()),
            Err(error) => (began, format!("is not well-formed XML: {}", shortened(&error.to_string()))),
        };
        return parser.stop(line, reason);
    }
}

/// The outermost element.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    UrlSet,
    SitemapIndex,
    Rss,
    Rdf,
    Atom,
}

impl Root {
    /// Returns the kind of file for the name of its outermost element. Fails for other names.
    fn of(name: &str) -> Result<Self, String> {
        match name {
            "urlset" => Ok(Self::UrlSet),
            "sitemapindex" => Ok(Self::SitemapIndex),
            "rss" => Ok(Self::Rss),
            "RDF" => Ok(Self::Rdf),
            "feed" => Ok(Self::Atom),
            _ if name.eq_ignore_ascii_case("html") => Err("is an HTML page, not a sitemap".to_owned()),
            _ => Err(format!("is not a sitemap: its outermost element is {}, not urlset", shortened(name))),
        }
    }

    const fn kind(self) -> ListingKind {
        match self {
            Self::UrlSet => ListingKind::Sitemap,
            Self::SitemapIndex => ListingKind::Index,
            Self::Rss | Self::Rdf | Self::Atom => ListingKind::Feed,
        }
    }

    /// Returns the element of an entry, and its depth.
    const fn entry(self) -> (&'static str, usize) {
        match self {
            Self::UrlSet => ("url", 2),
            Self::SitemapIndex => ("sitemap", 2),
            Self::Rss => ("item", 3),
            Self::Rdf => ("item", 2),
            Self::Atom => ("entry", 2),
        }
    }

    /// Returns the element that has the URL of an entry.
    const fn url(self) -> &'static str {
        match self {
            Self::UrlSet | Self::SitemapIndex => "loc",
            Self::Rss | Self::Rdf | Self::Atom => "link",
        }
    }

    /// Returns true for an element with the date of an entry.
    fn has_date(self, name: &str) -> bool {
        match self {
            Self::UrlSet | Self::SitemapIndex => name == "lastmod",
            Self::Rss => name == "pubDate",
            Self::Rdf => name == "date",
            Self::Atom => matches!(name, "updated" | "published"),
        }
    }
}

/// The element of an entry that is open.
#[derive(Default)]
struct Entry {
    line: u64,
    url: Option<Value>,
    date: Option<String>,
}

/// A text that is being read.
#[derive(Default)]
struct Value {
    line: u64,
    text: String,
    error: Option<String>,
}

enum Field {
    Url(Value),
    Date(Value),
}

struct Parser<'p, 'e> {
    encoding: &'static str,
    base: Option<&'p Url>,
    on_entry: &'p mut OnEntry<'e>,
    depth: usize,
    root: Option<Root>,
    /// Namespace of the outermost element, so that `image:loc` is not read as a page's `loc`.
    namespace: String,
    entries: u64,
    entry: Option<Entry>,
    field: Option<Field>,
}

impl<'p, 'e> Parser<'p, 'e> {
    fn new(encoding: &'static str, base: Option<&'p Url>, on_entry: &'p mut OnEntry<'e>) -> Self {
        let (namespace, entries) = (String::new(), 0);
        Self { encoding, base, on_entry, depth: 0, root: None, namespace, entries, entry: None, field: None }
    }

    /// Handles an event that ends in `line`. `space` is the namespace of a start tag. Returns false if nothing more is
    /// wanted; an error ends the parsing.
    fn event(&mut self, space: &str, event: &Event, line: u64) -> Result<bool, String> {
        match event {
            Event::Start(tag) => self.start_element(tag, space, line)?,
            Event::End(_) => return Ok(self.end_element()),
            Event::Text(text) => self.append_text(text),
            Event::CData(text) => self.append_text(text),
            Event::GeneralRef(name) => self.append_entity(name),
            _ => {}
        }
        Ok(true)
    }

    fn start_element(&mut self, tag: &BytesStart, space: &str, line: u64) -> Result<(), String> {
        let name = tag.local_name().into_inner();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("has elements nested more than {MAX_DEPTH} deep"));
        }
        if self.depth == 1 {
            self.root = Some(Root::of(name)?);
            space.clone_into(&mut self.namespace);
            return Ok(());
        }
        // RSS 1.0 has its outermost element from RDF, and the others not.
        let Some(root) = self.root.filter(|root| *root == Root::Rdf || self.namespace == space) else {
            return Ok(());
        };
        let (entry, depth) = root.entry();
        if self.depth == depth && name == entry {
            self.entries += 1;
            self.entry = Some(Entry { line, ..Entry::default() });
        } else if self.depth == depth + 1 && self.entry.is_some() {
            self.start_field(root, name, tag, line);
        }
        Ok(())
    }

    fn start_field(&mut self, root: Root, name: &str, tag: &BytesStart, line: u64) {
        let value = Value { line, ..Value::default() };
        if root.has_date(name) {
            self.field = Some(Field::Date(value));
        } else if name == root.url() {
            if root != Root::Atom {
                self.field = Some(Field::Url(value));
                return;
            }
            // A link of Atom has its URL in an attribute. Others than that of the page say so.
            let is_page = attribute(tag, "rel").is_none_or(|rel| rel == "alternate");
            if let (true, Some(text), Some(entry)) = (is_page, attribute(tag, "href"), self.entry.as_mut()) {
                entry.url.get_or_insert(Value { line, text, error: None });
            }
        }
    }

    /// Returns false if nothing more is wanted.
    fn end_element(&mut self) -> bool {
        let entry_depth = self.root.map_or(usize::MAX, |root| root.entry().1);
        let mut wanted = true;
        if self.depth == entry_depth {
            wanted = self.finish_entry();
        } else if self.depth == entry_depth.saturating_add(1) {
            wanted = self.finish_field();
        }
        self.depth = self.depth.saturating_sub(1);
        wanted
    }

    fn finish_field(&mut self) -> bool {
        match (self.field.take(), self.entry.as_mut()) {
            (Some(Field::Date(value)), Some(entry)) => {
                entry.date.get_or_insert(value.text);
                true
            }
            (Some(Field::Url(value)), Some(entry)) => match entry.url.replace(value) {
                Some(earlier) => self.finish_url(earlier, None),
                None => true,
            },
            _ => true,
        }
    }

    fn finish_entry(&mut self) -> bool {
        let Some(entry) = self.entry.take() else { return true };
        if let Some(url) = entry.url {
            return self.finish_url(url, entry.date.as_deref());
        }
        let url = self.root.map_or("loc", Root::url);
        // Many sitemaps consist of a single line, so the line number alone does not identify the entry.
        let reason = format!("entry {} has no {url}", self.entries);
        (self.on_entry)(ListingEntry::Unreadable { line: entry.line, reason })
    }

    fn finish_url(&mut self, value: Value, date: Option<&str>) -> bool {
        let Value { line, text, error } = value;
        let text = text.trim();
        if self.root == Some(Root::SitemapIndex) {
            return (self.on_entry)(ListingEntry::Sitemap(text.to_owned()));
        }
        let wrong = error.or_else(|| {
            let reason = || format!("{}: is not {} text", shortened(text), self.encoding);
            text.contains(char::REPLACEMENT_CHARACTER).then(reason)
        });
        let url = self.root.map_or("loc", Root::url);
        let reason = match wrong {
            Some(reason) => reason,
            None if text.is_empty() => format!("entry {} has an empty {url}", self.entries),
            None => {
                let joined = self.base.filter(|_| self.root.is_some_and(|root| root.kind() == ListingKind::Feed));
                let url = joined.and_then(|base| base.join(text).ok()).map_or_else(|| text.to_owned(), String::from);
                let page = ListedPage { url, modified: date.and_then(parse_date) };
                return (self.on_entry)(ListingEntry::Page { page, line });
            }
        };
        (self.on_entry)(ListingEntry::Unreadable { line, reason })
    }

    /// Returns the field whose text stands at this depth.
    fn open_field(&mut self) -> Option<&mut Value> {
        let depth = self.root?.entry().1 + 1;
        let is_open = self.depth == depth;
        match self.field.as_mut().filter(|_| is_open)? {
            Field::Url(value) | Field::Date(value) => Some(value),
        }
    }

    fn append_text(&mut self, text: &str) {
        if let Some(value) = self.open_field() {
            value.text.push_str(text);
        }
    }

    fn append_entity(&mut self, name: &BytesRef) {
        let Some(value) = self.open_field() else { return };
        let known = match name.resolve_char_ref() {
            Ok(Some(c)) => Some(c.to_string()),
            Ok(None) => resolve_xml_entity(name).map(str::to_owned),
            Err(_) => None,
        };
        match known {
            Some(text) => value.text.push_str(&text),
            None => {
                let name = shortened(name);
                value.text.push_str(&format!("&{name};"));
                value.error.get_or_insert_with(|| format!("&{name}; is an unknown entity"));
            }
        }
    }

    fn kind(&self) -> Result<ListingKind, String> {
        self.root.map(Root::kind).ok_or_else(|| "is not a sitemap: it has no elements".to_owned())
    }

    /// Ends the parsing in `line`: the file cannot be read from there on, for `reason`.
    fn stop(mut self, line: u64, reason: String) -> Result<ListingKind, String> {
        if self.root.is_none() {
            return Err(reason);
        }
        self.cut(line, format!("{reason}; the rest was not read"));
        self.kind()
    }

    fn end(mut self, line: u64) -> Result<ListingKind, String> {
        let kind = self.kind()?;
        if self.depth > 0 {
            self.cut(line, format!("the {} is cut off here", kind.word()));
        }
        Ok(kind)
    }

    /// Reports the end, after the entry that is open if its URL is complete.
    fn cut(&mut self, line: u64, reason: String) {
        if let Some(url) = self.entry.take().and_then(|entry| entry.url) {
            self.finish_url(url, None);
        }
        (self.on_entry)(ListingEntry::Cut { line, reason });
    }
}

/// Returns the value of an attribute without a prefix; `None` if it is missing or not well-formed.
fn attribute(tag: &BytesStart, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    let found = attributes.with_checks(false).flatten().take(MAX_ATTRIBUTES);
    let found = found.into_iter().find(|attribute| attribute.key.into_inner() == name)?;
    quick_xml::escape::unescape(&found.value).ok().map(|value| value.into_owned())
}

/// Returns a string that identifies a namespace: its URI, or the prefix if the file does not declare it.
fn namespace_key<'a>(space: &'a ResolveResult) -> &'a str {
    match space {
        ResolveResult::Bound(space) => space.0,
        ResolveResult::Unknown(prefix) => prefix,
        ResolveResult::Unbound => "",
    }
}
