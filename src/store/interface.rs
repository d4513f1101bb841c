//! The types that pass between the store and its users.

pub(in crate::store) mod documents;
pub(in crate::store) mod jobs;
