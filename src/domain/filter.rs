//! Filter language, the same in the console and on the command line (assets/docs/filters.md). This module parses,
//! prints and evaluates filters; the store turns the same terms into SQL.

mod complete;
mod evaluate;
mod field;
mod parse;
mod print;
mod span;
#[cfg(test)]
mod tests;

pub use complete::completions;
pub use field::Subject;
pub use span::parse_span;
pub(super) use span::print_span;

use super::content::ContentChange;
use super::document::{DocumentKind, Status};
use super::failure::ErrorCode;
use super::failure_cause::FailureCause;
use super::faq::FaqState;
use super::id::DocumentId;
use super::job::QueueClass;
use super::outcome::OutcomeResult;
use std::time::Duration;
use thiserror::Error;

/// Error for a text that is not a valid filter, with the position of the mistake.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("filter, at byte {}: {message}", at + 1)]
pub struct FilterError {
    /// Byte offset of the mistake, from 0: on a character boundary, at most the text's length. The printed error counts
    /// from 1.
    pub at: usize,
    /// Cause of the error, and the correct form if there is one.
    pub message: String,
}

/// Length of the longest filter that is repeated in an error, in bytes.
const MAX_MARKED: usize = 4_096;

impl FilterError {
    /// Returns `text` with a mark under the mistake, in two lines for a terminal; `text` must be the text that was
    /// parsed.
    pub fn marked(&self, text: &str) -> String {
        if text.len() > MAX_MARKED {
            return "the filter is too long to be shown here".to_owned();
        }
        let line = super::text::SafeLine::new(text);
        let before = super::text::SafeLine::new(text.get(..self.at).unwrap_or(text));
        // The safe form trims white space before the mark, but the line above has one cell for it.
        let gap = text
            .get(..self.at)
            .is_some_and(|before| before.ends_with(char::is_whitespace) && !before.trim().is_empty());
        format!("{line}\n{}^", " ".repeat(super::text::width(&before) + usize::from(gap)))
    }
}

/// Terms that must all match; a filter without terms matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    pub terms: Vec<Term>,
}

impl Filter {
    /// Returns true if documents may begin or cease to match although nothing changes but the time. Statuses are left
    /// out: the store knows when the next of them changes.
    pub fn depends_on_time(&self) -> bool {
        self.terms.iter().any(|term| match term.condition {
            FilterCondition::Attempted(_)
            | FilterCondition::Synced(_)
            | FilterCondition::Changed(_)
            | FilterCondition::Next(_) => true,
            FilterCondition::Word(_)
            | FilterCondition::Status(_)
            | FilterCondition::Kind(_)
            | FilterCondition::Faq(_)
            | FilterCondition::Error(_)
            | FilterCondition::Http(_)
            | FilterCondition::Cause(_)
            | FilterCondition::Host(_)
            | FilterCondition::Id(_)
            | FilterCondition::Account(_)
            | FilterCondition::Assistant(_)
            | FilterCondition::Batch(_)
            | FilterCondition::Queue(_)
            | FilterCondition::Result(_)
            | FilterCondition::Content(_)
            | FilterCondition::By(_)
            | FilterCondition::Worker(_) => false,
        })
    }
}

impl Filter {
    /// Returns the filter for those of these documents that match this filter.
    pub fn among(&self, documents: &[DocumentId]) -> Self {
        let condition = FilterCondition::Id(documents.iter().map(|document| document.0).collect());
        let mut terms = self.terms.clone();
        terms.push(Term { negated: false, condition });
        Self { terms }
    }

    /// Returns true if a term is about FAQs, which only a database of Chatwoot has.
    pub fn is_about_faqs(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.condition, FilterCondition::Faq(_)))
    }
}

/// Returns the HTTP status that a word is, such as 404; `None` for another word.
pub fn status_of_word(word: &str) -> Option<u16> {
    let is_number = word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|status| is_number && HTTP_STATUSES.contains(status))
}

/// HTTP statuses that a filter can name.
const HTTP_STATUSES: std::ops::RangeInclusive<u16> = 100..=599;

/// A term, possibly negated with `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    pub negated: bool,
    pub condition: FilterCondition,
}

/// Condition of a term. Several values (written with commas) are alternatives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FilterCondition {
    /// Word or quoted phrase within the name, the URL, or the code or description of the last failure (for outcomes, the
    /// detail), without regard to ASCII case; also the failure's HTTP status.
    Word(String),
    Status(Vec<Status>),
    /// `kind:`, what the document is.
    Kind(Vec<DocumentKind>),
    /// `faq:`, state of the document's FAQs. Only on a database of Chatwoot.
    Faq(Vec<FaqState>),
    /// `error:`, code of the document's last failure, or of the outcome.
    Error(Vec<ErrorCode>),
    /// `http:`, HTTP status of the document's last failure, or of the outcome.
    Http(Vec<u16>),
    /// `cause:`, cause of the document's last failure, as the failures view names it.
    Cause(Vec<FailureCause>),
    /// `host:`, a host with or without its port, in lower case.
    Host(Vec<String>),
    Id(Vec<i64>),
    Account(Vec<i64>),
    Assistant(Vec<i64>),
    /// `batch:`, a batch (an act on many documents) that has acted on the document, or will; for documents only, and only
    /// the store knows.
    Batch(Vec<i64>),
    /// `attempted:<1h`: less than an hour ago; `>`: longer ago, or never; `never`: never.
    Attempted(Age),
    /// `synced:<2d`: less than two days ago; `>`: longer ago, or never.
    Synced(Age),
    /// `changed:<1d`: an outcome reported a new or changed text less than a day ago; `>`: longer ago, or never.
    Changed(Age),
    /// `next:<10m`: within ten minutes; `>`: later, or never.
    Next(Age),
    /// `queue:`, class of the document's live job, else of its last job; for outcomes, the class of the job at that
    /// time.
    Queue(Vec<QueueClass>),
    /// `result:`, for outcomes only.
    Result(Vec<OutcomeResult>),
    /// `content:`, effect of an attempt on the stored content; for documents, that of the last successful sync, and
    /// `held` for content in quarantine.
    Content(Vec<ContentChange>),
    /// `by:`, name of the requester, compared as a whole without regard to ASCII case; for outcomes only.
    By(Vec<String>),
    /// `worker:`, name of the worker that ran the attempt, `host:pid`, compared as a whole; for outcomes only.
    Worker(Vec<String>),
}

/// Comparison with a time span, before or after now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Age {
    pub comparison: Comparison,
    pub span: Duration,
}

/// Operator of a comparison with a time span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `<`: less than the span.
    Less,
    /// `>`: more than the span.
    More,
    /// `never`: there is no such time, whatever the span.
    Never,
}
