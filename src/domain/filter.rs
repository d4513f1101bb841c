//! The filter language, the same on the screen and on the command line (assets/docs/filters.md): parsed, printed and
//! evaluated here, turned into SQL by the store from the same terms.

mod evaluate;
mod field;
mod parse;
mod print;
mod span;
#[cfg(test)]
mod tests;

pub use field::Subject;
pub use span::parse_span;

use super::content::ContentChange;
use super::document::Status;
use super::failure::ErrorCode;
use super::job::QueueClass;
use super::outcome::OutcomeResult;
use std::time::Duration;
use thiserror::Error;

/// Why a text is not a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("filter, at {}: {message}", at + 1)]
pub struct FilterError {
    /// The byte of the text, from 0, at which the mistake begins: on a character boundary, at most the text's length.
    /// The message counts from 1.
    pub at: usize,
    /// Cause of the error, and the correct form if there is one.
    pub message: String,
}

impl FilterError {
    /// `text` with a mark under the mistake, in two lines for a terminal; `text` must be what was parsed.
    pub fn marked(&self, text: &str) -> String {
        let line = super::text::SafeLine::new(text);
        let before = super::text::SafeLine::new(text.get(..self.at).unwrap_or(text));
        // White space before the mark is cut off by the safe form, and is one cell in the line above.
        let gap = text
            .get(..self.at)
            .is_some_and(|before| before.ends_with(char::is_whitespace) && !before.trim().is_empty());
        format!("{line}\n{}^", " ".repeat(super::text::width(&before) + usize::from(gap)))
    }
}

/// Terms that must all hold. No terms: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The terms, in the order in which they were written.
    pub terms: Vec<Term>,
}

/// A term, possibly negated with `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// Written with `-`.
    pub negated: bool,
    /// Condition that must hold.
    pub test: Test,
}

/// A condition. Several values (written with commas) are alternatives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Test {
    /// A word or a quoted phrase within name or URL, ASCII case folded.
    Word(String),
    /// `status:`
    Status(Vec<Status>),
    /// `error:`, the last failure's code.
    Error(Vec<ErrorCode>),
    /// `http:`, the last failure's status.
    Http(Vec<u16>),
    /// `host:`, host with or without its port, in lower case.
    Host(Vec<String>),
    /// `id:`
    Id(Vec<i64>),
    /// `account:`
    Account(Vec<i64>),
    /// `assistant:`
    Assistant(Vec<i64>),
    /// `attempted:<1h` less than an hour ago; `>`: longer ago, or never.
    Attempted(Age),
    /// `synced:>2d` longer ago, or never.
    Synced(Age),
    /// `next:<10m` within ten minutes; `>`: later, or never.
    Next(Age),
    /// `queue:`, the live job's class, else the last job's.
    Queue(Vec<QueueClass>),
    /// `result:`, of outcomes.
    Result(Vec<OutcomeResult>),
    /// `content:`, what an attempt meant for the stored content; of documents only `held`: a text waits for a person.
    Content(Vec<ContentChange>),
    /// `by:`, who asked, whole and ASCII case folded; of outcomes.
    By(Vec<String>),
}

/// A comparison with how long ago, or how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Age {
    /// `<` or `>`.
    pub side: Side,
    /// Length of the span.
    pub span: Duration,
}

/// Side of an age limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// `<`
    Less,
    /// `>`
    More,
}
