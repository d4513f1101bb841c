//! The memory that bodies may take, all fetches together.
//!
//! Most pages are small: each fetch that reads one takes a small share. A body that outgrows its share asks for all that
//! it may still become at once, from a budget of its own: who has that never waits for more, so nobody waits in a
//! circle, however many bodies there are.

use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Memory that a body may use before it has to ask: nine pages of ten are smaller.
pub(super) const SHARE: u64 = 1024 * 1024;
/// The unit of the budgets, so that a permit's number of them always fits.
const UNIT: u64 = 1024;
/// Divisor of the part of the memory that is for these shares.
const SHARES_PART: u64 = 4;

/// The budgets of one fetcher.
#[derive(Debug)]
pub(super) struct Memory {
    shares: Arc<Semaphore>,
    large: Arc<Semaphore>,
    /// All units of `large`: nothing may ask for more, or it would wait for ever.
    large_units: u32,
}

impl Memory {
    /// Bodies up to `most` bytes each, in about `budget` bytes all together; never less than one of them needs.
    pub fn new(budget: u64, most: u64) -> Self {
        let shares = (budget / SHARES_PART / SHARE).max(1);
        let large = budget.saturating_sub(shares * SHARE).max(most);
        let large_units = units(large);
        Self {
            shares: Arc::new(Semaphore::new(usize::try_from(shares).unwrap_or(Semaphore::MAX_PERMITS))),
            large: Arc::new(Semaphore::new(large_units as usize)),
            large_units,
        }
    }

    /// Room for a body of [`SHARE`] bytes; waits for it.
    pub async fn share(&self) -> Room {
        Room { share: Arc::clone(&self.shares).acquire_owned().await.ok(), rest: None }
    }

    /// Makes `room` one for a body of `bytes` bytes; waits for it.
    pub async fn enlarge(&self, room: &mut Room, bytes: u64) {
        if room.rest.is_none() {
            let wanted = units(bytes).min(self.large_units);
            room.rest = Arc::clone(&self.large).acquire_many_owned(wanted).await.ok();
        }
    }
}

/// Room for one body; dropped, it is another's.
#[derive(Debug)]
#[must_use]
pub(super) struct Room {
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

    const MB: u64 = 1024 * 1024;

    #[tokio::test]
    async fn large_bodies_take_turns_and_small_ones_pass() {
        let memory = Memory::new(8 * MB, 4 * MB);
        // Two shares, and six megabytes for one that is large.
        let (mut first, mut second) = (memory.share().await, memory.share().await);
        memory.enlarge(&mut first, 4 * MB).await;
        let mut waiting = Box::pin(memory.enlarge(&mut second, 4 * MB));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        let mut third = Box::pin(memory.share());
        assert!(futures_util::poll!(&mut third).is_pending(), "both shares are taken");
        drop(first);
        waiting.await;
        let _third = third.await;
    }

    #[tokio::test]
    async fn one_body_always_fits() {
        let memory = Memory::new(0, 40 * MB);
        let mut room = memory.share().await;
        memory.enlarge(&mut room, 40 * MB).await;
        // Nobody asks for more than there is, or it would be waited for in vain.
        let mut again = Memory::new(MB, MB).share().await;
        memory.enlarge(&mut again, 0).await;
    }
}
