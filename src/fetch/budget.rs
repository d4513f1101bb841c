//! Limits on the time and memory of one conversion, and the error when a conversion exceeds them.

use super::sniff::BinaryFormat;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Processor time limit of a page, for parsing and writing together.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
/// Time budget of one conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Processor time of the converting thread: [`TIME_LIMIT`] for every page that is synced. A limit on wall-clock
    /// time would refuse sound pages for good on a busy machine.
    Processor(Duration),
    /// Number of visited nodes, over all walks of the tree; the same on every machine. The parser's own work is not
    /// counted.
    Visits(u64),
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Processor(time) => write!(f, "longer than {} s", time.as_secs_f64()),
            Self::Visits(visits) => write!(f, "more than {visits} visits of nodes"),
        }
    }
}

/// Approximate limit of the Markdown in bytes. The text that is kept, at most 200,000 characters, always fits.
pub const MAX_MARKDOWN: usize = 1_000_000;
/// Memory limit of a page and its tree in bytes, enough for 500,000 elements and texts. A tree takes many times the
/// size of its page, so this limit and not the body's keeps the process small.
const MAX_TREE: usize = 96 * MB;
/// Memory limit in bytes for a page that is converted at the same time as others; nearly every page fits.
const SHARED_TREE: usize = 16 * MB;
const MB: usize = 1024 * 1024;

/// Reason why a page could not be turned into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConvertError {
    /// The page exceeds its time budget.
    #[error("converting the page takes {0}")]
    TooSlow(Budget),
    /// The page exceeds its memory budget, in bytes.
    #[error("converting the page takes more than {} MB of memory", .0 / MB)]
    TooLarge(usize),
    /// The body is binary data, whatever type the server has sent.
    #[error("the body is {0}, not a page or text")]
    NotText(BinaryFormat),
}

/// Memory limit of a conversion, by whether other conversions run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeBudget {
    /// The limit of a single page; no other conversion runs meanwhile.
    Alone,
    /// The limit of one of several conversions that run at the same time. [`ConvertError::TooLarge`] then means that
    /// the page must be converted alone.
    Shared,
}

impl TreeBudget {
    /// Returns the limit for a page and its tree, in bytes.
    pub fn bytes(self) -> usize {
        match self {
            Self::Alone => MAX_TREE,
            Self::Shared => SHARED_TREE,
        }
    }
}

/// Number of entries of a list that cost as much as the visit of a node.
const ENTRIES_PER_VISIT: u64 = 16;

/// Time budget of a conversion, with the start of the conversion and the number of visits so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct BudgetMeter {
    begun: Instant,
    started: Duration,
    budget: Budget,
    visits: u64,
}

impl BudgetMeter {
    /// Starts measuring now, on this thread.
    pub fn new(budget: Budget) -> Self {
        Self { begun: Instant::now(), started: busy(), budget, visits: 0 }
    }

    /// Counts a visited node; checks the budget at every 256th.
    pub fn step(&mut self) -> Result<(), ConvertError> {
        self.visits += 1;
        if self.visits.is_multiple_of(256) { self.check() } else { Ok(()) }
    }

    /// Counts a pass over a list with `entries` entries, each of which costs a small part of the visit of a node; checks
    /// the budget.
    pub fn pass(&mut self, entries: usize) -> Result<(), ConvertError> {
        let visits = entries as u64 / ENTRIES_PER_VISIT;
        self.visits += visits;
        if visits > 0 { self.check() } else { Ok(()) }
    }

    /// Fails when the budget is used up.
    pub fn check(&self) -> Result<(), ConvertError> {
        if self.is_over(self.begun.elapsed(), || busy().saturating_sub(self.started)) {
            return Err(ConvertError::TooSlow(self.budget));
        }
        Ok(())
    }

    /// Returns true if the budget is used up after `passed` of wall-clock time. A thread's processor time never exceeds
    /// the wall-clock time, so `busy`, which costs a system call, is only called once `passed` is over the limit.
    fn is_over(&self, passed: Duration, busy: impl FnOnce() -> Duration) -> bool {
        match self.budget {
            Budget::Processor(limit) => passed > limit && busy() > limit,
            Budget::Visits(most) => self.visits > most,
        }
    }
}

/// Returns the processor time that this thread has used.
fn busy() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_that_a_page_itself_takes_counts() {
        let limit = Duration::from_millis(30);
        let clock = BudgetMeter::new(Budget::Processor(limit));
        let more = limit + Duration::from_nanos(1);
        // A busy machine: time passes and this thread does nothing.
        assert!(!clock.is_over(limit * 100, || limit));
        assert!(clock.is_over(more, || more));
        assert!(!clock.is_over(limit, || panic!("the system was asked in vain")));
    }

    #[test]
    fn work_keeps_a_thread_busy_and_is_counted() {
        let started = busy();
        assert!((0..1_000_000_000).any(|_| busy() > started), "the system counts no time");
        let mut clock = BudgetMeter::new(Budget::Processor(Duration::ZERO));
        let over = (0..1_000_000_000).find_map(|_| clock.step().err());
        assert_eq!(over, Some(ConvertError::TooSlow(Budget::Processor(Duration::ZERO))));
    }
}
