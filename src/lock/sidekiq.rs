//! Delivery of FAQ jobs, in which Chatwoot rebuilds the questions and answers of a changed document. They go to
//! Sidekiq, the job queue of Chatwoot, whose lists are in the Redis database that also has the documents' locks. The
//! keys of these lists have no prefix: Chatwoot puts its locks in the namespace `alfred`, but not its Sidekiq.

mod document_jobs;
mod processes;

use super::{ConnectionState, Redis, RedisUnavailable, locked};
use crate::chatwoot::faq_job::{
    FaqSettings, FaqSwitch, MEMORY, PayloadFormat, SUBSCRIBER, SidekiqTimes, WRAPPER_CLASS, format_of, message,
    sidekiq_entry,
};
use crate::domain::outbox::{
    Deliver, DeliveryError, OutboxMessage, OutcomeEvent, PendingDelivery, ReceiverState, Subscriber,
};
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use redis::{Script, Value};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Time after which it is verified that a job was not lost in a failover. Longer than sentinels usually take to find
/// that a master is gone.
const VERIFIED_AFTER: Duration = Duration::from_secs(60);
/// Index of the last payload that is read from a set or list: the first 20 are enough to find the payload format.
const LAST_SCANNED_INDEX: isize = 19;

/// Enqueues the entry unless the marker key of its job exists: then an earlier delivery has enqueued it. This is a
/// single script, so that a process that dies leaves all steps done or none. The marker key is set last: Redis does not
/// undo the writes of a script that fails midway (a key of another type, a missing permission), and an entry that is
/// marked but not enqueued would be lost.
const PUSH: &str = "\
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[3], ARGV[2])
redis.call('SET', KEYS[1], '1', 'PX', ARGV[3])
return 1";

/// Result of delivering a job to Sidekiq; a second delivery within seven days enqueues nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushResult {
    Enqueued,
    /// An earlier delivery enqueued the job.
    Duplicate,
}

/// Chatwoot's FAQ job as a subscriber of the outbox: its messages become jobs in Sidekiq's queue.
pub struct FaqJobs {
    settings: FaqSettings,
    /// Redis that has Sidekiq's lists; `None` in a process that only creates messages and delivers none.
    redis: Option<Arc<Redis>>,
    /// True once Sidekiq's keys were found: a Redis that is emptied later still belongs to Chatwoot.
    sidekiq_detected: AtomicBool,
    /// Payload format once it is determined; it is determined again after each check of the receiver.
    form: Mutex<Option<PayloadFormat>>,
}

impl FaqJobs {
    /// Creates the subscriber. Without a Redis it creates messages and delivers none.
    pub fn new(settings: FaqSettings, redis: Option<Arc<Redis>>) -> Self {
        Self { settings, redis, sidekiq_detected: AtomicBool::new(false), form: Mutex::default() }
    }

    /// Returns the payload format: a queue that is served; the configured wrapper class, else that of the Rails jobs in
    /// Sidekiq's lists, else [`WRAPPER_CLASS`]; and the time format of those jobs, else seconds. Fails while no process
    /// of Sidekiq serves the queue: an entry there would wait for nobody.
    async fn form(&self, redis: &Redis) -> Result<PayloadFormat, DeliveryError> {
        if let Some(form) = locked(&self.form).clone() {
            return Ok(form);
        }
        let FaqSettings { wrapper, queue, .. } = &self.settings;
        let queue = redis.served_queue(queue.as_deref()).await.map_err(DeliveryError::unavailable)?;
        let queue = queue.map_err(DeliveryError::unavailable)?;
        let detected = redis.sidekiq_form(&queue).await.map_err(DeliveryError::unavailable)?;
        let (detected, times) = detected.unwrap_or_else(|| (WRAPPER_CLASS.to_owned(), SidekiqTimes::Seconds));
        let wrapper = wrapper.clone().unwrap_or(detected);
        let form = PayloadFormat { wrapper, queue, times };
        *locked(&self.form) = Some(form.clone());
        Ok(form)
    }
}

impl Subscriber for FaqJobs {
    fn name(&self) -> &str {
        SUBSCRIBER
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        message(event)
    }
}

#[async_trait]
impl Deliver for FaqJobs {
    async fn wait_reachable(&self) {
        match &self.redis {
            // Fails only when the sender is gone, and `self` owns it.
            Some(redis) => drop(redis.connection_state().wait_for(|state| *state == ConnectionState::Connected).await),
            None => std::future::pending().await,
        }
    }

    async fn receiver_state(&self) -> ReceiverState {
        let Some(redis) = self.redis.as_ref().filter(|redis| redis.is_connected()) else {
            return ReceiverState::Unreachable;
        };
        *locked(&self.form) = None;
        if self.settings.switch != FaqSwitch::Auto || self.sidekiq_detected.load(Ordering::Relaxed) {
            return ReceiverState::Ready;
        }
        match redis.has_sidekiq().await {
            Ok(true) => {
                self.sidekiq_detected.store(true, Ordering::Relaxed);
                ReceiverState::Ready
            }
            Ok(false) => ReceiverState::Absent,
            Err(_) => ReceiverState::Unreachable,
        }
    }

