//! Events and states of a runner, for consoles and commands. Outcomes are not events: watchers read them from the store
//! by their sequence number ([`tail`](super::tail)), so none can be missed.

use crate::domain::document::SyncStep;
use crate::domain::id::DocumentId;
use crate::domain::job::ErrorReport;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::lock::ConnectionState;

/// Progress or a problem while jobs run. A receiver that lags misses events but no recorded data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A running attempt reached a step.
    Step { document: DocumentId, step: SyncStep },
    /// An attempt has ended, with or without a recorded outcome.
    Ended { document: DocumentId },
    /// The task of an attempt panicked. The runner goes on; the panic is recorded as the attempt's failure.
    Panicked { message: SafeLine },
    /// A job failed for good through errors of this program or lost workers, and needs a person's attention; sent once
    /// per job.
    Reported { report: ErrorReport },
    /// A problem of the runner that does not stop it, for the activity list.
    Problem {
        /// Description of the problem in plain language, for display.
        message: SafeLine,
    },
}

/// Phase and load of a runner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunnerStatus {
    pub phase: Phase,
    pub busy: u32,
    /// Maximum number of attempts that run at the same time.
    pub slots: u32,
}

/// Phase of a runner, from claiming to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    #[default]
    Running,
    /// The runner claims nothing until it is told to go on; running attempts go on.
    Off,
    /// The runner claims nothing more and waits for running attempts.
    Draining,
    /// The runner has no jobs any more. It may still deliver messages of the outbox for a few seconds.
    Stopped,
}

/// State of the Redis locks, for display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LockHealth {
    /// Redis is not used, or the first connection is still being made.
    #[default]
    Off,
    /// Redis answers.
    Fine,
    /// Redis is unavailable and `redis.lock` is preferred: syncs go on, protected by lease and fence.
    Degraded {
        /// Start of the outage, UTC.
        since: Timestamp,
        /// Cause of the outage in plain language, for display.
        reason: SafeLine,
    },
    /// Redis is unavailable to a process that only watches: changes by other processes appear later, and their steps
    /// not at all.
    Unsubscribed {
        /// Start of the outage, UTC.
        since: Timestamp,
        /// Cause of the outage in plain language, for display.
        reason: SafeLine,
    },
    /// Redis is unavailable and `redis.lock` is required: nothing is claimed, and running jobs are released.
    Stopped {
        /// Start of the outage, UTC.
        since: Timestamp,
        /// Cause of the outage in plain language, for display.
        reason: SafeLine,
    },
}

impl LockHealth {
    /// Returns the state after a change of the connection; `unavailable` builds the state for an unavailable Redis.
    pub(super) fn after(
        &self,
        state: ConnectionState,
        now: impl FnOnce() -> Timestamp,
        unavailable: impl FnOnce(Timestamp, SafeLine) -> Self,
    ) -> Self {
        match state {
            ConnectionState::Connecting => self.clone(),
            ConnectionState::Connected => Self::Fine,
            ConnectionState::Unavailable(reason) => unavailable(self.since().unwrap_or_else(now), reason),
        }
    }

    /// Returns the time (UTC) at which Redis became unavailable; `None` if Redis is available or unused.
    pub fn since(&self) -> Option<Timestamp> {
        match self {
            Self::Off | Self::Fine => None,
            Self::Degraded { since, .. } | Self::Unsubscribed { since, .. } | Self::Stopped { since, .. } => {
                Some(*since)
            }
        }
    }

    /// Notice for the moment when an unavailable Redis answers again.
    pub const RECOVERED: &str = "Redis answers again; syncs use its locks again";

    /// Describes the problem and its consequence in a sentence; `None` if there is no problem.
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Off | Self::Fine => None,
            Self::Degraded { reason, .. } => {
                Some(format!("DEGRADED: Redis is unavailable ({reason}); syncs continue without its locks"))
            }
            Self::Unsubscribed { reason, .. } => Some(format!(
                "DEGRADED: Redis is unavailable ({reason}); changes by other processes appear later, and the steps \
                 of their syncs not at all"
            )),
            Self::Stopped { reason, .. } => Some(format!(
                "Redis is unavailable ({reason}) and redis.lock is required: nothing is synced until it \
                     answers"
            )),
        }
    }
}

/// State of the database, for display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Health {
    #[default]
    Fine,
    /// The database does not answer; nothing is claimed until it does.
    Unreachable {
        /// Start of the outage, UTC.
        since: Timestamp,
        /// Cause of the outage in plain language, for display.
        reason: SafeLine,
        /// Time of the next attempt to reach the database, UTC.
        next_try_at: Timestamp,
    },
}
