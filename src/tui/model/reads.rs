//! States of reads that are repeated after changes.

use crate::domain::time::Timestamp;
use std::time::Duration;

/// Shortest time between two reads that time alone makes necessary. A store of a million documents has one that becomes
/// stale every second; the screen shows that a minute later at most.
pub const MIN_TIMED_INTERVAL: Duration = Duration::from_secs(60);

/// The state of a read of which at most one is in progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadState {
    /// No read is in progress.
    #[default]
    Idle,
    Reading,
    /// A read is in progress, and its data has changed since it began, so another read follows.
    Outdated,
}

impl ReadState {
    /// Requests a read. Returns true if the caller has to start it now; otherwise it follows the one in progress.
    pub fn request(&mut self) -> bool {
        let starts = *self == Self::Idle;
        *self = if starts { Self::Reading } else { Self::Outdated };
        starts
    }

    /// Notes the result of the read in progress. Returns true if another read has to follow.
    pub fn finish(&mut self) -> bool {
        std::mem::take(self) == Self::Outdated
    }
}

/// The next time at which time alone changes the status of a document, as the store knows it.
#[derive(Debug, Default)]
pub struct StatusDeadline {
    pub read: ReadState,
    /// The time itself; `None` if no status depends on the time.
    at: Option<Timestamp>,
    /// Time of the last read, successful or not.
    read_at: Option<Timestamp>,
    /// Documents have changed since the last read.
    outdated: bool,
}

impl StatusDeadline {
    /// Notes that documents have changed.
    pub fn invalidate(&mut self) {
        self.outdated = true;
    }

    /// Stores the result of a read at `now`; `None` if it failed.
    pub fn take(&mut self, now: Timestamp, answer: Option<Option<Timestamp>>) {
        let is_outdated = self.read.finish() || answer.is_none();
        (self.at, self.read_at, self.outdated) = (answer.flatten(), Some(now), is_outdated);
    }

    /// Returns the time at which statuses are to be read again; `None` while the time itself is being read.
    pub fn statuses_due_at(&self) -> Option<Timestamp> {
        let at = self.at.filter(|_| self.read == ReadState::Idle)?;
        Some(self.earliest().map_or(at, |earliest| at.max(earliest)))
    }

    /// Returns the time at which the time itself is to be read again, because documents have changed.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.earliest().filter(|_| self.outdated && self.read == ReadState::Idle)
    }

    fn earliest(&self) -> Option<Timestamp> {
        self.read_at.map(|at| at.plus(MIN_TIMED_INTERVAL))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_read_that_is_requested_meanwhile_follows() {
        let mut read = ReadState::default();
        assert!(read.request() && !read.request() && !read.request());
        assert!(read.finish(), "once more");
        assert_eq!(read, ReadState::Idle);
        assert!(read.request() && !read.finish());
    }

    #[test]
    fn statuses_are_read_when_one_changes_but_at_most_once_a_minute() {
        let mut deadline = StatusDeadline::default();
        assert_eq!((deadline.statuses_due_at(), deadline.due_at()), (None, None));
        assert!(deadline.read.request());
        deadline.take(at(0), Some(Some(at(5))));
        assert_eq!((deadline.statuses_due_at(), deadline.due_at()), (Some(at(60)), None));
        deadline.read.request();
        assert_eq!(deadline.statuses_due_at(), None, "it is being read");
        deadline.take(at(60), Some(Some(at(500))));
        assert_eq!((deadline.statuses_due_at(), deadline.due_at()), (Some(at(500)), None));
        deadline.invalidate();
        assert_eq!(deadline.due_at(), Some(at(120)));
        deadline.read.request();
        deadline.take(at(120), None);
        assert_eq!((deadline.statuses_due_at(), deadline.due_at()), (None, Some(at(180))), "a failure is repeated");
    }
}
