//! Chatwoot's conventions as pure functions: its stored settings, the plans that its scheduler serves on a day, its log
//! lines, the Sidekiq payload of its FAQ job, and the queues that its Sidekiq serves.
//!
//! Chatwoot is the Rails application whose documents this program can keep up to date in Chatwoot's own database. The
//! SQL for it is in `store`, its Redis lists are in `lock`; both use this module, and `domain` does not depend on it.

pub mod crawling;
mod cron;
pub mod document_jobs;
pub mod faq_job;
pub mod rails_log;
pub mod schedule;
pub mod settings;
pub mod sidekiq;
