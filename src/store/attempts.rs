//! Attempts from the claim to the end: marking documents' rows as `syncing`, heartbeats, finishes (ends of attempts)
//! written in groups, the rescue of jobs that dead workers had leased, and the review of quarantined texts.

pub(in crate::store) mod chatwoot_texts;
mod clock_steps;
pub(in crate::store) mod finish;
pub(in crate::store) mod group_commit;
pub(in crate::store) mod host_markdown;
pub(in crate::store) mod leases;
pub(in crate::store) mod liveness;
pub(in crate::store) mod mark;
pub(in crate::store) mod rescue;
pub(in crate::store) mod restore;
pub(in crate::store) mod review;
pub(in crate::store) mod workers;
