//! The parts of the store that several users share: its state, and signals about commits.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::topic::TopicSet;
use crate::store::{Changes, Result, SchemaMismatch};
use async_trait::async_trait;
use tokio::sync::watch;

/// The part of an open store that every user needs.
#[async_trait]
pub trait StoreBase: Send + Sync + 'static {
    /// Returns the store's name for the screen, without secrets: `sqlite knowledge.db`.
    fn label(&self) -> SafeLine;

    /// Returns the time of the store's clock, UTC.
    fn now(&self) -> Timestamp;

    /// Returns true if the documents are Chatwoot's own. Chatwoot's scheduler may then run at the same time as this
    /// program.
    fn is_chatwoot_database(&self) -> bool {
        false
    }

    /// Subscribes to changes by commits of this process and of others, with their topics: hints what to read again.
    /// Several commits in quick succession may count as one, and a change may be published without a commit. Heartbeats
    /// of workers, and leases that they renew, are no changes.
    fn changes(&self) -> Changes;

    /// Returns a channel for the mismatch of schema versions. It contains `None` until the store turns out to have
    /// another version than this program, for example because another process has migrated it. A mismatch is never
    /// reset to `None`. While the versions differ, every write fails with
    /// [`StoreError::Schema`](crate::store::StoreError::Schema), and reads may be wrong.
    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>>;

    /// Returns the current figures of the queue.
    async fn queue(&self) -> Result<QueueState>;

    /// Waits until this process has no write in progress, and delays further writes (on PostgreSQL further reads, too)
    /// until the result is dropped. Call this before the process is suspended: a suspended process that has SQLite's
    /// write lock would block every other process.
    async fn quiesce(&self) -> Box<dyn Send> {
        Box::new(())
    }
}

/// Signals about commits, for programs that pass them on between the processes of a store.
pub trait CommitSignals: StoreBase {
    /// Subscribes to changes by commits of this process, without those of other processes. A process publishes only its
    /// own commits; otherwise it would send the notifications of others back to them. Several commits in quick
    /// succession may count as one.
    fn commits(&self) -> Changes;

    /// Publishes to the subscribers of [`StoreBase::changes`] that data of these topics has changed; called when
    /// another process has reported a commit.
    fn notify_remote_commit(&self, topics: TopicSet);
}

/// Figures of the queue: jobs by state, the oldest ready job, the next due time, and the number of live workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Ready jobs, including those that a pause, a limit or a back-off keeps from being claimed.
    pub ready: u64,
    /// Running jobs of all workers.
    pub running: u64,
    /// Scheduled jobs that have had an attempt, or that wait for a document's lock.
    pub waiting: u64,
    /// All other scheduled jobs: no attempt so far, and no wait for a lock.
    pub scheduled: u64,
    /// Jobs among `ready` and `waiting` that a pause stops, or the window of their plan.
    pub paused: u64,
    /// Earliest time from which a ready job has been due, UTC; `None` without a ready job.
    pub oldest_ready_at: Option<Timestamp>,
    /// Earliest time at which a scheduled job is due, or at which a host with ready jobs may be fetched from again
    /// (after a back-off or the minimum time between two claims), or the window of a plan with ready jobs opens, UTC.
    pub next_due_at: Option<Timestamp>,
    /// Registered workers whose process is alive.
    pub workers: u64,
}
