//! The interfaces of the store, one per kind of user, with the types of their arguments and results.
//!
//! The runner claims and finishes jobs through [`JobStore`](jobs::JobStore). Verbs (commands of the command line) and
//! the console change documents through [`DocumentStore`](documents::DocumentStore) and read through
//! [`Queries`](queries::Queries). Passes of the schedule use [`ScheduleStore`](schedule::ScheduleStore), relays of
//! messages to subscribers use [`OutboxStore`](outbox::OutboxStore), [`SinkStore`](sinks::SinkStore) has the receivers of
//! notifications, [`BatchStore`](batches::BatchStore) the acts on many documents, [`SourceStore`](sources::SourceStore) the sources in which pages are discovered, [`StatusStore`](status::StatusStore) keeps stored statuses correct, [`TemplateStore`](templates::TemplateStore) has the templates of hosts,
//! [`TextStore`](texts::TextStore) gives texts and their changes out, [`RetentionStore`](retention::RetentionStore)
//! removes what is old, and [`ChatwootStore`](chatwoot::ChatwootStore) reads the tables of a Chatwoot database. All of them
//! extend [`StoreBase`](base::StoreBase); [`Store`](store::Store) is all of them.

pub(in crate::store) mod base;
pub(in crate::store) mod batches;
pub(in crate::store) mod chatwoot;
pub(in crate::store) mod dashboard;
pub(in crate::store) mod documents;
pub(in crate::store) mod failures;
pub(in crate::store) mod figures;
pub(in crate::store) mod jobs;
pub(in crate::store) mod outbox;
pub(in crate::store) mod queries;
pub(in crate::store) mod retention;
pub(in crate::store) mod schedule;
pub(in crate::store) mod sinks;
pub(in crate::store) mod sources;
pub(in crate::store) mod status;
pub(in crate::store) mod store;
pub(in crate::store) mod templates;
pub(in crate::store) mod texts;
