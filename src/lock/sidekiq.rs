//! Sidekiq's lists, as Chatwoot keeps them in the same Redis: without its namespace `alfred`, which is its own keys' alone
//! (its Sidekiq is given the bare address).

use super::{Away, Reach, Redis, own};
use crate::chatwoot::faq_job::{
    FaqSettings, FaqSwitch, PayloadFormat, SUBSCRIBER, SidekiqTimes, WRAPPER, format_of, message, sidekiq_entry,
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

/// Time for which an enqueued job is remembered: a second delivery within it is ignored.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);
/// Payloads of a set or list that are looked at.
const LOOKED_AT: isize = 19;

/// Puts the entry in its queue unless that was done before. One script, so that a process that dies leaves both or
/// neither. It is remembered last: what a script has written before an error (a key of another kind, a right that is
/// missing) stands, and an entry that is remembered and not there would never be put there.
const PUSH: &str = "\
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('LPUSH', KEYS[3], ARGV[2])
redis.call('SET', KEYS[1], '1', 'PX', ARGV[3])
return 1";

/// Result of enqueueing a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The job was enqueued now.
    Now,
    /// The job had been enqueued before.
    Before,
}

/// Chatwoot's FAQ job as a subscriber of the outbox: its messages become jobs in Sidekiq's queue.
pub struct FaqJobs {
    settings: FaqSettings,
    /// `None` in a process that only makes the messages.
    redis: Option<Arc<Redis>>,
    /// A Sidekiq was seen there once: a Redis that was emptied since is still Chatwoot's.
    sidekiq_seen: AtomicBool,
    /// Form of the payloads, until the receiver is asked for again.
    form: Mutex<Option<PayloadFormat>>,
}

impl FaqJobs {
    /// Makes the subscriber. Without a Redis it makes messages and delivers none.
    pub fn new(settings: FaqSettings, redis: Option<Arc<Redis>>) -> Self {
        Self { settings, redis, sidekiq_seen: AtomicBool::new(false), form: Mutex::default() }
    }

    /// Returns the form of the payloads: as the settings say, else as the jobs that wait there are written.
    async fn form(&self, redis: &Redis) -> Result<PayloadFormat, Away> {
        if let Some(form) = own(&self.form).clone() {
            return Ok(form);
        }
        let FaqSettings { wrapper, queue, .. } = &self.settings;
        let seen = redis.sidekiq_form(queue).await?;
        let (seen, times) = seen.unwrap_or_else(|| (WRAPPER.to_owned(), SidekiqTimes::Seconds));
        let wrapper = wrapper.clone().unwrap_or(seen);
        let form = PayloadFormat { wrapper, queue: queue.clone(), times };
        *own(&self.form) = Some(form.clone());
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
    async fn reachable(&self) {
        match &self.redis {
            // Only fails when Redis is gone, which is within `self`.
            Some(redis) => drop(redis.reach().wait_for(|reach| *reach == Reach::Reached).await),
            None => std::future::pending().await,
        }
    }

    async fn receiver(&self) -> ReceiverState {
        let Some(redis) = self.redis.as_ref().filter(|redis| redis.is_reached()) else {
            return ReceiverState::Unreachable;
        };
        *own(&self.form) = None;
        if self.settings.switch != FaqSwitch::Auto || self.sidekiq_seen.load(Ordering::Relaxed) {
            return ReceiverState::Ready;
        }
        match redis.has_sidekiq().await {
            Ok(true) => {
                self.sidekiq_seen.store(true, Ordering::Relaxed);
                ReceiverState::Ready
            }
            Ok(false) => ReceiverState::Absent,
            Err(_) => ReceiverState::Unreachable,
        }
    }

    /// Redis remembers the keys of the last days: a second delivery does no harm.
    fn lease(&self) -> Duration {
        Duration::ZERO
    }

    async fn deliver(&self, pending: &PendingDelivery, now: Timestamp) -> Result<(), DeliveryError> {
        let redis = self.redis.as_ref().ok_or_else(|| DeliveryError::unavailable("no Redis is named"))?;
        let form = self.form(redis).await.map_err(DeliveryError::unavailable)?;
        let id = uuid::Uuid::new_v4().to_string();
        let entry = sidekiq_entry(pending, &id, &form, now).map_err(DeliveryError::refused)?;
        // A Redis that refuses one job refuses all of them: their queue is the same.
        redis.push_job(&form.queue, &pending.key, &entry).await.map_err(DeliveryError::unavailable)?;
        Ok(())
    }
}

impl Redis {
    /// Returns true if a Sidekiq uses this Redis database.
    pub async fn has_sidekiq(&self) -> Result<bool, Away> {
        let (number, mut open) = self.opened()?;
        let mut exists = redis::cmd("EXISTS");
        exists.arg(&["queues", "processes", "stat:processed"]);
        Ok(self.answer(number, exists.query_async::<i64>(&mut open)).await? > 0)
    }

    /// Wrapper class and times of a Rails job that waits there, in whichever list, if there is one.
    pub async fn sidekiq_form(&self, queue: &str) -> Result<Option<(String, SidekiqTimes)>, Away> {
        let mut lists = vec![("LRANGE", format!("queue:{queue}"))];
        lists.extend(["default", "low", "scheduled_jobs"].map(|name| ("LRANGE", format!("queue:{name}"))));
        lists.extend(["retry", "schedule", "dead"].map(|name| ("ZREVRANGE", name.to_owned())));
        for (command, key) in lists {
            let (number, mut open) = self.opened()?;
            let mut range = redis::cmd(command);
            range.arg(key).arg(0).arg(LOOKED_AT);
            // A key of another kind is somebody else's, and no reason to call Redis away.
            let looking = async {
                match range.query_async::<Value>(&mut open).await {
                    Err(error) if error.code() == Some("WRONGTYPE") => Ok(Value::Nil),
                    other => other,
                }
            };
            let found = self.answer(number, looking).await?;
            let payloads: Vec<Vec<u8>> = redis::from_redis_value(found).unwrap_or_default();
            // Our own are among them; they say what was known when they were written.
            if let Some(form) = payloads.iter().find_map(|payload| format_of(payload)) {
                return Ok(Some(form));
            }
        }
        Ok(None)
    }

    /// Puts `payload` in `queue`, once for each `jid`.
    pub async fn push_job(&self, queue: &str, jid: &str, payload: &str) -> Result<Pushed, Away> {
        let (number, mut open) = self.opened()?;
        let script = Script::new(PUSH);
        let mut call = script.key(format!("quarterdeck:told:{jid}"));
        call.key("queues").key(format!("queue:{queue}"));
        call.arg(queue).arg(payload).arg(u64::try_from(REMEMBERED.as_millis()).unwrap_or(u64::MAX));
        let now: bool = self.answer(number, call.invoke_async(&mut open)).await?;
        Ok(if now { Pushed::Now } else { Pushed::Before })
    }
}
