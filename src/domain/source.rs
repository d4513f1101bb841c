//! What is said of single hosts and documents: by what they are fetched.

use super::id::DocumentId;

/// By what a page is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FetchedBy {
    /// This program itself.
    Direct,
    /// Firecrawl's scrape API, which runs a page's scripts.
    Firecrawl,
}

impl FetchedBy {
    /// The word in the settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Firecrawl => "firecrawl",
        }
    }

    /// Reads the settings' word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Direct, Self::Firecrawl].into_iter().find(|by| by.word() == word)
    }
}

/// A rule for one document, or for a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The documents of this host; with a port when it is not the scheme's own.
    pub host: Option<String>,
    /// This document alone.
    pub document: Option<DocumentId>,
    /// By what they are fetched; `None` as everything is.
    pub fetcher: Option<FetchedBy>,
    /// By what else, when that fails in a way that is its own.
    pub fallback: Option<FetchedBy>,
}

/// All rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(pub Vec<Source>);

impl Sources {
    /// The rule for a document of `host`: its own before its host's; of several the first.
    pub fn of(&self, document: DocumentId, host: &str) -> Option<&Source> {
        let own = self.0.iter().find(|source| source.document == Some(document));
        own.or_else(|| self.0.iter().find(|source| source.host.as_deref() == Some(host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_documents_own_rule_comes_first() {
        let by_host = Source { host: Some("a.test".into()), ..Source::default() };
        let own = Source { document: Some(DocumentId(7)), fetcher: Some(FetchedBy::Direct), ..Source::default() };
        let sources = Sources(vec![by_host.clone(), own.clone()]);
        assert_eq!(sources.of(DocumentId(7), "a.test"), Some(&own));
        assert_eq!(sources.of(DocumentId(8), "a.test"), Some(&by_host));
        assert_eq!(sources.of(DocumentId(8), "b.test"), None);
    }
}
