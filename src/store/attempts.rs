//! Attempts from the claim to the end: rows marked `syncing`, heartbeats, finishes written in groups, the rescue of what
//! dead workers had leased, and texts that a person reviews.

pub(in crate::store) mod finish;
pub(in crate::store) mod group_commit;
pub(in crate::store) mod leases;
pub(in crate::store) mod liveness;
pub(in crate::store) mod mark;
pub(in crate::store) mod rescue;
pub(in crate::store) mod review;
pub(in crate::store) mod workers;
