//! Combined interfaces, for users that need several of them.

use crate::domain::lock::StoreId;
use crate::store::interface::base::CommitSignals;
use crate::store::interface::batches::BatchStore;
use crate::store::interface::chatwoot::ChatwootStore;
use crate::store::interface::documents::DocumentStore;
use crate::store::interface::figures::FigureStore;
use crate::store::interface::jobs::JobStore;
use crate::store::interface::outbox::OutboxStore;
use crate::store::interface::queries::Queries;
use crate::store::interface::retention::RetentionStore;
use crate::store::interface::schedule::ScheduleStore;
use crate::store::interface::sinks::SinkStore;
use crate::store::interface::sources::SourceStore;
use crate::store::interface::status::StatusStore;
use crate::store::interface::templates::TemplateStore;
use crate::store::interface::texts::TextStore;
use crate::store::{Result, UpgradeReport};
use async_trait::async_trait;

/// The interfaces that the runner needs.
pub trait RunnerStore:
    JobStore
    + ScheduleStore
    + OutboxStore
    + SinkStore
    + SourceStore
    + StatusStore
    + TemplateStore
    + RetentionStore
    + CommitSignals
{
}

impl<
    S: JobStore
        + ScheduleStore
        + OutboxStore
        + SinkStore
        + SourceStore
        + StatusStore
        + TemplateStore
        + RetentionStore
        + CommitSignals,
> RunnerStore for S
{
}

/// The interfaces that the console needs.
pub trait ConsoleStore: DocumentStore + BatchStore + SourceStore + Queries + TextStore {}

impl<S: DocumentStore + BatchStore + SourceStore + Queries + TextStore> ConsoleStore for S {}

/// A whole store, for the code that opens and closes it and passes its interfaces on.
#[async_trait]
pub trait Store: RunnerStore + ConsoleStore + ChatwootStore + TextStore + FigureStore {
    /// Returns the store's identity for other programs; created with the schema, never changed.
    async fn id(&self) -> Result<StoreId>;

    /// Returns the migration that opening the store made; `None` if the store was up to date or new, and always on
    /// PostgreSQL.
    fn upgraded(&self) -> Option<UpgradeReport>;

    /// Writes pending finishes and marks, and closes the store.
    async fn close(&self);
}
