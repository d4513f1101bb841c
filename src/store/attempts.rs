//! Attempts from the claim to the end: rows marked `syncing`, finishes, heartbeats, the rescue of what dead workers
//! leased, texts kept apart for review, and the outbox of other programs.

pub(in crate::store) mod finish;
pub(in crate::store) mod liveness;
pub(in crate::store) mod mark;
pub(in crate::store) mod outbox;
pub(in crate::store) mod review;
pub(in crate::store) mod workers;
