//! The outbox's subscribers (receivers of outcomes outside the store) that the settings name.

use crate::chatwoot::faq_job::FaqSwitch;
use crate::config::Config;
use crate::domain::outbox::{Deliver, Subscriber};
use crate::fetch::{FetchSetupError, SentryReports};
use crate::lock::{FaqJobs, Redis};
use crate::store::OutboxStore;
use std::sync::Arc;

/// Returns the subscribers that the settings name. They deliver their messages over `redis`, which a process without a
/// runner need not pass.
pub(super) fn configured(
    config: &Config,
    store: &dyn OutboxStore,
    redis: Option<&Arc<Redis>>,
) -> Result<Vec<Arc<dyn Deliver>>, FetchSetupError> {
    let mut subscribers: Vec<Arc<dyn Deliver>> = Vec::new();
    if wants_faq_jobs(config, store) {
        subscribers.push(Arc::new(FaqJobs::new(config.faq_job.clone(), redis.cloned())));
    }
    if let Some(dsn) = &config.errors.sentry {
        subscribers.push(Arc::new(SentryReports::new(dsn.clone(), &config.fetch)?));
    }
    Ok(subscribers)
}

/// Registers the subscribers with the store, so that this process's outcomes create messages for them. A worker
/// delivers these messages.
pub(super) fn subscribe(config: &Config, store: &dyn OutboxStore) -> Result<(), FetchSetupError> {
    for subscriber in configured(config, store, None)? {
        store.subscribe(subscriber as Arc<dyn Subscriber>);
    }
    Ok(())
}

fn wants_faq_jobs(config: &Config, store: &dyn OutboxStore) -> bool {
    match config.faq_job.switch {
        FaqSwitch::Off => false,
        FaqSwitch::On => true,
        FaqSwitch::Auto => store.is_chatwoot_database() && config.redis.is_used(),
    }
}
