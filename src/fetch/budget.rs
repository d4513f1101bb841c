//! Time and memory that one conversion may take, and its error when it takes more.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Processor time that a page may take, for parsing and writing together.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
/// The limit on the work of one conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Processor time of the thread that converts: [`TIME_LIMIT`] for every page that is synced. By the wall's clock a
    /// sound page would be refused for good because the machine was busy with something else.
    Processor(Duration),
    /// Visits of nodes, all walks over the tree together; the same on every machine. The parser's own work is not
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

/// Markdown is written up to about here, in bytes: more than 200,000 characters ever are.
pub const MAX_MARKDOWN: usize = 1_000_000;
/// About how many bytes a page and its tree may take: 800,000 elements and texts. A page takes many times its own size, so
/// this and not the body's is the limit that keeps the process small.
const MAX_TREE: usize = 96 * MB;
/// The same for a page that is converted beside others: nearly every page there is.
const SMALL_TREE: usize = 16 * MB;
const MB: usize = 1024 * 1024;

/// Why a page could not be turned into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConvertError {
    /// Over its budget.
    #[error("the page takes {0} to convert")]
    TooSlow(Budget),
    /// The page takes more memory than any real page, in bytes.
    #[error("the page takes more than {} MB to convert", .0 / MB)]
    TooLarge(usize),
    /// No type was given and it does not look like text.
    #[error("the type is not given and the body is not text")]
    NotText,
}

/// The memory that a conversion may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TreeBudget {
    /// As much as any page may; no other conversion runs meanwhile.
    Alone,
    /// A share that several conversions may take at a time; [`ConvertError::TooLarge`] then means that the page has to be
    /// converted alone.
    Shared,
}

impl TreeBudget {
    /// Bytes of the page and its tree.
    pub fn bytes(self) -> usize {
        match self {
            Self::Alone => MAX_TREE,
            Self::Shared => SMALL_TREE,
        }
    }
}

/// Budget of a conversion, and what it has used of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    begun: Instant,
    started: Duration,
    budget: Budget,
    visits: u64,
}

impl Clock {
    /// Starts now, on this thread.
    pub fn new(budget: Budget) -> Self {
        Self { begun: Instant::now(), started: busy(), budget, visits: 0 }
    }

    /// Counts a visit of a node; looks at the time only now and then.
    pub fn step(&mut self) -> Result<(), ConvertError> {
        self.visits += 1;
        if self.visits.is_multiple_of(256) { self.look() } else { Ok(()) }
    }

    /// Fails when the budget is used up.
    pub fn look(&self) -> Result<(), ConvertError> {
        if self.is_over(self.begun.elapsed(), || busy().saturating_sub(self.started)) {
            return Err(ConvertError::TooSlow(self.budget));
        }
        Ok(())
    }

    /// Returns true if the budget is used up after `passed` of the wall's clock. No thread is busy for longer than that says, and
    /// it costs no call of the system, as `busy` does.
    fn is_over(&self, passed: Duration, busy: impl FnOnce() -> Duration) -> bool {
        match self.budget {
            Budget::Processor(limit) => passed > limit && busy() > limit,
            Budget::Visits(most) => self.visits > most,
        }
    }
}

/// Returns the processor time of this thread.
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
        let clock = Clock::new(Budget::Processor(limit));
        let more = limit + Duration::from_nanos(1);
        // As on a busy machine: time passes and this thread does nothing.
        assert!(!clock.is_over(limit * 100, || limit));
        assert!(clock.is_over(more, || more));
        assert!(!clock.is_over(limit, || panic!("the system was asked in vain")));
    }

    #[test]
    fn work_keeps_a_thread_busy_and_is_counted() {
        let started = busy();
        assert!((0..1_000_000_000).any(|_| busy() > started), "the system counts no time");
        let mut clock = Clock::new(Budget::Processor(Duration::ZERO));
        let over = (0..1_000_000_000).find_map(|_| clock.step().err());
        assert_eq!(over, Some(ConvertError::TooSlow(Budget::Processor(Duration::ZERO))));
    }
}
