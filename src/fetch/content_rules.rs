//! Site rules about content, with their CSS selectors and patterns compiled.

use super::credentials;
use crate::domain::content::{ConverterVersion, Page};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::representation::Representation;
use crate::domain::site_rule::{Extract, SiteRule, SiteRules};
use crate::domain::text::SafeLine;
use dom_query::Matcher;
use regex::{Regex, RegexBuilder};
use std::fmt::Write as _;

/// Version of the conversion from page to text. Raise it with every change that gives any page another text: at their
/// next sync, the documents are then fetched again in full, without being reported as changed.
pub const CONVERTER_VERSION: u16 = 9;

/// Part of the converter version of texts that a server sent as Markdown. Its number has the role of
/// [`CONVERTER_VERSION`] for the changes that are made to such texts.
const MARKDOWN_VERSION: &str = "markdown 1\n";

/// Memory limit of a compiled pattern, in bytes.
const PATTERN_SIZE: usize = 1 << 20;

/// A compiled CSS selector list and its source text.
#[derive(Debug)]
pub(super) struct Selector {
    pub matcher: Matcher,
    pub source: String,
}

/// Compiled site rule: the part of a page that is content, and the differences to ignore.
#[derive(Debug, Default)]
pub(super) struct ContentRules {
    pub include: Vec<Selector>,
    pub exclude: Vec<Selector>,
    pub extract: Extract,
    ignore: Vec<Regex>,
    /// Text that identifies these rules, as a part of the converter's version; empty for default rules.
    identity: String,
}

impl ContentRules {
    /// Compiles a site rule. The error names the invalid selector or pattern and completes a sentence that begins with
    /// the setting's name.
    pub fn of(site: &SiteRule) -> Result<Self, String> {
        let selectors = |name: &str, all: &[String]| {
            let read = |source: &String| match Matcher::new(source) {
                Ok(matcher) => Ok(Selector { matcher, source: source.clone() }),
                Err(_) => Err(format!("({name}): \"{}\" is not a CSS selector", SafeLine::new(source))),
            };
            all.iter().map(read).collect::<Result<Vec<_>, _>>()
        };
        let pattern = |source: &String| {
            let read = RegexBuilder::new(source).size_limit(PATTERN_SIZE).build();
            read.map_err(|error| {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                format!("(ignore): \"{}\" is not a pattern: {why}", SafeLine::new(source))
            })
        };
        let mut identity = String::new();
        for (name, all) in [("include", &site.include), ("exclude", &site.exclude), ("ignore", &site.ignore)] {
            for one in all {
                let _ = writeln!(identity, "{name}={one}");
            }
        }
        if site.extract != Extract::default() {
            identity.push_str(site.extract.word());
        }
        Ok(Self {
            include: selectors("include", &site.include)?,
            exclude: selectors("exclude", &site.exclude)?,
            extract: site.extract,
            ignore: site.ignore.iter().map(pattern).collect::<Result<_, _>>()?,
            identity,
        })
    }

    /// Returns rules that take the whole body and leave everything else at its default.
    pub fn body() -> Self {
        Self { extract: Extract::Body, ..Self::default() }
    }

    /// Returns the converter version of texts that the fetcher with version `fetcher` gets under these rules from this
    /// representation of a page.
    pub fn converter(&self, fetcher: &str, representation: Representation) -> ConverterVersion {
        let kind = match representation {
            Representation::Html => "",
            Representation::Markdown => MARKDOWN_VERSION,
        };
        ConverterVersion::new(CONVERTER_VERSION, &format!("{kind}{fetcher}{}", self.identity))
    }

    /// Returns true if the template of the host may leave blocks out: not where an operator said what the content is.
    pub fn allow_template(&self) -> bool {
        self.include.is_empty() && self.extract == Extract::default()
    }

    /// Returns `text` without what the rules ignore.
    pub fn without_ignored(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for pattern in &self.ignore {
            text = pattern.replace_all(&text, "").into_owned();
        }
        text
    }

    /// Returns `page` with its fingerprint and converter version under these rules. `fetcher` is the version of the
    /// fetcher that fetched the page.
    pub fn mark(&self, page: Page, fetcher: &str) -> Page {
        let fingerprint = if self.ignore.is_empty() {
            page.fingerprint
        } else {
            Fingerprint::of(&self.without_ignored(&page.content))
        };
        let converter = Some(self.converter(fetcher, page.representation));
        Page { fingerprint, converter, ..page }
    }
}

/// Compiles the rules of all sites, in their order.
pub(super) fn read(sites: &SiteRules) -> Result<Vec<ContentRules>, String> {
    sites.0.iter().map(ContentRules::of).collect()
}

/// Checks the selectors, patterns and header names of a site rule. The error names the first invalid one and
/// completes a sentence that begins with the setting's name: `(include): "div >" is not a CSS selector`.
pub fn check_site(site: &SiteRule) -> Result<(), String> {
    ContentRules::of(site)?;
    credentials::check_names(site)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(content: &str) -> Page {
        Page::new(None, content.into(), 1, 200).expect("not blank")
    }

    #[test]
    fn ignored_text_is_stored_and_is_no_change() {
        let site =
            SiteRule { ignore: vec![r"Updated: \d{4}-\d\d-\d\d".into(), r"\d+ views".into()], ..SiteRule::default() };
        let rules = ContentRules::of(&site).expect("patterns");
        let mark = |content: &str| rules.mark(page(content), "");
        let (one, other) = (mark("a\n\nUpdated: 2026-01-02, 7 views"), mark("a\n\nUpdated: 2026-11-25, 812 views"));
        assert_eq!(one.fingerprint, other.fingerprint);
        assert!(other.content.contains("812 views"));
        assert_ne!(one.fingerprint, mark("b\n\nUpdated: 2026-01-02, 7 views").fingerprint);
    }

    #[test]
    fn other_rules_and_other_fetchers_are_other_converters() {
        let none = ContentRules::default();
        let some =
            ContentRules::of(&SiteRule { exclude: vec![".ad".into()], ..SiteRule::default() }).expect("selectors");
        let (html, markdown) = (Representation::Html, Representation::Markdown);
        let all = [
            none.converter("", html),
            none.converter("firecrawl\n", html),
            some.converter("", html),
            none.converter("", markdown),
        ];
        assert_eq!(all[0], ConverterVersion::new(CONVERTER_VERSION, ""));
        let distinct = |index: usize| all.iter().filter(|one| **one == all[index]).count() == 1;
        assert!((0..all.len()).all(distinct), "{all:?}");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let with = |site| ContentRules::of(&site).expect_err("it is wrong");
        let wrong = with(SiteRule { include: vec!["div >".into()], ..SiteRule::default() });
        assert_eq!(wrong, "(include): \"div >\" is not a CSS selector");
        let wrong = with(SiteRule { ignore: vec!["(a".into()], ..SiteRule::default() });
        assert!(wrong.starts_with("(ignore): \"(a\" is not a pattern: "), "{wrong}");
    }
}
