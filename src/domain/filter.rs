//! The filter language, the same on the screen and on the command line (design.md 6): parsed, printed and evaluated
//! here, turned into SQL by the store from the same terms.

use super::document::Status;
use super::failure::ErrorCode;
use super::job::QueueClass;
use super::outcome::OutcomeResult;
use std::time::Duration;

/// Terms that must all hold. No terms: everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Filter {
    /// The terms, in the order in which they were written.
    pub terms: Vec<Term>,
}

/// One term, possibly negated with `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// Written with `-`.
    pub negated: bool,
    /// What must hold.
    pub test: Test,
}

/// One test. Several values (written with commas) mean or.
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
    /// `host:`, host with or without its port.
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
    /// `by:`, who asked; of outcomes.
    By(Vec<String>),
}

/// A comparison with how long ago, or how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Age {
    /// `<` or `>`.
    pub side: Side,
    /// How long.
    pub span: Duration,
}

/// Which side of an age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// `<`
    Less,
    /// `>`
    More,
}
