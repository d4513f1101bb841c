//! Members of a batch by state.

use crate::domain::job::JobState;
use crate::domain::word_enum::variant_list;
use serde::{Deserialize, Serialize};

variant_list! {
    /// State of a member of a batch, as it is stored. Its code is its position.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum MemberState {
        /// Nothing was done yet.
        Waiting,
        /// Its sync was requested: the state of its job counts.
        Requested,
        Done,
        Failed,
        Cancelled,
        /// The act did not apply to the document.
        Skipped,
        /// A later batch has taken its job over.
        Moved,
    }
}

impl MemberState {
    /// Returns the integer in the store.
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// Reads the store's integer; `None` for any other integer.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Numbers of a batch's members by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchCounts {
    /// Not begun: the batch has not come to them, or was paused or stopped before they began.
    pub waiting: u64,
    /// In the queue.
    pub queued: u64,
    pub running: u64,
    /// Between two attempts.
    pub retrying: u64,
    /// Synced, cancelled or removed, as the act is.
    pub done: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub skipped: u64,
    pub moved: u64,
}

impl BatchCounts {
    /// Adds members of a stored state, apart from those that were requested, whose jobs are added.
    pub const fn add(&mut self, state: MemberState, members: u64) {
        match state {
            MemberState::Waiting => self.waiting += members,
            MemberState::Requested => {}
            MemberState::Done => self.done += members,
            MemberState::Failed => self.failed += members,
            MemberState::Cancelled => self.cancelled += members,
            MemberState::Skipped => self.skipped += members,
            MemberState::Moved => self.moved += members,
        }
    }

    /// Adds members by the state of their jobs.
    pub const fn add_jobs(&mut self, state: JobState, members: u64) {
        match state {
            JobState::Ready => self.queued += members,
            JobState::Scheduled => self.retrying += members,
            JobState::Running => self.running += members,
            JobState::Done => self.done += members,
            JobState::Failed => self.failed += members,
            JobState::Cancelled | JobState::Purged => self.cancelled += members,
        }
    }

    /// Returns the number of members.
    pub const fn total(&self) -> u64 {
        self.left() + self.ended()
    }

    /// Returns the number of members that wait or run.
    pub const fn left(&self) -> u64 {
        self.waiting + self.live()
    }

    /// Returns the number of members whose jobs wait or run.
    pub const fn live(&self) -> u64 {
        self.queued + self.running + self.retrying
    }

    /// Returns the number of members with which the batch is done.
    pub const fn ended(&self) -> u64 {
        self.done + self.failed + self.cancelled + self.skipped + self.moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_counted_once() {
        let mut counts = BatchCounts::default();
        for (index, state) in MemberState::ALL.into_iter().enumerate() {
            assert_eq!((state.code(), MemberState::from_code(index as i64)), (index as i64, Some(state)));
            counts.add(state, 10);
        }
        assert_eq!((counts.total(), counts.left()), (60, 10), "{counts:?}");
        assert_eq!(MemberState::from_code(7), None);
        let states = ["scheduled", "ready", "running", "done", "failed", "cancelled", "purged"];
        for state in states.into_iter().filter_map(JobState::parse) {
            counts.add_jobs(state, 1);
        }
        assert_eq!((counts.total(), counts.left(), counts.live()), (67, 13, 3), "{counts:?}");
        let stored = serde_json::to_string(&counts).expect("numbers");
        assert_eq!(serde_json::from_str::<BatchCounts>(&stored).ok(), Some(counts));
        assert_eq!(serde_json::from_str::<BatchCounts>("{}").ok(), Some(BatchCounts::default()));
    }
}
