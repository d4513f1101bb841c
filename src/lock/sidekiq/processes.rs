//! Reads which processes of Sidekiq are alive and which queues they serve.

use crate::chatwoot::sidekiq::{SidekiqProcess, Unserved, choose_queue, faq_queue_of, is_queue_name};
use crate::lock::{Redis, RedisUnavailable};
use redis::Value;

/// Maximum number of processes, and of queues, that are read.
pub(super) const MAX_READ: usize = 200;
/// Index of the last payload that is read of a list or set.
const LAST_SCANNED_INDEX: isize = 19;

impl Redis {
    /// Returns the live processes of Sidekiq. Their records expire a minute after their last heartbeat.
    pub async fn sidekiq_processes(&self) -> Result<Vec<SidekiqProcess>, RedisUnavailable> {
        let mut processes = Vec::new();
        for identity in self.members("processes").await?.into_iter().take(MAX_READ) {
            let mut record = redis::cmd("HMGET");
            record.arg(identity).arg(&["info", "quiet"]);
            let fields: Vec<Option<Vec<u8>>> = self.read(record).await?;
            if let [Some(info), quiet] = &fields[..] {
                processes.extend(SidekiqProcess::parse(info, quiet.as_deref()));
            }
        }
        Ok(processes)
    }

    /// Returns the queue for an FAQ job that a live process serves, or the reason why there is none.
    pub async fn served_queue(&self, configured: Option<&str>) -> Result<Result<String, Unserved>, RedisUnavailable> {
        let processes = self.sidekiq_processes().await?;
        let newest = if configured.is_none() { self.newest_faq_queue().await? } else { None };
        Ok(choose_queue(configured, newest.as_deref(), &processes))
    }

    /// Returns the queue of the newest FAQ job that is queued or waits for a retry.
    async fn newest_faq_queue(&self) -> Result<Option<String>, RedisUnavailable> {
        let queues = self.members("queues").await?.into_iter().filter_map(|name| String::from_utf8(name).ok());
        let queues = queues.filter(|name| is_queue_name(name)).take(MAX_READ);
        let mut lists: Vec<_> = queues.map(|name| ("LRANGE", format!("queue:{name}"))).collect();
        lists.extend(["retry", "schedule"].map(|name| ("ZREVRANGE", name.to_owned())));
        let mut newest: Option<(f64, String)> = None;
        for (command, key) in lists {
            let mut range = redis::cmd(command);
            range.arg(key).arg(0).arg(LAST_SCANNED_INDEX);
            let payloads: Vec<Vec<u8>> = self.read(range).await?;
            for found in payloads.iter().filter_map(|payload| faq_queue_of(payload)) {
                if newest.as_ref().is_none_or(|(at, _)| found.0 > *at) {
                    newest = Some(found);
                }
            }
        }
        Ok(newest.map(|(_, queue)| queue))
    }

    async fn members(&self, key: &str) -> Result<Vec<Vec<u8>>, RedisUnavailable> {
        let mut members = redis::cmd("SMEMBERS");
        members.arg(key);
        self.read(members).await
    }

    /// Runs a command that reads. A key of another type belongs to another program, and counts as an empty one.
    async fn read<T: redis::FromRedisValue + Default>(&self, command: redis::Cmd) -> Result<T, RedisUnavailable> {
        let (number, mut open) = self.opened()?;
        let reply = async {
            match command.query_async::<Value>(&mut open).await {
                Err(error) if error.code() == Some("WRONGTYPE") => Ok(Value::Nil),
                other => other,
            }
        };
        Ok(redis::from_redis_value(self.answer(number, reply).await?).unwrap_or_default())
    }
}
