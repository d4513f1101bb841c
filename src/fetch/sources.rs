//! What sources say of the content of their pages, made ready: CSS selectors and patterns are read once.

use crate::domain::content::{Converter, Page};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::source::{Extract, FetchedBy, Source, Sources};
use crate::domain::text::SafeLine;
use dom_query::Matcher;
use regex::{Regex, RegexBuilder};
use std::fmt::Write as _;

/// The version of what turns pages into text. It grows with every change that gives some page another text: the
/// documents are then re-read quietly instead of all of them being told as changed.
pub const CONVERTER: u16 = 3;

/// Bytes that one pattern may take when it is compiled.
const PATTERN_SIZE: usize = 1 << 20;

/// One CSS selector list with its own words.
#[derive(Debug)]
pub(super) struct Selector {
    pub matcher: Matcher,
    pub words: String,
}

/// What is said of the content of one source's pages.
#[derive(Debug, Default)]
pub(super) struct Rules {
    pub include: Vec<Selector>,
    pub exclude: Vec<Selector>,
    pub extract: Extract,
    ignore: Vec<Regex>,
    /// What tells these rules from others; empty when they say nothing.
    words: String,
}

impl Rules {
    /// Reads them; the error names the selector or pattern.
    fn of(source: &Source) -> Result<Self, String> {
        let selectors = |name: &str, all: &[String]| {
            let read = |words: &String| match Matcher::new(words) {
                Ok(matcher) => Ok(Selector { matcher, words: words.clone() }),
                Err(_) => Err(format!("fetch.sources ({name}): \"{}\" is not a CSS selector", SafeLine::new(words))),
            };
            all.iter().map(read).collect::<Result<Vec<_>, _>>()
        };
        let pattern = |words: &String| {
            let read = RegexBuilder::new(words).size_limit(PATTERN_SIZE).build();
            read.map_err(|error| {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("fetch.sources (ignore): \"{}\" is not a pattern: {why}", SafeLine::new(words))
            })
        };
        let mut words = String::new();
        for (name, all) in [("include", &source.include), ("exclude", &source.exclude), ("ignore", &source.ignore)] {
            for one in all {
                let _ = writeln!(words, "{name}={one}");
            }
        }
        if source.extract != Extract::default() {
            words.push_str(source.extract.word());
        }
        Ok(Self {
            include: selectors("include", &source.include)?,
            exclude: selectors("exclude", &source.exclude)?,
            extract: source.extract,
            ignore: source.ignore.iter().map(pattern).collect::<Result<_, _>>()?,
            words,
        })
    }

    /// The whole body, nothing else said.
    pub fn body() -> Self {
        Self { extract: Extract::Body, ..Self::default() }
    }

    /// Which converter, under these rules, makes a text.
    pub fn converter(&self, by: FetchedBy) -> Converter {
        match by {
            FetchedBy::Direct => Converter::new(CONVERTER, &self.words),
            FetchedBy::Firecrawl => Converter::new(CONVERTER, &format!("firecrawl\n{}", self.words)),
        }
    }

    /// `page` with the fingerprint and the converter that these rules give it.
    pub fn mark(&self, page: Page, by: FetchedBy) -> Page {
        let fingerprint = if self.ignore.is_empty() {
            page.fingerprint
        } else {
            let mut text = page.content.clone();
            for pattern in &self.ignore {
                text = pattern.replace_all(&text, "").into_owned();
            }
            Fingerprint::of(&text)
        };
        Page { fingerprint, converter: Some(self.converter(by)), ..page }
    }
}

/// Reads the rules of all sources, in their order.
pub(super) fn read(sources: &Sources) -> Result<Vec<Rules>, String> {
    sources.0.iter().map(Rules::of).collect()
}

/// What is wrong with the first selector or pattern that cannot be read.
pub fn check_sources(sources: &Sources) -> Result<(), String> {
    read(sources).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(content: &str) -> Page {
        Page::new(None, content.into(), 1, 200).expect("not blank")
    }

    #[test]
    fn ignored_text_is_stored_and_is_no_change() {
        let source =
            Source { ignore: vec![r"Updated: \d{4}-\d\d-\d\d".into(), r"\d+ views".into()], ..Source::default() };
        let rules = Rules::of(&source).expect("patterns");
        let mark = |content: &str| rules.mark(page(content), FetchedBy::Direct);
        let (one, other) = (mark("a\n\nUpdated: 2026-01-02, 7 views"), mark("a\n\nUpdated: 2026-11-25, 812 views"));
        assert_eq!(one.fingerprint, other.fingerprint);
        assert!(other.content.contains("812 views"));
        assert_ne!(one.fingerprint, mark("b\n\nUpdated: 2026-01-02, 7 views").fingerprint);
    }

    #[test]
    fn other_rules_and_other_ways_are_other_converters() {
        let none = Rules::default();
        let some = Rules::of(&Source { exclude: vec![".ad".into()], ..Source::default() }).expect("selectors");
        let all = [
            none.converter(FetchedBy::Direct),
            none.converter(FetchedBy::Firecrawl),
            some.converter(FetchedBy::Direct),
        ];
        assert_eq!(all[0], Converter::new(CONVERTER, ""));
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let with = |source| Rules::of(&source).expect_err("it is wrong");
        let wrong = with(Source { include: vec!["div >".into()], ..Source::default() });
        assert_eq!(wrong, "fetch.sources (include): \"div >\" is not a CSS selector");
        let wrong = with(Source { ignore: vec!["(a".into()], ..Source::default() });
        assert!(wrong.starts_with("fetch.sources (ignore): \"(a\" is not a pattern: "), "{wrong}");
    }
}
