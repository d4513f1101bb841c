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
