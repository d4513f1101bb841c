//! Tests how texts and their changes leave the store, with the real program.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[cfg(feature = "faults")]
mod consumer;
mod exporting;
mod following;
mod large;
mod versions;
