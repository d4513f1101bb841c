//! The parts of the store that several users share: its state, and the news of commits.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{Result, SchemaMismatch};
use async_trait::async_trait;
use tokio::sync::watch;

/// The part of an open store that every user has.
#[async_trait]
pub trait StoreBase: Send + Sync + 'static {
    /// Returns the store's name for the screen, without secrets: `sqlite knowledge.db`.
    fn label(&self) -> SafeLine;

    /// Returns the time of the store's clock, UTC.
    fn now(&self) -> Timestamp;

    /// Returns true if the documents are Chatwoot's own, whose scheduler may run beside this program.
    fn is_chatwoots(&self) -> bool {
        false
    }

    /// Returns a counter that grows when this process or another has committed: a hint to read again. Commits in quick
    /// succession may grow it once.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Returns the mismatch of schema versions, set when another process has migrated the store and never reset: every
    /// write fails with [`StoreError::Schema`](crate::store::StoreError::Schema) from then on, and reads may be wrong.
    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>>;

    /// Returns the queue in figures.
    async fn queue(&self) -> Result<QueueState>;

    /// Waits until this process is in the middle of no write, and delays further writes until the result is dropped: a
    /// process that is suspended while it holds the lock of an embedded database would stop every other one.
    async fn at_rest(&self) -> Box<dyn Send> {
        Box::new(())
    }
}

/// Commits as signals between the processes of a store.
pub trait CommitSignals: StoreBase {
    /// Returns a counter that grows when this process has committed, never because of another process: a process that
    /// published the commits of others would send their messages back. Commits in quick succession may grow it once.
    fn commits(&self) -> watch::Receiver<u64>;

    /// Reports that another process has committed; wakes those who wait for [`StoreBase::changes`].
    fn hint(&self);
}

/// The queue in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Jobs ready for a slot.
    pub ready: u64,
    /// Jobs running, of every worker.
    pub running: u64,
    /// Jobs that wait for their next try.
    pub waiting: u64,
    /// Jobs that wait for their first time.
    pub scheduled: u64,
    /// Of the ready and waiting ones, those that a pause holds.
    pub paused: u64,
    /// When the oldest ready job became ready.
    pub oldest_ready_at: Option<Timestamp>,
    /// When the next scheduled job is due, or the next host of ready jobs may be asked again.
    pub next_due_at: Option<Timestamp>,
    /// Workers that are alive.
    pub workers: u64,
}
