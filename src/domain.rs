//! Pure rules of the program: documents, jobs, attempts and outcomes, and the transitions between them.
//!
//! This module uses std, async-trait, base64, hmac, jiff, serde with its JSON, sha2, strsim, thiserror,
//! unicode-segmentation, unicode-width and url, but no clock and no I/O: callers pass in the time. Rules that several
//! modules share are here, so that both databases, the console and the command line decide in the same way.

pub mod backoff;
pub mod batch;
pub mod body_digest;
pub mod calendar;
pub mod chatwoot_job;
pub mod chatwoot_text;
pub mod content;
pub mod content_guard;
pub mod credential;
pub mod cursor;
pub mod day;
pub mod difference;
pub mod document;
pub mod duration;
pub mod error_report;
pub mod estimate;
pub mod export;
pub mod extraction;
pub mod failure;
pub mod failure_cause;
pub mod faq;
pub mod filter;
pub mod finding;
pub mod fingerprint;
pub mod histogram;
pub mod host_backoff;
pub mod id;
pub mod job;
pub mod link;
pub mod listing;
pub mod lock;
pub mod log_level;
pub mod mask;
pub mod notification;
pub mod outbox;
pub mod outcome;
pub mod pause;
pub mod plan;
pub mod representation;
pub mod request;
pub mod retention;
pub mod retry;
pub mod sample;
pub mod schedule;
pub mod secret;
pub mod site_rule;
pub mod source;
pub mod stages;
pub mod suggest;
pub mod template;
pub mod text;
pub mod text_change;
pub mod text_comparison;
pub mod time;
pub mod topic;
pub(crate) mod word_enum;
