//! Reads Chatwoot's own jobs for documents from Sidekiq's records, within bounds: so many entries, so many bytes, no
//! search over keys.

use super::processes::MAX_READ;
use crate::chatwoot::document_jobs::{EntryPosition, next_trigger, parse_entry, parse_running};
use crate::chatwoot::sidekiq::is_queue_name;
use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobState, ChatwootJobs};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::lock::{Redis, RedisUnavailable};
use redis::{FromRedisValue, Value};
use std::collections::BTreeSet;

/// Maximum number of entries that are read of one queue or set, those that run first.
const MAX_ENTRIES: u64 = 1_000;
/// Number of entries in one reply.
const PAGE: u64 = 50;
/// Number of bytes of entries after which no more are read: a crawled page may stand in each.
const MAX_BYTES: usize = 4 << 20;
/// Maximum number of rules of sidekiq-cron that are read.
const MAX_RULES: usize = 100;

/// What is left of the bounds, and what was found within them.
#[derive(Default)]
struct Reading {
    jobs: Vec<ChatwootJob>,
    /// Ids and states that were seen: an entry may move from one page to the next while they are read.
    seen: BTreeSet<(String, ChatwootJobState)>,
    examined: u64,
    total: u64,
    bytes: usize,
    /// Error of Redis for a command or a key that this user may not use.
    refused: Option<SafeLine>,
}

impl Reading {
    fn add(&mut self, entry: &[u8], job: Option<ChatwootJob>) {
        self.examined += 1;
        self.bytes += entry.len();
        if let Some(job) = job
            && self.seen.insert((job.jid.to_string(), job.state))
        {
            self.jobs.push(job);
        }
    }

    const fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES
    }
}

impl Redis {
    /// Reads Chatwoot's own jobs for documents, and when its scheduler runs next. What this user of Redis may not read is
    /// left out and named.
    pub async fn chatwoot_jobs(&self, now: Timestamp) -> Result<ChatwootJobs, RedisUnavailable> {
        let mut reading = Reading::default();
        self.read_running(&mut reading).await?;
        for set in ["retry", "schedule"] {
            self.read_set(set, &mut reading).await?;
        }
        self.read_queues(&mut reading).await?;
        let next_schedule = self.next_schedule(now, &mut reading).await?;
        let Reading { mut jobs, examined, total, refused, .. } = reading;
        jobs.sort_by_key(|job| (job.state, job.at));
        let problem =
            refused.map(|error| SafeLine::new(&format!("this user of Redis may not read all of it: {error}")));
        Ok(ChatwootJobs { jobs, examined, total: total.max(examined), next_schedule, problem, read_at: Some(now) })
    }

    async fn read_running(&self, reading: &mut Reading) -> Result<(), RedisUnavailable> {
        let processes: Vec<String> = self.read_permitted(redis::cmd("SMEMBERS").arg("processes"), reading).await?;
        for process in processes.iter().take(MAX_READ) {
            let mut scan = redis::cmd("HSCAN");
            scan.arg(format!("{process}:work")).arg(0).arg("COUNT").arg(MAX_READ);
            let (_, records): (Vec<u8>, Vec<Vec<u8>>) = self.read_permitted(&scan, reading).await?;
            // Thread and record in turns.
            for record in records.iter().skip(1).step_by(2) {
                reading.total += 1;
                reading.add(record, parse_running(record, process));
            }
        }
        Ok(())
    }

    async fn read_set(&self, name: &str, reading: &mut Reading) -> Result<(), RedisUnavailable> {
        let length: u64 = self.read_permitted(redis::cmd("ZCARD").arg(name), reading).await?;
        reading.total += length;
        let mut first = 0;
        while first < length.min(MAX_ENTRIES) && !reading.is_full() {
            let mut range = redis::cmd("ZRANGE");
            range.arg(name).arg(first).arg(first + PAGE - 1).arg("WITHSCORES");
            let entries: Vec<(Vec<u8>, f64)> = self.read_permitted(&range, reading).await?;
            if entries.is_empty() {
                break;
            }
            for (entry, at) in &entries {
                let position =
                    if name == "retry" { EntryPosition::RetrySet(*at) } else { EntryPosition::ScheduleSet(*at) };
                reading.add(entry, parse_entry(entry, position));
            }
            first += PAGE;
        }
        Ok(())
    }

    async fn read_queues(&self, reading: &mut Reading) -> Result<(), RedisUnavailable> {
        let queues: Vec<String> = self.read_permitted(redis::cmd("SMEMBERS").arg("queues"), reading).await?;
        for queue in queues.iter().filter(|name| is_queue_name(name)).take(MAX_READ) {
            let key = format!("queue:{queue}");
            let length: u64 = self.read_permitted(redis::cmd("LLEN").arg(&key), reading).await?;
            reading.total += length;
            let mut last = 0;
            while last < length.min(MAX_ENTRIES) && !reading.is_full() {
                // The end of a list runs first.
                let (from, to) =
                    (-i64::try_from(last + PAGE).unwrap_or(i64::MAX), -i64::try_from(last + 1).unwrap_or(1));
                let entries: Vec<Vec<u8>> =
                    self.read_permitted(redis::cmd("LRANGE").arg(&key).arg(from).arg(to), reading).await?;
                if entries.is_empty() {
                    break;
                }
                for entry in entries.iter().rev() {
                    reading.add(entry, parse_entry(entry, EntryPosition::Queue));
                }
                last += PAGE;
            }
        }
        Ok(())
    }

    /// Returns the next run of Chatwoot's daily trigger, by the rules of sidekiq-cron, whose keys differ by version.
    async fn next_schedule(
        &self,
        now: Timestamp,
        reading: &mut Reading,
    ) -> Result<Option<Timestamp>, RedisUnavailable> {
        for index in ["cron_jobs:default", "cron_jobs"] {
            let rules: Vec<String> = self.read_permitted(redis::cmd("SMEMBERS").arg(index), reading).await?;
            for rule in rules.iter().filter(|rule| rule.starts_with("cron_job:")).take(MAX_RULES) {
                let fields: Vec<(String, String)> =
                    self.read_permitted(redis::cmd("HGETALL").arg(rule), reading).await?;
                let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
                if let Some(at) = next_trigger(fields, now) {
                    return Ok(Some(at));
                }
            }
        }
        Ok(None)
    }

    /// Runs a command that reads. A refused one, and a key of another type, count as empty: neither says anything about
    /// the connection, which the locks use, too.
    async fn read_permitted<T: FromRedisValue + Default>(
        &self,
        command: &redis::Cmd,
        reading: &mut Reading,
    ) -> Result<T, RedisUnavailable> {
        let (number, mut open) = self.opened()?;
        let mut refused = None;
        let reply = async {
            match command.query_async::<Value>(&mut open).await {
                Err(error) if error.code() == Some("NOPERM") => {
                    refused = Some(SafeLine::new(&self.address.masked(&error)));
                    Ok(Value::Nil)
                }
                Err(error) if error.code() == Some("WRONGTYPE") => Ok(Value::Nil),
                other => other,
            }
        };
        let value = self.answer(number, reply).await?;
        reading.refused = reading.refused.take().or(refused);
        Ok(redis::from_redis_value(value).unwrap_or_default())
    }
}
