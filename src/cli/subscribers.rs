//! The subscribers of the outbox that the settings name: each with its messages and the way to its receiver.

use crate::chatwoot::faq_job::FaqSwitch;
use crate::config::Config;
use crate::domain::outbox::{Deliver, Subscriber};
use crate::lock::{FaqJobs, Redis};
use crate::store::OutboxStore;
use std::sync::Arc;

/// Returns the subscribers for a worker, whose messages it makes and delivers.
pub(super) fn of(config: &Config, store: &dyn OutboxStore, redis: Option<&Arc<Redis>>) -> Vec<Arc<dyn Deliver>> {
    let mut subscribers: Vec<Arc<dyn Deliver>> = Vec::new();
    if wants_faq_jobs(config, store) {
        subscribers.push(Arc::new(FaqJobs::new(config.faq_job.clone(), redis.cloned())));
    }
    subscribers
}

/// Has the messages made for outcomes that a process without a worker records; the next worker delivers them.
pub(super) fn subscribe(config: &Config, store: &dyn OutboxStore) {
    for subscriber in of(config, store, None) {
        store.subscribe(subscriber as Arc<dyn Subscriber>);
    }
}

fn wants_faq_jobs(config: &Config, store: &dyn OutboxStore) -> bool {
    match config.faq_job.switch {
        FaqSwitch::Off => false,
        FaqSwitch::On => true,
        FaqSwitch::Auto => store.is_chatwoots() && config.redis.used_url().is_some(),
    }
}
