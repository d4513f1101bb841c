//! The workers of the store, as they were last read.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{Alive, WorkerSeen};
use std::time::Duration;

/// How old the list may be while somebody reads it: a worker that dies commits nothing that would tell of it.
pub const REFRESH: Duration = Duration::from_secs(2);

/// See the module.
#[derive(Debug, Default)]
pub struct Workers {
    /// The longest serving first.
    pub seen: Vec<WorkerSeen>,
    /// When they were read, or could not be.
    pub read_at: Option<Timestamp>,
    /// They are being read.
    pub asked: bool,
    /// Why they could not be read the last time.
    pub trouble: Option<SafeLine>,
}

/// The workers that are not gone, taken together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Together {
    /// How many.
    pub workers: u64,
    /// Of these, how many are late.
    pub late: u64,
    /// Jobs that they run.
    pub busy: u64,
    /// Jobs that they may run.
    pub slots: u64,
}

impl Workers {
    /// All that are not gone.
    pub fn together(&self) -> Together {
        let mut together = Together::default();
        for worker in self.seen.iter().filter(|worker| worker.alive != Alive::Gone) {
            together.workers += 1;
            together.late += u64::from(worker.alive == Alive::Late);
            together.busy += u64::from(worker.running);
            together.slots += u64::from(worker.capacity);
        }
        together
    }

    /// When a reader's list has to be read again; nothing while it is being read.
    pub fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.asked { None } else { Some(self.read_at.map_or(now, |at| at.plus(REFRESH))) }
    }
}
