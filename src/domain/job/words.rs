//! The words of a job: where it is, and in which class it is served.

use crate::domain::word_enum::{serde_by_word, word_enum};

word_enum! {
    /// State of a job. The first three are live: a document has at most one live job.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum JobState {
        /// Waits for its time.
        Scheduled = "scheduled",
        /// Waits for a free slot.
        Ready = "ready",
        /// Claimed by a worker.
        Running = "running",
        /// Ended synced.
        Done = "done",
        /// Ended failed.
        Failed = "failed",
        /// Ended by a person, or because its document is gone.
        Cancelled = "cancelled",
        /// Ended by `purge`.
        Purged = "purged",
    }
}

impl JobState {
    /// Returns true if the job still stands for a request.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Scheduled | Self::Ready | Self::Running)
    }
}

word_enum! {
    /// The order in which jobs are served. `auto` is purgeable.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum QueueClass {
        /// A person asked.
        Manual = "manual",
        /// A later try of an auto job.
        Retry = "retry",
        /// The schedule asked.
        Auto = "auto",
    }
}
serde_by_word!(QueueClass);

impl QueueClass {
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

    /// The class of a later try.
    pub const fn later(self) -> Self {
        match self {
            Self::Auto | Self::Retry => Self::Retry,
            Self::Manual => Self::Manual,
        }
    }
}
