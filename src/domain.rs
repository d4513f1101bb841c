//! The pure room: what a document, a job, an attempt and an outcome are, and how each becomes the next.
//!
//! Knows std, serde with its JSON, sha2, url, unicode-width, async-trait and the time crate; no clock, no I/O. Everything that can be decided
//! without looking at the world is decided here, so that both databases, the console and the command line agree.

pub mod backoff;
pub mod content;
pub mod difference;
pub mod document;
pub mod duration;
pub mod failure;
pub mod filter;
pub mod finding;
pub mod fingerprint;
pub mod guard;
pub mod id;
pub mod job;
pub mod link;
pub mod lock;
pub mod outbox;
pub mod outcome;
pub mod pause;
pub mod plan;
pub mod politeness;
pub mod request;
pub mod retry;
pub mod schedule;
pub mod secret;
pub mod site_rule;
pub mod suggest;
pub mod text;
pub mod time;
pub(crate) mod word_enum;
