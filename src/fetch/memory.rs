//! Memory budget for the bodies of all fetches of a process.
//!
//! Most pages are small: each fetch begins with a small share. A body that outgrows its share requests, in one step,
//! all the memory that it may still need, from a second budget. A body that has that memory never waits for more, so
//! there is no deadlock, however many bodies there are.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Number of bytes that a body may use before it must request more; nine of ten pages are smaller.
pub(super) const SMALL_BODY: u64 = 1024 * 1024;
/// Number of bytes per semaphore permit, so that the number of permits fits into 32 bits.
const UNIT: u64 = 1024;
/// Divisor of the budget; the quotient is the part for all small shares together.
const SHARES_DIVISOR: u64 = 4;

/// Budgets for small shares and for large bodies.
#[derive(Debug)]
pub(super) struct Memory {
    shares: Arc<Semaphore>,
    large: Arc<Semaphore>,
    /// Total number of permits of `large`; a request for more would wait forever.
    large_units: u32,
}

impl Memory {
    /// Creates budgets for bodies of up to `most` bytes each and about `budget` bytes in total, but at least enough for
    /// one body.
    pub fn new(budget: u64, most: u64) -> Self {
        let shares = (budget / SHARES_DIVISOR / SMALL_BODY).max(1);
        let large = budget.saturating_sub(shares * SMALL_BODY).max(most);
        let large_units = units(large);
        Self {
            shares: Arc::new(Semaphore::new(usize::try_from(shares).unwrap_or(Semaphore::MAX_PERMITS))),
            large: Arc::new(Semaphore::new(large_units as usize)),
            large_units,
        }
    }

    /// Waits for memory for a body of [`SMALL_BODY`] bytes.
    pub async fn share(&self) -> MemoryPermit {
        MemoryPermit { share: Arc::clone(&self.shares).acquire_owned().await.ok(), rest: None }
    }

    /// Waits until `permit` allows a body of `bytes` bytes. A permit is enlarged only once: later calls have no effect.
    pub async fn enlarge(&self, permit: &mut MemoryPermit, bytes: u64) {
        if permit.rest.is_none() {
            let wanted = units(bytes).min(self.large_units);
            permit.rest = Arc::clone(&self.large).acquire_many_owned(wanted).await.ok();
        }
    }
}

/// Memory permit of one body. Dropping it returns the memory.
#[derive(Debug)]
#[must_use]
pub(super) struct MemoryPermit {
    #[expect(dead_code, reason = "held, not read")]
    share: Option<OwnedSemaphorePermit>,
    rest: Option<OwnedSemaphorePermit>,
}

fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    const MB: u64 = 1024 * 1024;

    /// Longer than any of these waits may take; the paused clock skips ahead when no task can go on.
    const LIMIT: Duration = Duration::from_secs(3_600);

    #[tokio::test(start_paused = true)]
    async fn large_bodies_take_turns_and_small_ones_pass() {
        let memory = Memory::new(8 * MB, 4 * MB);
        // Two shares, and six megabytes for large bodies.
        let (mut first, mut second) = (memory.share().await, memory.share().await);
        memory.enlarge(&mut first, 4 * MB).await;
        let mut waiting = Box::pin(memory.enlarge(&mut second, 4 * MB));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let mut third = Box::pin(memory.share());
        assert!(futures_util::poll!(&mut third).is_pending(), "both shares are taken");
        drop(first);
        timeout(LIMIT, waiting).await.expect("the memory of the first is free");
        let _third = timeout(LIMIT, third).await.expect("so is its share");
    }

    #[tokio::test(start_paused = true)]
    async fn one_body_always_fits() {
        let memory = Memory::new(0, 40 * MB);
        let mut permit = timeout(LIMIT, memory.share()).await.expect("there is a share");
        timeout(LIMIT, memory.enlarge(&mut permit, 40 * MB)).await.expect("there is memory for one");
        // A request is cut to the budget; otherwise it would wait forever.
        let mut again = timeout(LIMIT, Memory::new(MB, MB).share()).await.expect("there is a share");
        timeout(LIMIT, memory.enlarge(&mut again, 0)).await.expect("nothing is free at once");
    }
}
