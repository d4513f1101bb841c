//! Sidekiq's lists, as Chatwoot keeps them in the same Redis: without its namespace `alfred`, which is its own keys' alone
//! (its Sidekiq is given the bare address).

use super::{Away, Redis};
use crate::chatwoot::faq_job::{SidekiqTimes, format_of};
use redis::{Script, Value};
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
