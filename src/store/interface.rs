//! The types that pass between the store and its users.

pub(in crate::store) mod console;
pub(in crate::store) mod documents;
pub(in crate::store) mod jobs;
pub(in crate::store) mod outbox;
pub(in crate::store) mod schedule;
pub(in crate::store) mod store;
