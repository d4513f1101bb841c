//! What goes up from the runner to whoever watches. Outcomes are not among it: they are read from the store by their
//! number ([`tail`](super::tail)), so that none can be missed.

use crate::domain::document::SyncStep;
use crate::domain::id::DocumentId;
use crate::domain::job::ErrorReport;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;

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
        /// What it said.
        message: SafeLine,
    },
    /// A job was given up and is worth a person's attention: once per job.
    Reported {
        /// What was reported.
        report: ErrorReport,
    },
    /// Something of the runner's own went wrong and it goes on: for the activity list.
    Trouble {
        /// In plain language.
        message: SafeLine,
    },
}

/// What the runner is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunnerStatus {
    /// Claims or not.
    pub phase: Phase,
    /// Attempts running in this process.
    pub busy: u32,
    /// Attempts that may run at a time.
    pub slots: u32,
}

/// Whether the runner takes jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It takes jobs.
    #[default]
    Running,
    /// It takes no more and waits for what runs.
    Draining,
    /// It has ended.
    Stopped,
}

/// Whether documents are locked in Redis while they are synced.
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
    /// Since when Redis is away.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Off | Self::Fine => None,
            Self::Degraded { since, .. } | Self::Deaf { since, .. } | Self::Stopped { since, .. } => Some(*since),
        }
    }

    /// What is said when a Redis that was away answers again.
    pub const BACK: &str = "Redis answers again: documents are locked";

    /// What is wrong and what it means, in a sentence; `None` when nothing is.
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

/// Whether the database answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It does.
    #[default]
    Fine,
    /// It does not; nothing is claimed until it does again.
    Unreachable {
        /// Since when.
        since: Timestamp,
        /// Why, in plain language.
        reason: SafeLine,
        /// When it is tried again.
        next_try_at: Timestamp,
    },
}
