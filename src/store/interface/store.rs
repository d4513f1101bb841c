//! Interfaces combined for those who need several of them.

use crate::domain::lock::StoreId;
use crate::store::interface::base::CommitSignals;
use crate::store::interface::chatwoot::ChatwootStore;
use crate::store::interface::documents::DocumentStore;
use crate::store::interface::jobs::JobStore;
use crate::store::interface::outbox::OutboxStore;
use crate::store::interface::queries::Queries;
use crate::store::interface::schedule::ScheduleStore;
use crate::store::{Result, Upgraded};
use async_trait::async_trait;

/// The interfaces that the runner works with.
pub trait RunnerStore: JobStore + ScheduleStore + OutboxStore + CommitSignals {}

impl<S: JobStore + ScheduleStore + OutboxStore + CommitSignals> RunnerStore for S {}

/// The interfaces that the console works with.
pub trait ConsoleStore: DocumentStore + Queries {}

impl<S: DocumentStore + Queries> ConsoleStore for S {}

/// A whole store, for those who open and close it and hand its interfaces to their users.
#[async_trait]
pub trait Store: RunnerStore + ConsoleStore + ChatwootStore {
    /// Returns the store's identity for other programs: made with its schema, never changed.
    async fn id(&self) -> Result<StoreId>;

    /// Returns the migration that opening the store has made; `None` when it was up to date, or new.
    fn upgraded(&self) -> Option<Upgraded>;

    /// Writes pending finishes and marks, and closes the store.
    async fn close(&self);
}
