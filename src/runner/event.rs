//! Events of a runner for its watchers. Outcomes are not among them: watchers read those from the store by their number
//! ([`tail`](super::tail)), so none can be missed.

use crate::domain::document::SyncStep;
use crate::domain::id::DocumentId;
use crate::domain::job::ErrorReport;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::lock::Reach;

/// Something that happens while jobs run. A watcher that lags misses some, and loses nothing that is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A running attempt came to a step.
    Step {
        /// The document.
        document: DocumentId,
        /// The step.
        step: SyncStep,
    },
    /// An attempt is over, recorded or not.
    Ended {
        /// The document.
        document: DocumentId,
    },
    /// A task of the runner panicked; contained, and recorded as the attempt's failure when it was an attempt.
    Panicked {
        /// The panic's message.
        message: SafeLine,
    },
    /// A job was given up and is worth a person's attention: once per job.
    Reported {
        /// The report.
        report: ErrorReport,
    },
    /// Something of the runner's own went wrong and it goes on: for the activity list.
    Trouble {
        /// In plain language.
        message: SafeLine,
    },
}

/// State of a runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunnerStatus {
    /// Claims or not.
    pub phase: Phase,
    /// Attempts running in this process.
    pub busy: u32,
    /// Attempts that may run at a time.
    pub slots: u32,
}

/// Phase of a runner's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// The runner claims jobs.
    #[default]
    Running,
    /// The runner claims nothing more and waits for running attempts.
    Draining,
    /// The runner has ended.
    Stopped,
}

/// State of the Redis locks, as the runner sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LockHealth {
    /// Redis is not used, or not known yet.
    #[default]
    Off,
    /// They are.
    Fine,
    /// Redis is away and preferred: syncs go on under lease and fence.
    Degraded {
        /// Since when.
        since: Timestamp,
        /// Why, in plain language.
        reason: SafeLine,
    },
    /// Redis is away for a process that only watches: what others do is seen later, and their steps not at all.
    Deaf {
        /// Since when.
        since: Timestamp,
        /// Why, in plain language.
        reason: SafeLine,
    },
    /// Redis is away and required: nothing is claimed, what ran was given back.
    Stopped {
        /// Since when.
        since: Timestamp,
        /// Why, in plain language.
        reason: SafeLine,
    },
}

impl LockHealth {
    /// Returns the state after a change of the connection; `away` builds the state of an unreachable Redis.
    pub(super) fn with(
        &self,
        reach: Reach,
        now: impl FnOnce() -> Timestamp,
        away: impl FnOnce(Timestamp, SafeLine) -> Self,
    ) -> Self {
        match reach {
            Reach::Connecting => self.clone(),
            Reach::Reached => Self::Fine,
            Reach::Away(reason) => away(self.since().unwrap_or_else(now), reason),
        }
    }

    /// Since when Redis is away.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Off | Self::Fine => None,
            Self::Degraded { since, .. } | Self::Deaf { since, .. } | Self::Stopped { since, .. } => Some(*since),
        }
    }

    /// Notice when an unreachable Redis answers again.
    pub const BACK: &str = "Redis answers again: documents are locked";

    /// Describes what is wrong and its consequence in a sentence; `None` if nothing is wrong.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Off | Self::Fine => None,
            Self::Degraded { reason, .. } => {
                Some(format!("DEGRADED: Redis is away ({reason}); syncs go on without its locks"))
            }
            Self::Deaf { reason, .. } => Some(format!(
                "DEGRADED: Redis is away ({reason}); what others do is seen later, their steps not at all"
            )),
            Self::Stopped { reason, .. } => {
                Some(format!("Redis is away ({reason}) and redis.lock is required: nothing is synced until it answers"))
            }
        }
    }
}

/// State of the database, as the runner sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// The database answers.
    #[default]
    Fine,
    /// The database does not answer; nothing is claimed until it does.
    Unreachable {
        /// Since when.
        since: Timestamp,
        /// Why, in plain language.
        reason: SafeLine,
        /// Time of the next try, UTC.
        next_try_at: Timestamp,
    },
}
