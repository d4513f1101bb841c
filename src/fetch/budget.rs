//! Time and memory that one conversion may take, and its error when it takes more.

use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Processor time that a page may take, for parsing and writing together.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
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
    /// Over [`TIME_LIMIT`].
    #[error("the page takes longer than {} s to convert", .0.as_secs_f64())]
    TooSlow(Duration),
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

/// The time that a conversion has: of the processor, on the thread that converts. By the wall's clock a sound page would be
/// refused for good because the machine was busy with something else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    begun: Instant,
    started: Duration,
    limit: Duration,
    steps: u32,
}

impl Clock {
    /// Starts now, on this thread.
    pub fn new(limit: Duration) -> Self {
        Self { begun: Instant::now(), started: busy(), limit, steps: 0 }
    }

    /// Counts a step; looks at the time only now and then.
    pub fn step(&mut self) -> Result<(), ConvertError> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(256) { self.look() } else { Ok(()) }
    }

    /// Looks at the time. No thread is busy for longer than the wall's clock says, and that one costs no call of the system.
    pub fn look(&self) -> Result<(), ConvertError> {
        if self.begun.elapsed() <= self.limit {
            return Ok(());
        }
        if busy().saturating_sub(self.started) > self.limit { Err(ConvertError::TooSlow(self.limit)) } else { Ok(()) }
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
        let clock = Clock::new(limit);
        // As on a busy machine: time passes and this thread does nothing.
        std::thread::sleep(limit * 2);
        assert_eq!(clock.look(), Ok(()));
        let spinning = Instant::now();
        while clock.look().is_ok() {
            assert!(spinning.elapsed() < Duration::from_secs(30), "it is never over");
        }
        assert_eq!(clock.look(), Err(ConvertError::TooSlow(limit)));
    }
}
