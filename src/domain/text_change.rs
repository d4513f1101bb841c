//! Changes of texts, as consumers outside the store follow them (assets/docs/json.md, "changes").

use super::cursor::TextPosition;
use super::id::{AccountId, AssistantId, DocumentId, Seq};
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};

word_enum! {
    /// Change of a document's text since the position from which a consumer reads.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum TextChangeKind {
        /// The document's first text is newer than the position.
        New = "new",
        /// The text was replaced by another one.
        Changed = "changed",
        /// The document was removed.
        Gone = "gone",
    }
}
serde_by_word!(TextChangeKind);

/// Document that a text belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextOwner {
    pub document_id: DocumentId,
    pub account_id: AccountId,
    pub assistant_id: AssistantId,
    /// Title of the page, or the URL if it has none.
    pub name: SafeLine,
    pub url: SafeLine,
}

/// Facts about a stored text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextHead {
    pub owner: TextOwner,
    /// Number of times that this program has written a text for the document.
    pub version: u64,
    /// Fingerprint of the page's text; `None` if none is stored.
    pub fingerprint: Option<SafeLine>,
    /// Length in characters; `None` if unknown.
    pub chars: Option<u64>,
    /// Number of the outcome that wrote the first text; `None` if no outcome has.
    pub first: Option<Seq>,
    /// Time at which the document was added, UTC.
    pub added_at: Option<Timestamp>,
    /// Time at which an outcome last reported a new or changed text, UTC.
    pub changed_at: Option<Timestamp>,
}

/// The last change of a document's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextChange {
    /// Position of the change: whoever has it has everything up to it.
    pub position: TextPosition,
    /// Time of the change, UTC; of a text that no outcome has recorded, the time at which the document was added.
    pub at: Option<Timestamp>,
    pub owner: TextOwner,
    /// The text that is stored now; `None` if the document is gone.
    pub text: Option<TextHead>,
}

impl TextChange {
    /// Returns what has become of the text since the position `since`.
    pub fn kind(&self, since: TextPosition) -> TextChangeKind {
        match &self.text {
            None => TextChangeKind::Gone,
            // Whoever has nothing yet has no earlier text, either.
            Some(_) if since.seq == 0 => TextChangeKind::New,
            Some(text) if text.first.is_some_and(|first| first.0 > since.seq) => TextChangeKind::New,
            Some(_) => TextChangeKind::Changed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_to_whoever_has_no_earlier_one() {
        let owner = TextOwner {
            document_id: DocumentId(1),
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
            name: "a".into(),
            url: "https://a.test/".into(),
        };
        let text = |first: i64| TextHead {
            owner: owner.clone(),
            version: 2,
            fingerprint: None,
            chars: None,
            first: Some(Seq(first)),
            added_at: None,
            changed_at: None,
        };
        let change = |text| TextChange { position: TextPosition::after(Seq(9)), at: None, owner: owner.clone(), text };
        let kind = |first, since| change(Some(text(first))).kind(TextPosition::after(Seq(since)));
        assert_eq!(
            (kind(5, 0), kind(5, 4), kind(5, 5)),
            (TextChangeKind::New, TextChangeKind::New, TextChangeKind::Changed)
        );
        assert_eq!(change(None).kind(TextPosition::default()), TextChangeKind::Gone);
    }
}
