//! Checks of the outbox: Chatwoot's FAQ jobs, and the pending messages of every subscriber.

use crate::chatwoot::faq_job::{FaqSwitch, SUBSCRIBER, WRAPPER_CLASS};
use crate::chatwoot::schedule::plans_of_day;
use crate::chatwoot::sidekiq::Unserved;
use crate::cli::wiring::connect_watcher;
use crate::config::Config;
use crate::domain::chatwoot_job::ChatwootJobState;
use crate::domain::finding::Finding;
use crate::domain::notification::SinkName;
use crate::domain::outbox::SubscriberStatus;
use crate::domain::time::Timestamp;
use crate::format::{age, count, number as number_of, until};
use crate::lock::{ConnectionState, Redis};
use crate::store::{Store, StoreError};

const FAQ: &str = "FAQ jobs";
const CHATWOOT_JOBS: &str = "Chatwoot jobs";

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
                found.extend(chatwoots_own(&redis, store).await);
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

/// Returns the finding about the FAQs of documents; `None` if the store is not Chatwoot's.
pub(super) async fn coverage(store: &dyn Store) -> Option<Finding> {
    const CHECK: &str = "FAQs";
    if !store.is_chatwoot_database() {
        return None;
    }
    Some(match store.unreadable_faqs().await {
        Ok(None) => Finding::ok(CHECK, "are counted for each document"),
        Ok(Some(reason)) => Finding::warn(CHECK, reason, "GRANT SELECT ON captain_assistant_responses to this role"),
        Err(error) => Finding::warn(CHECK, error.to_string(), "run doctor again"),
    })
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
    // Sinks have findings of their own.
    let others = pending.iter().filter(|status| SinkName::of_subscriber(&status.subscriber).is_none());
    Ok(others.map(finding).collect())
}

/// Returns the finding about Chatwoot's own jobs for documents, as the jobs view shows them; none if Redis does not
/// answer, or if the store is no Chatwoot database.
async fn chatwoots_own(redis: &Redis, store: &dyn Store) -> Option<Finding> {
    let now = store.now();
    let jobs = redis.chatwoot_jobs(now).await.ok().filter(|_| store.is_chatwoot_database())?;
    if let Some(problem) = &jobs.problem {
        let cure = "grant what the page chatwoot lists, or do without Chatwoot's jobs in the jobs view";
        return Some(Finding::warn(CHATWOOT_JOBS, problem.to_string(), cure));
    }
    let of_state = |state: ChatwootJobState| {
        let number = jobs.jobs.iter().filter(|job| job.state == state).count() as u64;
        (number > 0).then(|| format!("{} {}", number_of(number), state.word()))
    };
    let states: Vec<String> = ChatwootJobState::ALL.into_iter().filter_map(of_state).collect();
    let states = if states.is_empty() { "none for documents".to_owned() } else { states.join(", ") };
    let read = match jobs.is_cut() {
        true => format!(" among the first {} of {} entries", number_of(jobs.examined), number_of(jobs.total)),
        false => String::new(),
    };
    let schedule = match jobs.next_schedule {
        Some(at) => format!("its scheduler runs {} for the plans {}", until(now, at), plan_names(at)),
        None => "no rule of sidekiq-cron starts its scheduler".to_owned(),
    };
    Some(Finding::ok(CHATWOOT_JOBS, format!("{states}{read}; {schedule}")))
}

fn plan_names(at: Timestamp) -> String {
    plans_of_day(at).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
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
