//! Conversion of table rows to the types of the domain and back.

pub(in crate::store) mod attempts;
pub(in crate::store) mod documents;
pub(in crate::store) mod jobs;
pub(in crate::store) mod outbox;
pub(in crate::store) mod outcomes;
pub(in crate::store) mod workers;
