//! The interface for figures that are read at short intervals, by whoever supervises many workers.

use crate::domain::host_backoff::BackoffKind;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::text::SafeLine;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::time::Duration;

/// Maximum number of hosts in [`StoreFigures::backoffs`].
pub const MAX_BACKOFFS: i64 = 50;

/// Figures of the queue and of the connections.
#[async_trait]
pub trait FigureStore: StoreBase {
    /// Returns the figures of the queue. Reads the jobs that are live and the hosts that wait, not the documents, in one
    /// snapshot, and holds up no writer.
    async fn figures(&self) -> Result<StoreFigures>;

    /// Returns the state of this process's connections to the database.
    fn connections(&self) -> ConnectionCounts;
}

/// Figures of the queue at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreFigures {
    /// Number of live jobs by class and state; groups without a job are left out.
    pub jobs: Vec<(QueueClass, JobState, u64)>,
    /// Time for which the oldest ready job has been due; `None` without a ready job.
    pub oldest_ready: Option<Duration>,
    /// Registered workers whose process is alive.
    pub workers: u64,
    /// Number of hosts in back-off, by its origin.
    pub backoff_counts: Vec<(BackoffKind, u64)>,
    /// Hosts with the longest remaining back-off, the longest first, at most [`MAX_BACKOFFS`].
    pub backoffs: Vec<HostWait>,
    /// Number of messages that each subscriber has not received yet.
    pub pending_messages: Vec<(SafeLine, u64)>,
}

/// The rest of a host's back-off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostWait {
    pub host: SafeLine,
    pub kind: BackoffKind,
    pub remaining: Duration,
}

/// Connections of this process to the database, apart from those that only listen or hold locks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Connections that are used at the moment.
    pub busy: u64,
    /// Most connections that may be used at a time.
    pub max: u64,
}
