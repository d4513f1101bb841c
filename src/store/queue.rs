//! The queue of jobs: requests that fill it, fair-queue lanes, claims that take from it, pauses and host back-off that
//! keep jobs in it, and what a job's transition writes.

pub(in crate::store) mod apply;
pub(in crate::store) mod claim;
pub(in crate::store) mod contents;
pub(in crate::store) mod documents;
pub(in crate::store) mod enqueue;
pub(in crate::store) mod host_backoff;
pub(in crate::store) mod lanes;
pub(in crate::store) mod pauses;
pub(in crate::store) mod purge;
pub(in crate::store) mod requests;
pub(in crate::store) mod tries;
