//! What this program knows of Chatwoot, as pure functions: how it stores its settings, which plans its scheduler
//! serves on which day, how its log lines look, and the Sidekiq payload of its FAQ job.
//!
//! Chatwoot is the Rails application whose documents this program can keep fresh on Chatwoot's own database. Its SQL
//! is in `store`, its Redis lists in `lock`; both use this module, and nothing in `domain` knows of it.

pub mod faq_job;
pub mod rails_log;
pub mod schedule;
pub mod settings;
