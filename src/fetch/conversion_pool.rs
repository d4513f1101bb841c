//! Threads for conversions, with a limit on how many run at a time, because each takes memory as well as a processor.

use super::budget::TreeBudget;
use crate::domain::failure::Failure;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinError;

/// Maximum number of conversions that run at a time, whatever the number of cores: each takes memory, and one core
/// converts hundreds of pages a second.
const MAX_CONVERSIONS: usize = 4;

/// Conversion slots of a process.
#[derive(Debug)]
pub(super) struct ConversionPool {
    slots: Arc<Semaphore>,
    size: u32,
}

/// Permit to run one conversion. Dropping it frees the slot.
#[derive(Debug)]
#[must_use]
pub(super) struct Slot {
    budget: TreeBudget,
    permit: OwnedSemaphorePermit,
}

impl ConversionPool {
    /// Creates a pool with a slot per core, up to [`MAX_CONVERSIONS`].
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let size = u32::try_from(cores.min(MAX_CONVERSIONS)).unwrap_or(1);
        Self { slots: Arc::new(Semaphore::new(size as usize)), size }
    }

    /// Waits for a slot; [`TreeBudget::Alone`] takes all slots of the pool.
    pub async fn slot(&self, budget: TreeBudget) -> Result<Slot, Failure> {
        let number = match budget {
            TreeBudget::Alone => self.size,
            TreeBudget::Shared => 1,
        };
        let permit = Arc::clone(&self.slots).acquire_many_owned(number).await;
        let permit = permit.map_err(|closed| Failure::unexpected("AcquireError", closed.to_string()))?;
        Ok(Slot { budget, permit })
    }
}

impl Slot {
    /// Runs a conversion on a thread for blocking work, or on a new thread if it runs alone. The conversion keeps the
    /// slot until it ends, even if the caller stops waiting. A panic of `convert` is passed on; the runner handles it
    /// like any panic of an attempt.
    pub async fn run<T: Send + 'static>(
        self,
        convert: impl FnOnce(TreeBudget) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let budget = self.budget;
        let work = move || {
            let _permit = self.permit;
            convert(budget)
        };
        let ended = match budget {
            TreeBudget::Alone => on_new_thread(work).await?,
            TreeBudget::Shared => match tokio::task::spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
                Ok(ended) => Ok(ended),
                Err(Ok(panic)) => Err(panic),
                Err(Err(cancelled)) => return Err(Failure::unexpected("JoinError", cancelled.to_string())),
            },
        };
        ended.or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// Runs `work` on a new thread, for pages with large trees. The allocator keeps much of a tree's memory for the thread
/// that used it. A new thread reuses the memory of one that has ended, whereas each pooled thread would keep its own
/// memory.
async fn on_new_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<std::thread::Result<T>, Failure> {
    let (sender, result) = oneshot::channel();
    let run = move || drop(sender.send(catch_unwind(AssertUnwindSafe(work))));
    let begun = std::thread::Builder::new().name("large page".into()).spawn(run);
    begun.map_err(|error| Failure::unexpected("SpawnError", error.to_string()))?;
    result.await.map_err(|ended| Failure::unexpected("RecvError", ended.to_string()))
}
