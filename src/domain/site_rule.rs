//! Rules for single hosts and documents (`fetch.sites`): the fetcher of their pages, the part of a page that counts as
//! content, and the differences to ignore.

use super::credential::{Credential, SecretValues};
use super::id::DocumentId;
use super::word_enum::word_enum;

word_enum! {
    /// Way of fetching a page. Messages list the fetchers in this order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum FetcherKind {
        Direct = "direct",
        /// Firecrawl's scrape API, which runs a page's scripts.
        Firecrawl = "firecrawl",
    }
}

word_enum! {
    /// Part of a page that counts as content before selectors remove elements. Messages list the parts in this order.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum Extract {
        /// The main content: `main`, else `[role=main]`, else the only `article`, else `body`, without navigation and
        /// the like; the whole body if that would lose more than half of the words.
        #[default]
        Main = "main",
        /// The whole body, including everything around the main content.
        Body = "body",
    }
}

word_enum! {
    /// Text of a page that is written. Messages list the texts in this order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum WrittenText {
        /// Text that Chatwoot's own sync would write, so that the two programs agree on what is stored.
        Chatwoot = "chatwoot",
        /// The main content, as the rule of the page's site says.
        Main = "main",
    }
}

word_enum! {
    /// Use of the Markdown that a server may offer for its pages. Messages list the uses in this order.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum MarkdownUse {
        /// Markdown is requested, and taken if it is not poorer than the HTML.
        #[default]
        Auto = "auto",
        /// Only HTML is requested.
        Never = "never",
    }
}

/// Rule for one document, or for the documents of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRule {
    /// Host that the rule applies to, with the port if it is not the scheme's default; `*.example.org` is every host
    /// below it.
    pub host: Option<String>,
    /// The only document that the rule applies to.
    pub document: Option<DocumentId>,
    /// Fetcher to use; `None` for the default of the settings.
    pub fetcher: Option<FetcherKind>,
    /// Fetcher to use if the first fetcher fails through its own fault, not the host's.
    pub fallback: Option<FetcherKind>,
    /// CSS selectors of the only elements that count as content; if empty, `extract` decides.
    pub include: Vec<String>,
    /// CSS selectors of elements that are removed.
    pub exclude: Vec<String>,
    /// Regular expressions of text whose change does not count: it is stored, but left out of the fingerprint.
    pub ignore: Vec<String>,
    pub extract: Extract,
    /// Headers and cookies that are sent with the requests for the pages.
    pub credentials: Vec<Credential>,
    pub markdown: MarkdownUse,
}

impl SiteRule {
    /// Returns why this process cannot send the rule's credentials, such as `the variable TOKEN is not set`; `None` if
    /// it has all values.
    pub fn problem(&self, secrets: &SecretValues) -> Option<String> {
        self.credentials.iter().find_map(|credential| secrets.problem(credential.source()))
    }

    /// Returns true if the pages are converted from HTML by selectors, patterns or a choice of the rule, so that no other
    /// representation of them can be used.
    pub fn needs_html(&self) -> bool {
        let has_rules = [&self.include, &self.exclude, &self.ignore].iter().any(|list| !list.is_empty());
        has_rules || self.extract != Extract::default() || self.markdown == MarkdownUse::Never
    }

    /// Returns true if the rule says what the content of its pages is. Then neither the template of the host nor
    /// Chatwoot's own text is used.
    pub fn names_content(&self) -> bool {
        !self.include.is_empty() || self.extract != Extract::default()
    }

    /// Returns the host or the document of the rule, for messages.
    pub fn subject(&self) -> String {
        match (&self.host, self.document) {
            (Some(host), _) => host.clone(),
            (None, Some(document)) => format!("document {document}"),
            (None, None) => "no document".to_owned(),
        }
    }

    /// Returns true if the rule names `host` or a pattern that includes it.
    fn matches_host(&self, host: &str) -> bool {
        match self.host.as_deref().map(|own| own.strip_prefix('*').ok_or(own)) {
            Some(Ok(suffix)) => host.len() > suffix.len() && host.ends_with(suffix),
            Some(Err(own)) => own == host,
            None => false,
        }
    }
}

/// All site rules, in the order of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteRules(pub Vec<SiteRule>);

impl SiteRules {
    /// Returns the rule for a document of `host`. A rule for the document precedes a rule for its host, and an exact
    /// host precedes a `*.` pattern. Among rules of the same rank, the first applies.
    pub fn of(&self, document: DocumentId, host: &str) -> Option<&SiteRule> {
        self.index(document, host).and_then(|index| self.0.get(index))
    }

    /// Returns the index of the rule that [`of`](Self::of) returns.
    pub fn index(&self, document: DocumentId, host: &str) -> Option<usize> {
        let own = self.0.iter().position(|rule| rule.document == Some(document));
        let exact = || self.0.iter().position(|rule| rule.host.as_deref() == Some(host));
        own.or_else(exact).or_else(|| self.0.iter().position(|rule| rule.matches_host(host)))
    }
}

impl SiteRules {
    /// Returns what a process with the values `secrets` must not fetch.
    pub fn unfetchable(&self, secrets: &SecretValues) -> Unfetchable {
        let is_able = |rule: &SiteRule| rule.problem(secrets).is_none();
        let named = |host: &str| !host.starts_with('*');
        let hosts = self.0.iter().filter_map(|rule| Some((rule.host.clone()?, is_able(rule))));
        let (mut hosts, patterns): (Vec<_>, Vec<_>) = hosts.partition(|(host, _)| named(host));
        hosts.extend(patterns);
        let last = hosts.iter().rposition(|(_, is_able)| !is_able);
        hosts.truncate(last.map_or(0, |last| last + 1));
        let own = self.0.iter().filter(|rule| !is_able(rule)).filter_map(|rule| rule.document);
        Unfetchable { hosts, documents: own.collect(), reasons: self.problems(secrets) }
    }

    /// Returns one line for each rule whose values are missing, such as `a.test: the variable TOKEN is not set`.
    fn problems(&self, secrets: &SecretValues) -> Vec<String> {
        let line = |rule: &SiteRule| Some(format!("{}: {}", rule.subject(), rule.problem(secrets)?));
        self.0.iter().filter_map(line).collect()
    }
}

/// Documents that a process must not fetch, because it lacks values that their site rules need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unfetchable {
    /// Hosts and `*.` patterns of site rules in the order in which they apply, each with true if the process may fetch
    /// from there. Empty if it may fetch from all hosts.
    pub hosts: Vec<(String, bool)>,
    /// Documents with a rule of their own. (Such a document with all its values still counts with its host.)
    pub documents: Vec<DocumentId>,
    /// Reasons for people, a line for each rule whose values are missing.
    pub reasons: Vec<String>,
}

impl Unfetchable {
    /// Returns true if the process may fetch everything.
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.documents.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_documents_own_rule_comes_first() {
        let by_host = SiteRule { host: Some("a.test".into()), ..SiteRule::default() };
        let own = SiteRule { document: Some(DocumentId(7)), fetcher: Some(FetcherKind::Direct), ..SiteRule::default() };
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
