//! The durable store of documents, jobs and outcomes, in SQLite or PostgreSQL. The only module with SQL.
//!
//! Each caller depends only on the interface that it needs, not on a database: workers on [`JobStore`], verbs (commands
//! of the command line) and the console on [`DocumentStore`] (changes) and [`Queries`] (reads), passes of the schedule
//! on [`ScheduleStore`], the relay of messages to subscribers on [`OutboxStore`]. [`ChatwootStore`] reads the tables of
//! a Chatwoot database. All of them extend [`StoreBase`]. [`RunnerStore`] and [`ConsoleStore`] combine what the runner
//! and the console need; [`Store`] is all of them, for the command line that opens it.
//!
//! The database is authoritative; [`StoreBase::changes`] is only a hint what to read again. Every method that writes does
//! so in one transaction, unless its comment says otherwise. A transaction reads the clock once.
//!
//! Statements and rules are written once for both databases, in modules by subject: `sql` (statements, connections,
//! write transactions), `queue` (requests, lanes, claims), `attempts` (marks, finishes, heartbeats, rescue), `schedule`
//! (passes), `outbox` (messages to subscribers), `sinks` (receivers of notifications), `batches` (acts on many documents),
//! `sources` (listings of pages, and what they propose), `samples` (figures of each minute), `chatwoot` (Chatwoot's own
//! tables), `queries` (reads for people).
//! `interface` defines the interfaces and their types, and `sql_store` implements each interface in a separate file.
//! `sqlite` and `postgres` contain what only one database has.

use std::sync::Arc;

mod address;
mod attempts;
mod backup;
mod batches;
mod changes;
mod chatwoot;
mod checks;
mod compact;
mod copy;
mod error;
mod examine;
mod interface;
mod migrations;
mod options;
mod outbox;
mod postgres;
mod queries;
mod queue;
mod retention;
mod run_upgrade;
mod samples;
mod schedule;
mod sinks;
mod sources;
mod sql;
mod sql_store;
mod sqlite;
mod store_contents;
mod templates;
mod unfinished_copy;
mod upgrade;
mod version;

pub use backup::{BackupMethod, ServerTools, back_up, backup_contents, backup_method, restore};
pub use changes::{ChangeSender, Changes};
pub use chatwoot::optional::{OPTIONAL_COLUMNS, OptionalColumns};
pub use checks::CheckDepth;
pub use compact::{compact, plan_compaction, store_file};
pub use copy::{CopyPhase, CopyProgress, CopyReport, CopyRequest, copy};
pub use error::{Result, StoreError};
pub use examine::{examine, write_lock_holder};
pub use interface::base::{CommitSignals, QueueState, StoreBase};
pub use interface::batches::{BatchOrdered, BatchStep, BatchStore, NewBatch};
pub use interface::chatwoot::{ChatwootStore, TextOrigins};
pub use interface::dashboard::{DashboardFigures, SlowHost};
pub use interface::documents::{
    AddResult, BulkVerb, Decision, DecisionResult, DocumentPage, DocumentRef, DocumentStore, NewDocument, PagePosition,
    PageQuery, Preview, QuarantinedContent, ReviewTarget, Sort, SortBy, StoredContent, StoredVersion, Targets,
};
pub use interface::failures::{FailureSummary, TREND_SLOTS};
pub use interface::figures::{ConnectionCounts, FigureStore, HostWait, StoreFigures};
pub use interface::jobs::{
    ClaimLimits, ClaimedJob, Finish, FinishResult, JobLease, JobStore, LeaseStatus, MarkResult, MarkTiming,
    RescueResult, WorkerInfo,
};
pub use interface::outbox::OutboxStore;
pub use interface::queries::{
    AccountSummary, DiskUse, HostSummary, JobBlockers, JobProgress, JobSummary, JobsPage, JobsQuery, Listing,
    MAX_SECTION_ROWS, OutcomeQuery, OutcomesFrom, Queries, WorkerHealth, WorkerSummary,
};
pub use interface::retention::{Removed, RetentionStep, RetentionStore};
pub use interface::schedule::{PassMode, PassRequest, PassResult, PassTrigger, PlanSource, Plans, ScheduleStore};
pub use interface::sinks::{SinkRegistration, SinkStore};
pub use interface::sources::{
    CompletedRead, FailedRead, MissingPage, MovedPage, NewSource, ProposalQuery, ProposalResult, SourceEdit,
    SourceEdited, SourceStore,
};
pub use interface::status::{CheckScope, StatusCheck, StatusStore};
pub use interface::store::{ConsoleStore, RunnerStore, Store};
pub use interface::templates::{TemplateCounts, TemplateStore};
pub use interface::texts::{RestoredText, StoredText, TextChanges, TextStore};
pub use migrations::SCHEMA_VERSION;
pub use options::{Access, Options, Recorder};
pub use postgres::migrate::migrate;
pub use run_upgrade::{missing_rights, older_workers, plan, upgrade};
pub use sql::clock::{Clock, ManualClock, SystemClock};
pub use sql::uptime::Uptime;
pub use sql_store::SqlStore;
pub use sqlite::write_lock::{ProcessState, WriteLockHolder};
pub use store_contents::{CompactionPlan, StoreContents};
pub use upgrade::{MigrationStep, OlderWorker, UpgradeOptions, UpgradeReport};
pub use version::SchemaMismatch;

/// Opens the store at `url` (`sqlite:PATH`, `postgres://…`). Fails with [`StoreError::Unusable`] if the URL or the
/// store is unsuitable; the message says what to do and never contains a password.
pub async fn open(url: &str, access: Access) -> Result<Arc<dyn Store>> {
    open_with(url, Options::new(access)).await
}

/// Opens a store like [`open`], with the caller's options, such as a clock or a recorder of outcomes.
pub async fn open_with(url: &str, options: Options) -> Result<Arc<dyn Store>> {
    Ok(SqlStore::open(url, options).await?)
}
