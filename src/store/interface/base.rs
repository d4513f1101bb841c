//! The parts of the store that several users share: its state, and signals about commits.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{Result, SchemaMismatch};
use async_trait::async_trait;
use tokio::sync::watch;

/// The part of an open store that every user needs.
#[async_trait]
pub trait StoreBase: Send + Sync + 'static {
    /// Returns the store's name for the screen, without secrets: `sqlite knowledge.db`.
    fn label(&self) -> SafeLine;

    /// Returns the time of the store's clock, UTC.
    fn now(&self) -> Timestamp;

    /// Returns true if the documents are Chatwoot's own; its scheduler may then run at the same time as this program.
    fn is_chatwoot_database(&self) -> bool {
        false
    }

    /// Returns a counter that grows when this process or another has committed: a hint to read again. Commits in quick
    /// succession may grow it once.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Returns the mismatch of schema versions, set when another process has migrated the store and never reset: every
    /// write fails with [`StoreError::Schema`](crate::store::StoreError::Schema) from then on, and reads may be wrong.
    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>>;

    /// Returns the number of jobs in each state, and when the next one is due.
    async fn queue(&self) -> Result<QueueState>;

    /// Waits until this process has no write in progress, and delays further writes until the result is dropped. Call
    /// it before the process is suspended: a process that is suspended while it holds the lock of an embedded database
    /// would block every other one.
    async fn quiesce(&self) -> Box<dyn Send> {
        Box::new(())
    }
}

/// Signals about commits, sent between the processes of a store.
pub trait CommitSignals: StoreBase {
    /// Returns a counter that grows when this process has committed, never because of another process: a process that
    /// published the commits of others would send their messages back. Commits in quick succession may grow it once.
    fn commits(&self) -> watch::Receiver<u64>;

    /// Reports that another process has committed; wakes those who wait for [`StoreBase::changes`].
    fn notify_remote_commit(&self);
}

/// Figures of the queue at one instant: jobs by state, the oldest ready job, the next due time, and workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Jobs that are ready to be claimed.
    pub ready: u64,
    /// Running jobs of all workers.
    pub running: u64,
    /// Scheduled jobs that wait for a retry or for a document's lock.
    pub waiting: u64,
    /// Scheduled jobs without an attempt so far.
    pub scheduled: u64,
    /// Those of the ready and waiting jobs that a pause stops.
    pub paused: u64,
    /// Time at which the oldest ready job became ready, UTC.
    pub oldest_ready_at: Option<Timestamp>,
    /// Time at which the next scheduled job is due or the next back-off of a host with ready jobs ends, UTC.
    pub next_due_at: Option<Timestamp>,
    /// Registered workers whose process is alive.
    pub workers: u64,
}
