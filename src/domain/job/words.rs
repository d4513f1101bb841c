//! The words of a job: where it is, and in which class it is served.

use serde::{Deserialize, Serialize};

/// Where a job is. The first three are live: a document has at most one live job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JobState {
    /// Waits for its time.
    Scheduled,
    /// Waits for a free slot.
    Ready,
    /// Claimed by a worker.
    Running,
    /// Ended synced.
    Done,
    /// Ended failed.
    Failed,
    /// Ended by a person, or because its document is gone.
    Cancelled,
    /// Ended by `purge`.
    Purged,
}

impl JobState {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Scheduled, Self::Ready, Self::Running, Self::Done, Self::Failed, Self::Cancelled, Self::Purged];

    /// The word in the store.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Purged => "purged",
        }
    }

    /// Reads the store's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Whether the job still stands for a request.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Scheduled | Self::Ready | Self::Running)
    }
}

/// The order in which jobs are served. `auto` is purgeable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueClass {
    /// A person asked.
    Manual,
    /// A later try of an auto job.
    Retry,
    /// The schedule asked.
    Auto,
}

impl QueueClass {
    /// In order of service.
    pub const ALL: [Self; 3] = [Self::Manual, Self::Retry, Self::Auto];

    /// The integer in the store, which is also the order.
    pub const fn code(self) -> i64 {
        match self {
            Self::Manual => 0,
            Self::Retry => 1,
            Self::Auto => 2,
        }
    }

    /// Reads the store's integer.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// The word in filters and JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Retry => "retry",
            Self::Auto => "auto",
        }
    }

    /// Reads a filter's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.word() == word)
    }

    /// The class of a later try.
    pub const fn later(self) -> Self {
        match self {
            Self::Auto | Self::Retry => Self::Retry,
            Self::Manual => Self::Manual,
        }
    }
}
