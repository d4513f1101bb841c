//! The store's workers, as they were last read.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{WorkerHealth, WorkerSummary};
use std::time::Duration;

/// Interval at which the list of workers is read while it is on the screen. Commits do not signal every change: a
/// worker that dies commits nothing.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(2);

/// The list of workers and the state of reading it.
#[derive(Debug, Default)]
pub struct Workers {
    /// Ordered by start time, oldest first.
    pub list: Vec<WorkerSummary>,
    /// Time of the last read, successful or not.
    pub read_at: Option<Timestamp>,
    /// A read is in progress.
    pub loading: bool,
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

    /// Returns the time at which the list is to be read again if it is on the screen: `now` if it was never read,
    /// `None` while a read is in progress.
    pub fn due_at(&self, now: Timestamp) -> Option<Timestamp> {
        if self.loading { None } else { Some(self.read_at.map_or(now, |at| at.plus(REFRESH_INTERVAL))) }
    }
}
