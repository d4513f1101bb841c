//! Checks of the outbox: Chatwoot's FAQ jobs, and the pending messages of every subscriber.

use crate::chatwoot::faq_job::{FaqSwitch, SUBSCRIBER, WRAPPER_CLASS};
use crate::chatwoot::sidekiq::Unserved;
use crate::cli::wiring::connect_watcher;
use crate::config::Config;
use crate::domain::finding::Finding;
use crate::domain::outbox::SubscriberStatus;
use crate::format::{age, count};
use crate::lock::{ConnectionState, Redis};
use crate::store::{Store, StoreError};

const FAQ: &str = "FAQ jobs";

/// Returns the findings about Chatwoot's FAQ jobs; none if the setting is automatic and the store is no Chatwoot
/// database.
pub(super) async fn jobs(config: &Config, store: &dyn Store) -> Vec<Finding> {
    let switch = config.faq_job.switch;
    if switch == FaqSwitch::Auto && !store.is_chatwoot_database() {
        return Vec::new();
    }
    let mut found = Vec::new();
    if switch == FaqSwitch::Off {
        let message = "not started when a text changes (chatwoot.enqueue_faq_job = false)";
        found.push(Finding::ok(FAQ, message.to_owned()));
    } else {
        match connect_watcher(config, store).await {
            Ok(Some(redis)) => {
                redis.first_connection().await;
                found.push(in_redis(config, &redis).await);
                redis.close().await;
            }
            Ok(None) => found.push(Finding::warn(
                FAQ,
                "not started when a text changes: no Redis is configured",
                "set redis.url to Chatwoot's Redis, or set chatwoot.enqueue_faq_job = false",
            )),
            Err(error) => found.push(Finding::fail(FAQ, error.to_string(), "fix redis.url")),
        }
    }
    found
}

/// Returns a finding for each subscriber with pending messages, including subscribers that these settings do not name.
pub(super) async fn pending(store: &dyn Store) -> Result<Vec<Finding>, StoreError> {
    let pending = store.pending_deliveries().await?;
    let finding = |status: &SubscriberStatus| {
        let mut facts = format!("the oldest waiting for {}", age(store.now().since(status.oldest_at)));
        if let Some(reason) = &status.last_error {
            facts.push_str(&format!("; last error: {reason}"));
        }
        if status.subscriber.as_str() == SUBSCRIBER {
            return Finding::warn(
                FAQ,
                format!("{} not yet in Sidekiq's queue, {facts}", count(status.pending, "job")),
                "run a worker that reaches Chatwoot's Redis, with chatwoot.enqueue_faq_job = true",
            );
        }
        Finding::warn(
            "outbox",
            format!("subscriber {}: {} undelivered, {facts}", status.subscriber, count(status.pending, "message")),
            "run a worker whose settings have this subscriber, and check that the receiver answers",
        )
    };
    Ok(pending.iter().map(finding).collect())
}

async fn in_redis(config: &Config, redis: &Redis) -> Finding {
    let (faq, label) = (&config.faq_job, redis.label());
    let state = redis.connection_state().borrow().clone();
    if let ConnectionState::Unavailable(reason) = state {
        return Finding::warn(
            FAQ,
            format!("FAQ jobs are waiting because Redis does not answer: {reason}"),
            "make sure that Redis runs",
        );
    }
    let sidekiq = match redis.has_sidekiq().await {
        Ok(sidekiq) => sidekiq,
        Err(error) => return Finding::warn(FAQ, format!("FAQ jobs are waiting: {error}"), "make sure that Redis runs"),
    };
    if !sidekiq && faq.switch == FaqSwitch::Auto {
        let message = format!("not started when a text changes: Redis {label} has no Sidekiq");
        return Finding::warn(
            FAQ,
            message,
            "set redis.url to Chatwoot's Redis and database, or set chatwoot.enqueue_faq_job = false",
        );
    }
    let queue = match redis.served_queue(faq.queue.as_deref()).await {
        Ok(Ok(queue)) => queue,
        Ok(Err(reason @ Unserved::NoProcess)) => {
            let message = format!("FAQ jobs are waiting: {reason} in Redis {label}");
            return Finding::warn(FAQ, message, "start Chatwoot's Sidekiq; the jobs are put there then");
        }
        Ok(Err(reason @ Unserved::NoReader { .. })) => {
            let cure = "set chatwoot.faq_queue to a queue that Chatwoot's Sidekiq serves, or let it serve this one";
            return Finding::fail(FAQ, format!("FAQ jobs are waiting: {reason} in Redis {label}"), cure);
        }
        Err(error) => return Finding::warn(FAQ, format!("FAQ jobs are waiting: {error}"), "make sure that Redis runs"),
    };
    let detected = redis.sidekiq_form(&queue).await.ok().flatten().map(|(wrapper, _)| wrapper);
    let wrapper = faq.wrapper.clone().or(detected).unwrap_or_else(|| WRAPPER_CLASS.to_owned());
    Finding::ok(FAQ, format!("started when a text changes: queue {queue} of Redis {label}, as {wrapper}"))
}
