//! FAQs that Chatwoot generates from a document: their number and age, the state that follows from them, and the job that
//! rebuilds them.

use super::id::DocumentId;
use super::request::SkipReason;
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};

/// Reason why a store of our own has no FAQs.
pub const NEEDS_CHATWOOT: &str = "FAQs need a database of Chatwoot, and this store is not one";

word_enum! {
    /// State of a document's FAQs. The order is that of the numbers which the store keeps.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum FaqState {
        /// There is no FAQ.
        None = "none",
        /// This program has stored the text after the newest FAQ was made.
        Stale = "stale",
        /// The newest FAQ was made after this program stored the text.
        Ok = "ok",
        /// There are FAQs, and the text is another program's, so its age is not known.
        Unknown = "unknown",
    }
}
serde_by_word!(FaqState);

impl FaqState {
    /// Returns the state of `faqs` FAQs, the newest from `newest_at`. `text_at` is the time at which this program stored
    /// the document's text; `None` if the stored text is not from this program. The store's SQL derives the same state.
    pub fn of(faqs: u64, newest_at: Option<Timestamp>, text_at: Option<Timestamp>) -> Self {
        match (faqs, newest_at, text_at) {
            (0, ..) => Self::None,
            (_, Some(newest), Some(text)) if newest < text => Self::Stale,
            (_, Some(_), Some(_)) => Self::Ok,
            _ => Self::Unknown,
        }
    }

    /// Returns the number that the store keeps.
    pub const fn code(self) -> i64 {
        self as i64
    }
}

/// FAQs of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaqCoverage {
    pub state: FaqState,
    pub faqs: u64,
    /// FAQs among `faqs` that nobody has approved yet.
    pub pending: u64,
    /// FAQs among `faqs` that people have edited; `None` if this version of Chatwoot does not note edits.
    pub edited: Option<u64>,
    /// Time of the newest FAQ, UTC.
    pub newest_at: Option<Timestamp>,
    /// Time at which this program stored the document's text, UTC; `None` if the stored text is another program's.
    pub text_at: Option<Timestamp>,
    pub job: Option<FaqJob>,
}

/// Chatwoot's job that rebuilds the FAQs of a document, as far as this program has started it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaqJob {
    /// The job is noted, and not yet in Sidekiq's queue.
    Waiting {
        /// Time at which it was noted, UTC.
        since: Timestamp,
        /// Reason why the last delivery failed.
        reason: Option<SafeLine>,
    },
    /// Somebody asked for the job at this time, UTC, and it was put into Sidekiq's queue.
    Started { at: Timestamp },
}

/// Answers that a rebuild of FAQs concerns, for a preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaqPreview {
    /// Answers of the documents.
    pub answers: u64,
    /// Answers among `answers` that people have edited, which Chatwoot's job leaves alone; `None` if this version of
    /// Chatwoot does not note edits, and its job removes all answers.
    pub edited: Option<u64>,
    /// Number of documents with edited answers.
    pub edited_documents: u64,
    /// The first of these documents.
    pub named: Vec<EditedAnswers>,
    /// Documents that were named one by one and get no job, in order, with the reasons.
    pub refused: Vec<(DocumentId, SkipReason)>,
}

/// Answers of one document that people have edited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditedAnswers {
    pub document: DocumentId,
    pub name: SafeLine,
    pub answers: u64,
    /// The first of their questions.
    pub questions: Vec<SafeLine>,
}

/// Figures of the FAQ jobs that are not yet in Sidekiq's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaqBacklog {
    pub jobs: u64,
    /// Time at which the oldest was noted, UTC.
    pub oldest_at: Timestamp,
    /// Reason why the last delivery failed.
    pub reason: Option<SafeLine>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_follows_from_the_number_and_the_ages() {
        let at = |micros| Some(Timestamp::from_micros(micros));
        for (faqs, newest, text, expected) in [
            (0, None, None, FaqState::None),
            (0, None, at(5), FaqState::None),
            (3, at(4), at(5), FaqState::Stale),
            (3, at(5), at(5), FaqState::Ok),
            (3, at(6), at(5), FaqState::Ok),
            (3, at(6), None, FaqState::Unknown),
            (3, None, at(5), FaqState::Unknown),
        ] {
            assert_eq!(FaqState::of(faqs, newest, text), expected, "{faqs} {newest:?} {text:?}");
        }
        assert_eq!(FaqState::ALL.map(FaqState::code), [0, 1, 2, 3]);
    }
}