    /// Returns zero: Redis remembers the keys of the last seven days, so a second delivery is harmless.
    fn lease(&self) -> Duration {
        Duration::ZERO
    }

    /// Replication is asynchronous, so a replica that becomes the master may lack the last jobs.
    fn verified_after(&self) -> Option<Duration> {
        self.redis.as_ref().filter(|redis| redis.is_by_sentinel()).map(|_| VERIFIED_AFTER)
    }

    fn receiver_epoch(&self) -> u64 {
        self.redis.as_ref().map_or(0, |redis| redis.connection_number())
    }

    async fn has_received(&self, keys: &[String]) -> Result<Vec<bool>, DeliveryError> {
        let redis = self.redis.as_ref().ok_or_else(|| DeliveryError::unavailable("no Redis is configured"))?;
        redis.has_pushed(keys).await.map_err(DeliveryError::unavailable)
    }

    async fn deliver(&self, pending: &PendingDelivery, now: Timestamp) -> Result<(), DeliveryError> {
        let redis = self.redis.as_ref().ok_or_else(|| DeliveryError::unavailable("no Redis is configured"))?;
        let form = self.form(redis).await?;
        let id = uuid::Uuid::new_v4().to_string();
        let entry = sidekiq_entry(pending, &id, &form, now).map_err(DeliveryError::refused)?;
        // If Redis refuses one job it refuses all of them, because they go to the same queue.
        redis.push_job(&form.queue, &pending.key, &entry).await.map_err(DeliveryError::unavailable)?;
        Ok(())
    }
}

impl Redis {
    /// Returns true if this Redis database has keys of Sidekiq.
    pub async fn has_sidekiq(&self) -> Result<bool, RedisUnavailable> {
        let (number, mut open) = self.opened()?;
        let mut exists = redis::cmd("EXISTS");
        exists.arg(&["queues", "processes", "stat:processed"]);
        Ok(self.answer(number, exists.query_async::<i64>(&mut open)).await? > 0)
    }

    /// Returns wrapper class and time format of the first Rails job found in Sidekiq, among the first 20 entries of
    /// `queue` and of each of its usual queues and sets; `None` if there is no such job.
    pub async fn sidekiq_form(&self, queue: &str) -> Result<Option<(String, SidekiqTimes)>, RedisUnavailable> {
        let mut lists = vec![("LRANGE", format!("queue:{queue}"))];
        lists.extend(["default", "low", "scheduled_jobs"].map(|name| ("LRANGE", format!("queue:{name}"))));
        lists.extend(["retry", "schedule", "dead"].map(|name| ("ZREVRANGE", name.to_owned())));
        for (command, key) in lists {
            let (number, mut open) = self.opened()?;
            let mut range = redis::cmd(command);
            range.arg(key).arg(0).arg(LAST_SCANNED_INDEX);
            // A key of another type belongs to another program and says nothing about the connection.
            let reply = async {
                match range.query_async::<Value>(&mut open).await {
                    Err(error) if error.code() == Some("WRONGTYPE") => Ok(Value::Nil),
                    other => other,
                }
            };
            let found = self.answer(number, reply).await?;
            let payloads: Vec<Vec<u8>> = redis::from_redis_value(found).unwrap_or_default();
            // Jobs of this program may be among them, in the format that was known when they were written.
            if let Some(form) = payloads.iter().find_map(|payload| format_of(payload)) {
                return Ok(Some(form));
            }
        }
        Ok(None)
    }

    /// Enqueues `payload` in `queue`, unless a job with the id `jid` was enqueued by this program in the last seven
    /// days.
    pub async fn push_job(&self, queue: &str, jid: &str, payload: &str) -> Result<PushResult, RedisUnavailable> {
        let (number, mut open) = self.opened()?;
        let script = Script::new(PUSH);
        let mut call = script.key(marker(jid));
        call.key("queues").key(format!("queue:{queue}"));
        call.arg(queue).arg(payload).arg(u64::try_from(MEMORY.as_millis()).unwrap_or(u64::MAX));
        let now: bool = self.answer(number, call.invoke_async(&mut open)).await?;
        Ok(if now { PushResult::Enqueued } else { PushResult::Duplicate })
    }

    /// Returns for each id whether its job was enqueued by this program. The marker and the entry are replicated
    /// together, so a server that has one has had the other.
    pub async fn has_pushed(&self, jids: &[String]) -> Result<Vec<bool>, RedisUnavailable> {
        if jids.is_empty() {
            return Ok(Vec::new());
        }
        let (number, mut open) = self.opened()?;
        let mut get = redis::cmd("MGET");
        get.arg(jids.iter().map(|jid| marker(jid)).collect::<Vec<_>>());
        let found: Vec<Option<Vec<u8>>> = self.answer(number, get.query_async(&mut open)).await?;
        Ok(found.iter().map(Option::is_some).collect())
    }
}

/// Returns the key that remembers a job which was enqueued.
fn marker(jid: &str) -> String {
    format!("quarterdeck:told:{jid}")
}
