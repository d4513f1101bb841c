//! Rows of the tables as the types of the domain.

pub(in crate::store) mod documents;
pub(in crate::store) mod jobs;
pub(in crate::store) mod outbox;
pub(in crate::store) mod outcomes;
pub(in crate::store) mod workers;
