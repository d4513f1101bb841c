//! Proposals: what a source shows about documents, for a person to accept or refuse.

use crate::domain::id::{AccountId, DocumentId, ProposalId, SourceId};
use crate::domain::suggest::nearest;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::{serde_by_word, word_enum};

word_enum! {
    /// Subject of a proposal.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum ProposalKind {
        /// The source has a page that is no document; accepted, it becomes one.
        New = "new",
        /// The source no longer has the page of a document; accepted, the document is removed.
        Gone = "gone",
        /// The page of a document redirects to another page of the source, or names it as its canonical one; accepted, that
        /// one takes its place.
        Moved = "moved",
        /// A document has the text of another one; accepted, it is removed.
        Duplicate = "duplicate",
    }
}
serde_by_word!(ProposalKind);

impl ProposalKind {
    /// Returns true if accepting removes a document, which a database of Chatwoot forbids.
    pub const fn removes(self) -> bool {
        !matches!(self, Self::New)
    }
}

word_enum! {
    /// State of a proposal.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ProposalState {
        Open = "open",
        Accepted = "accepted",
        /// It never comes back.
        Refused = "refused",
    }
}
serde_by_word!(ProposalState);

word_enum! {
    /// A person's decision about a proposal.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum ProposalDecision {
        Accept = "accept",
        Refuse = "refuse",
    }
}

impl ProposalDecision {
    /// Returns the verb in the past tense, for messages.
    pub const fn past_tense(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Refuse => "refused",
        }
    }
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub id: ProposalId,
    pub source: SourceId,
    pub source_name: SafeLine,
    pub account: AccountId,
    pub kind: ProposalKind,
    /// URL of the page: for a new one its own, else that of the document.
    pub url: String,
    /// URL of the page that takes its place, or of the document with the same text.
    pub target: Option<String>,
    /// Document that is gone, has moved or is a duplicate.
    pub document: Option<DocumentId>,
    pub reason: SafeLine,
    pub created_at: Timestamp,
    pub state: ProposalState,
    pub decided_at: Option<Timestamp>,
    pub decided_by: Option<SafeLine>,
}

/// Filter of proposals: `kind:new,gone`, `source:NAME`, and words that the URL must contain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProposalFilter {
    /// Kinds; if empty, all.
    pub kinds: Vec<ProposalKind>,
    /// Names of sources; if empty, all.
    pub sources: Vec<String>,
    /// Texts that the URL or the target must contain, in lower case.
    pub words: Vec<String>,
}

impl ProposalFilter {
    /// Parses a filter; the error is for the person who typed it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for term in text.split_whitespace() {
            match term.split_once(':') {
                Some(("kind", kinds)) => {
                    for word in kinds.split(',') {
                        let kind = ProposalKind::parse(word).ok_or_else(|| unknown_kind(word))?;
                        filter.kinds.push(kind);
                    }
                }
                Some(("source", names)) => filter.sources.extend(names.split(',').map(str::to_owned)),
                Some((field, rest)) if !rest.starts_with("//") && field.chars().all(|c| c.is_ascii_lowercase()) => {
                    let field = SafeLine::new(field);
                    return Err(format!(
                        "unknown field {field}: proposals have kind: and source:, and words of the URL"
                    ));
                }
                _ => filter.words.push(term.to_lowercase()),
            }
        }
        Ok(filter)
    }

    /// Returns true if the filter selects a proposal.
    pub fn matches(&self, proposal: &Proposal) -> bool {
        let has = |word: &String| {
            let contains = |url: &str| url.to_lowercase().contains(word.as_str());
            contains(&proposal.url) || proposal.target.as_deref().is_some_and(contains)
        };
        (self.kinds.is_empty() || self.kinds.contains(&proposal.kind))
            && (self.sources.is_empty() || self.sources.iter().any(|name| *name == proposal.source_name.as_str()))
            && self.words.iter().all(has)
    }
}

fn unknown_kind(word: &str) -> String {
    let known = ProposalKind::ALL.map(ProposalKind::word);
    let hint = match nearest(word, known) {
        Some(suggestion) => format!("did you mean {suggestion}?"),
        None => format!("known: {}", known.join(", ")),
    };
    format!("there is no kind \"{}\" of proposals ({hint})", SafeLine::new(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_selects_by_kind_source_and_url() {
        let proposal = Proposal {
            id: ProposalId(1),
            source: SourceId(1),
            source_name: "docs".into(),
            account: AccountId(1),
            kind: ProposalKind::Moved,
            url: "https://a.test/Old".into(),
            target: Some("https://a.test/new".into()),
            document: None,
            reason: "".into(),
            created_at: Timestamp::from_micros(0),
            state: ProposalState::Open,
            decided_at: None,
            decided_by: None,
        };
        for (text, expected) in [
            ("", true),
            ("kind:moved", true),
            ("kind:new,moved source:docs", true),
            ("kind:new", false),
            ("source:other", false),
            ("/old", true),
            ("/NEW a.test", true),
            ("https://a.test/old", true),
            ("/other", false),
        ] {
            let filter = ProposalFilter::parse(text).expect("a filter");
            assert_eq!(filter.matches(&proposal), expected, "{text}");
        }
        assert!(ProposalFilter::parse("kind:nwe").is_err_and(|error| error.contains("did you mean new?")));
        assert!(ProposalFilter::parse("status:failed").is_err());
    }
}
