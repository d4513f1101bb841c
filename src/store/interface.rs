//! The interfaces of the store's users, with the types that pass in and out.
//!
//! The runner claims and finishes by [`JobStore`](jobs::JobStore). Verbs and the console change documents by
//! [`DocumentStore`](documents::DocumentStore) and read by [`Queries`](queries::Queries). Passes of the schedule go
//! through [`ScheduleStore`](schedule::ScheduleStore), messages to subscribers through [`OutboxStore`](outbox::OutboxStore),
//! and [`ChatwootStore`](chatwoot::ChatwootStore) is for a database
//! that is Chatwoot's. Each builds on [`StoreBase`](base::StoreBase); [`Store`](store::Store) is all of them.

pub(in crate::store) mod base;
pub(in crate::store) mod chatwoot;
pub(in crate::store) mod documents;
pub(in crate::store) mod jobs;
pub(in crate::store) mod outbox;
pub(in crate::store) mod queries;
pub(in crate::store) mod schedule;
pub(in crate::store) mod store;
