//! Figures of the queue for supervision. They read what the console's head line reads: the indexes of live jobs, the rows
//! of the jobs that wait for their time, and the hosts that were seen.

use crate::domain::host_backoff::BackoffKind;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::outbox::{DEAD_SUFFIX, DELIVERED_SUFFIX};
use crate::store::interface::figures::MAX_BACKOFFS;
use crate::store::queries::workers;
use crate::store::sql::columns::{code, corrupt, line, number, time, word};
use crate::store::sql::conn::Row;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::{HostWait, Result, StoreFigures};

pub(in crate::store) async fn figures(db: &Database) -> Result<StoreFigures> {
    let now = db.now();
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let jobs = query(
        "SELECT class, 'ready' AS state, count(*) AS n FROM @jobs WHERE state = 'ready' GROUP BY class UNION ALL \
         SELECT class, 'running', count(*) FROM @jobs WHERE state = 'running' GROUP BY class UNION ALL \
         SELECT class, 'scheduled', count(*) FROM @jobs WHERE state = 'scheduled' GROUP BY class",
    );
    let jobs = reader.all(jobs).await?;
    let oldest = reader.one(query("SELECT min(run_at) AS at FROM @jobs WHERE state = 'ready'")).await?;
    let counts = query("SELECT held_kind, count(*) AS n FROM @hosts_sched WHERE held_until > ? GROUP BY held_kind");
    let counts = reader.all(counts.bind(now.micros())).await?;
    let longest = query(
        "SELECT host, held_kind, held_until FROM @hosts_sched WHERE held_until > ? ORDER BY held_until DESC, host LIMIT ?",
    );
    let longest = reader.all(longest.bind(now.micros()).bind(MAX_BACKOFFS)).await?;
    let messages = query(
        "SELECT subscriber, count(*) AS n FROM @outbox WHERE subscriber NOT LIKE ? AND subscriber NOT LIKE ? \
         GROUP BY subscriber ORDER BY subscriber",
    );
    let messages = reader.all(messages.bind(format!("%{DELIVERED_SUFFIX}")).bind(format!("%{DEAD_SUFFIX}"))).await?;
    reader.leave_snapshot().await?;
    drop(reader);
    let job_count = |row: &Row| {
        let class = code(row, "class", QueueClass::from_code)?.ok_or_else(|| corrupt("class"))?;
        let state = word(row, "state", JobState::parse)?.ok_or_else(|| corrupt("state"))?;
        Ok((class, state, number(row, "n")?))
    };
    let host_wait = |row: &Row| {
        let remaining = time(row, "held_until")?.map(|until| until.since(now)).unwrap_or_default();
        Ok(HostWait { host: line(row, "host")?.unwrap_or_default(), kind: kind(row)?, remaining })
    };
    let message_count = |row: &Row| Ok((line(row, "subscriber")?.unwrap_or_default(), number(row, "n")?));
    Ok(StoreFigures {
        jobs: jobs.iter().map(job_count).collect::<Result<_>>()?,
        oldest_ready: time(&oldest, "at")?.map(|at| now.since(at)),
        workers: workers::alive(db).await?,
        backoff_counts: counts.iter().map(|row| Ok((kind(row)?, number(row, "n")?))).collect::<Result<_>>()?,
        backoffs: longest.iter().map(host_wait).collect::<Result<_>>()?,
        pending_messages: messages.iter().map(message_count).collect::<Result<_>>()?,
    })
}

/// Reads the origin of a back-off, which older programs did not write.
fn kind(row: &Row) -> Result<BackoffKind> {
    Ok(word(row, "held_kind", BackoffKind::parse)?.unwrap_or(BackoffKind::CoolDown))
}
