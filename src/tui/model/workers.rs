//! The store's workers, as they were last read.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{WorkerHealth, WorkerSummary};
use crate::tui::model::reads::ReadState;

/// The list of workers and the state of reading it.
#[derive(Debug, Default)]
pub struct Workers {
    /// Ordered by start time, oldest first.
    pub list: Vec<WorkerSummary>,
    pub read: ReadState,
    /// Time of the last read, successful or not.
    pub read_at: Option<Timestamp>,
    /// Error of the last read, if it failed.
    pub load_error: Option<SafeLine>,
}

/// Totals over the workers that are not gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorkerTotals {
    pub workers: u64,
    /// Number of workers with a late heartbeat.
    pub late: u64,
    /// Number of running jobs.
    pub busy: u64,
    /// Number of jobs that may run at a time.
    pub slots: u64,
}

impl Workers {
    /// Returns the totals over the workers that are not gone.
    pub fn totals(&self) -> WorkerTotals {
        let mut sum = WorkerTotals::default();
        for worker in self.list.iter().filter(|worker| worker.health != WorkerHealth::Gone) {
            sum.workers += 1;
            sum.late += u64::from(worker.health == WorkerHealth::Late);
            sum.busy += u64::from(worker.running);
            sum.slots += u64::from(worker.capacity);
        }
        sum
    }

    /// Returns true if the workers of `other` are the same and as healthy; numbers of jobs and heartbeats may differ.
    pub fn matches(&self, other: &[WorkerSummary]) -> bool {
        let of = |worker: &WorkerSummary| (worker.id.clone(), worker.health);
        self.list.iter().map(of).eq(other.iter().map(of))
    }
}
