//! The figures of the console's dashboard.

use crate::domain::document::DocumentRow;
use crate::domain::sample::{MinuteSample, QueueLevel};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use std::time::Duration;

/// Figures of the last day at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DashboardFigures {
    /// The minutes of the last day that are known, oldest first. Those after the last sample are counted from the
    /// outcomes of the last hour, the current one as far as it goes.
    pub minutes: Vec<(Timestamp, MinuteSample)>,
    /// The queue now.
    pub queue: QueueLevel,
    /// Size of the store in bytes now.
    pub disk: u64,
    /// Hosts with the longest median duration of an attempt in the last hour, the longest first, at most
    /// [`SHOWN`](Self::SHOWN).
    pub slowest: Vec<SlowHost>,
    /// Documents whose next attempt is due first, as the list sorts them by `next`, at most [`SHOWN`](Self::SHOWN).
    pub next: Vec<DocumentRow>,
}

impl DashboardFigures {
    /// Number of hosts and documents.
    pub const SHOWN: usize = 5;
}

/// A host and the duration of its attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowHost {
    pub host: SafeLine,
    /// Number of attempts in the last hour.
    pub attempts: u64,
    /// Median duration of these attempts.
    pub median: Duration,
}
