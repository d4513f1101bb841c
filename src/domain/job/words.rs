//! State and queue class of a job, with their stored words.

use crate::domain::word_enum::{serde_by_word, word_enum};

word_enum! {
    /// State of a job. The first three are live: a document has at most one live job.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum JobState {
        /// The job waits for its start time.
        Scheduled = "scheduled",
        Ready = "ready",
        Running = "running",
        Done = "done",
        Failed = "failed",
        /// The job was ended by a person, or because its document is gone.
        Cancelled = "cancelled",
        Purged = "purged",
    }
}

impl JobState {
    /// Returns true if the job has not ended.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Scheduled | Self::Ready | Self::Running)
    }
}

word_enum! {
    /// Queue class: the order in which jobs are served. Only `auto` jobs can be purged.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum QueueClass {
        /// Requested by a person.
        Manual = "manual",
        /// Later attempt of an auto job.
        Retry = "retry",
        /// Requested by the schedule.
        Auto = "auto",
    }
}
serde_by_word!(QueueClass);

impl QueueClass {
    /// Returns the integer in the store, which is also the position in the order of service.
    pub const fn code(self) -> i64 {
        match self {
            Self::Manual => 0,
            Self::Retry => 1,
            Self::Auto => 2,
        }
    }

    /// Reads the store's integer; `None` for any other integer.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// Returns the class of a job after its first attempt.
    pub const fn after_attempt(self) -> Self {
        match self {
            Self::Auto | Self::Retry => Self::Retry,
            Self::Manual => Self::Manual,
        }
    }
}
