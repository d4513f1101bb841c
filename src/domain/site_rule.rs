//! Rules for single hosts and documents (`fetch.sites`): which fetcher gets their pages, and which part of a page counts.

use super::id::DocumentId;
use super::word_enum::word_enum;

word_enum! {
    /// By what a page is fetched. The order is that in which messages list them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum FetchedBy {
        /// This program itself.
        Direct = "direct",
        /// Firecrawl's scrape API, which runs a page's scripts.
        Firecrawl = "firecrawl",
    }
}

word_enum! {
    /// Part of a page that is looked at before selectors leave things out. The order is that in which messages list them.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum Extract {
        /// The main content: `main`, else `[role=main]`, else the only `article`, else `body`.
        #[default]
        Main = "main",
        /// The whole body, with everything that stands around the content.
        Body = "body",
    }
}

/// A rule for one document, or for a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRule {
    /// The documents of this host, with a port when it is not the scheme's own; `*.example.org` is every host under it.
    pub host: Option<String>,
    /// This document alone.
    pub document: Option<DocumentId>,
    /// By what they are fetched; `None` as everything is.
    pub fetcher: Option<FetchedBy>,
    /// By what else, when that fails in a way that is its own.
    pub fallback: Option<FetchedBy>,
    /// CSS selectors of what alone is the content; none is what `extract` says.
    pub include: Vec<String>,
    /// CSS selectors of what is left out.
    pub exclude: Vec<String>,
    /// Regular expressions of text that is no change: stored, and left out of the fingerprint.
    pub ignore: Vec<String>,
    /// Which part of the page is looked at.
    pub extract: Extract,
}

impl SiteRule {
    /// Whether it holds for `host`.
    fn is_of(&self, host: &str) -> bool {
        match self.host.as_deref().map(|own| own.strip_prefix('*').ok_or(own)) {
            Some(Ok(suffix)) => host.len() > suffix.len() && host.ends_with(suffix),
            Some(Err(own)) => own == host,
            None => false,
        }
    }
}

/// All rules, in the order of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRules(pub Vec<SiteRule>);

impl SiteRules {
    /// Returns the one rule for a document of `host`: its own before its host's, a host's own before `*.`; of several the
    /// first.
    pub fn of(&self, document: DocumentId, host: &str) -> Option<&SiteRule> {
        self.index(document, host).and_then(|index| self.0.get(index))
    }

    /// Returns the index of that rule.
    pub fn index(&self, document: DocumentId, host: &str) -> Option<usize> {
        let own = self.0.iter().position(|rule| rule.document == Some(document));
        let exact = || self.0.iter().position(|rule| rule.host.as_deref() == Some(host));
        own.or_else(exact).or_else(|| self.0.iter().position(|rule| rule.is_of(host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_documents_own_rule_comes_first() {
        let by_host = SiteRule { host: Some("a.test".into()), ..SiteRule::default() };
        let own = SiteRule { document: Some(DocumentId(7)), fetcher: Some(FetchedBy::Direct), ..SiteRule::default() };
        let rules = SiteRules(vec![by_host.clone(), own.clone()]);
        assert_eq!(rules.of(DocumentId(7), "a.test"), Some(&own));
        assert_eq!(rules.of(DocumentId(8), "a.test"), Some(&by_host));
        assert_eq!(rules.of(DocumentId(8), "b.test"), None);
    }

    #[test]
    fn a_star_is_every_host_under_it_and_comes_last() {
        let under = SiteRule { host: Some("*.a.test".into()), ..SiteRule::default() };
        let exact = SiteRule { host: Some("x.a.test".into()), ..SiteRule::default() };
        let rules = SiteRules(vec![under.clone(), exact.clone()]);
        let of = |host| rules.of(DocumentId(1), host);
        assert_eq!((of("x.a.test"), of("y.z.a.test")), (Some(&exact), Some(&under)));
        assert_eq!((of("a.test"), of("ba.test"), of(".a.test")), (None, None, None));
    }
}
