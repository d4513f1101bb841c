//! The queue of jobs: requests that add jobs, lanes (the ready jobs of one account, host and class, see *Fair queueing*
//! in the architecture page), claims, pauses and host back-off, the writes of a job's transition, and the upkeep of
//! stored statuses.

pub(in crate::store) mod apply;
pub(in crate::store) mod claim;
pub(in crate::store) mod contents;
pub(in crate::store) mod documents;
pub(in crate::store) mod enqueue;
pub(in crate::store) mod faqs;
pub(in crate::store) mod host_backoff;
pub(in crate::store) mod lanes;
pub(in crate::store) mod pauses;
pub(in crate::store) mod purge;
pub(in crate::store) mod requests;
pub(in crate::store) mod row_changes;
pub(in crate::store) mod shadow;
pub(in crate::store) mod status;
pub(in crate::store) mod tries;
pub(in crate::store) mod unfetchable;
pub(in crate::store) mod words;
