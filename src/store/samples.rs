//! Samples: one row a minute with what happened in it. The process that has the lease of the schedule's passes takes them;
//! they are counted from the outcomes after the last sample, so that the cost follows what happened in the minute and not
//! the size of the store.

use crate::domain::histogram::{BOUNDS, DurationCounts};
use crate::domain::id::Seq;
use crate::domain::outcome::OutcomeResult;
use crate::domain::sample::{MINUTE, MinuteSample, QueueLevel, ResultCounts, minute_of};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::queries::disk;
use crate::store::schedule::pass::{acquire_lease, release_lease};
use crate::store::sql::columns::{corrupt, number, optional_number, time, word};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Statement, query};
use crate::store::sql::transaction::Tx;
use std::collections::BTreeMap;
use std::time::Duration;

/// Time after the end of a minute before it is sampled: outcomes have the time at which their transaction began, and are
/// seen when it has ended.
const SETTLE: Duration = Duration::from_secs(2);
/// Time by which a sample may lie in the future, as those of another machine may do. One that lies further ahead is from
/// before a clock was set back.
const MAX_AHEAD: Duration = Duration::from_secs(120);
/// Maximum number of outcomes from which the minutes after the last sample are counted: as many as a busy store has in a
/// minute or two.
const MAX_UNSAMPLED: i64 = 100_000;
/// Maximum number of samples of the future that are removed at a time.
const MAX_REMOVED: i64 = 500;

/// Stores the sample of the last full minute, as [`ScheduleStore::take_sample`](crate::store::ScheduleStore::take_sample)
/// describes.
pub(in crate::store) async fn take(db: &Database, holder: &str) -> Result<bool> {
    db.ensure_writable()?;
    let now = db.now();
    let end = minute_of(now.minus(SETTLE));
    let minute = end.minus(MINUTE);
    let mut reader = db.reader().await?;
    let newest = reader.first(query("SELECT minute FROM @samples ORDER BY minute DESC LIMIT 1")).await?;
    let newest = newest.map(|row| get(&row, 0)).transpose()?.map(Timestamp::from_micros);
    if newest.is_some_and(|newest| newest > now.plus(MAX_AHEAD)) {
        drop(reader);
        remove_future(db, now, holder).await?;
        return Ok(false);
    }
    if newest.is_some_and(|newest| newest >= minute) {
        return Ok(false);
    }
    let from = scanned_from(&mut reader, minute).await?;
    let mut minutes = by_minute(&reader.all(counts(from, minute, Some(end))).await?)?;
    let sample = minutes.remove(&minute).unwrap_or_default();
    let next = query("SELECT seq FROM @outcomes WHERE seq > ?1 AND at >= ?2 ORDER BY seq LIMIT 1");
    let next = reader.first(next.bind(from.0).bind(end.micros())).await?;
    let last_seq = match next {
        Some(row) => get::<i64>(&row, 0)? - 1,
        None => get(&reader.one(query("SELECT last FROM @outcome_seq WHERE id = 1")).await?, 0)?,
    };
    let queue = queue_level(&mut reader, now).await?;
    let disk = disk::size(&mut reader).await?.bytes;
    drop(reader);

    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    if !acquire_lease(&mut tx, holder).await? {
        return Ok(false);
    }
    let stored = tx.run_quietly(insert(minute, Seq(last_seq), &sample, queue, disk)).await? > 0;
    release_lease(&mut tx, holder).await?;
    tx.commit().await?;
    Ok(stored)
}

/// Removes samples that lie in the future.
async fn remove_future(db: &Database, now: Timestamp, holder: &str) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    if acquire_lease(&mut tx, holder).await? {
        let remove = query(
            "DELETE FROM @samples WHERE minute IN \
             (SELECT minute FROM @samples WHERE minute > ?1 ORDER BY minute DESC LIMIT ?2)",
        );
        tx.run_quietly(remove.bind(now.micros()).bind(MAX_REMOVED)).await?;
        release_lease(&mut tx, holder).await?;
    }
    tx.commit().await.map(drop)
}

/// Returns the number of an outcome after which all outcomes of the minute `minute` and later ones come. It is the last
/// one of the sample before, if that is of the minute before; else it is searched for.
async fn scanned_from(reader: &mut Reader, minute: Timestamp) -> Result<Seq> {
    let before = query("SELECT minute, last_seq FROM @samples WHERE minute < ? ORDER BY minute DESC LIMIT 1");
    let before = reader.first(before.bind(minute.micros())).await?;
    let range = query(
        "SELECT r.pruned_up_to AS first, s.last FROM @retention r JOIN @outcome_seq s ON s.id = 1 WHERE r.id = 1",
    );
    let range = reader.one(range).await?;
    let (mut first, last) = (get::<i64>(&range, "first")?, get::<i64>(&range, "last")?);
    if let Some(before) = before {
        first = first.max(get(&before, "last_seq")?);
        if get::<i64>(&before, "minute")? == minute.minus(MINUTE).micros() {
            return Ok(Seq(first));
        }
    }
    disk::last_before(reader, minute, Seq(first), Seq(last.max(first))).await
}

/// Selects the numbers of outcomes after `from` whose time is at least `since` and before `end`, by minute, result and
/// bucket of their durations.
fn counts(from: Seq, since: Timestamp, end: Option<Timestamp>) -> Statement {
    let mut sql = Sql::new("SELECT at - at % 60000000 AS minute, result, CASE WHEN duration_ms IS NULL THEN NULL");
    for (bucket, bound) in (0_i64..).zip(BOUNDS) {
        sql.push(" WHEN duration_ms <= ").bind((bound * 1_000.0).round() as i64).push(" THEN ").bind(bucket);
    }
    sql.push(" ELSE ").bind(BOUNDS.len() as i64).push(" END AS bucket, count(*) AS n FROM @outcomes WHERE seq > ");
    sql.bind(from.0).push(" AND at >= ").bind(since.micros());
    if let Some(end) = end {
        sql.push(" AND at < ").bind(end.micros());
    }
    sql.push(" GROUP BY 1, 2, 3");
    sql.query()
}

fn by_minute(rows: &[Row]) -> Result<BTreeMap<Timestamp, MinuteSample>> {
    let mut minutes: BTreeMap<Timestamp, MinuteSample> = BTreeMap::new();
    for row in rows {
        let minute = time(row, "minute")?.ok_or_else(|| corrupt("minute"))?;
        let sample = minutes.entry(minute).or_default();
        // A result of a newer program is not counted.
        let Some(result) = OutcomeResult::parse(get(row, "result")?) else { continue };
        let n = number(row, "n")?;
        sample.results.add(result, n);
        // An exhaustion repeats the duration of its failure, if any.
        if let Some(bucket) = get::<Option<i64>>(row, "bucket")?.filter(|_| result.kind().ends_attempt()) {
            sample.durations.add(usize::try_from(bucket).unwrap_or(usize::MAX), n);
        }
    }
    Ok(minutes)
}

/// Returns the queue now, as the index of live jobs has it.
pub(in crate::store) async fn queue_level(reader: &mut Reader, now: Timestamp) -> Result<QueueLevel> {
    let live = query(
        "SELECT (SELECT count(*) FROM @jobs WHERE state = 'ready') AS ready, \
         (SELECT count(*) FROM @jobs WHERE state = 'running') AS running, \
         (SELECT min(run_at) FROM @jobs WHERE state = 'ready') AS oldest",
    );
    let row = reader.one(live).await?;
    let oldest = time(&row, "oldest")?.map(|at| now.since(at));
    Ok(QueueLevel { ready: number(&row, "ready")?, running: number(&row, "running")?, oldest })
}

fn insert(minute: Timestamp, last: Seq, sample: &MinuteSample, queue: QueueLevel, disk: u64) -> Statement {
    let mut row = query(
        "INSERT INTO @samples (minute, last_seq, updated, unchanged, permanent_failures, transient_failures, \
         unexpected_failures, workers_lost, gave_up, durations, ready, running, oldest_ready, disk_bytes) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    row = row.bind(minute.micros()).bind(last.0);
    for count in sample.results.entries() {
        row = row.bind(signed(count));
    }
    row = row.bind(sample.durations.packed()).bind(signed(queue.ready)).bind(signed(queue.running));
    let oldest = queue.oldest.map(|oldest| i64::try_from(oldest.as_millis()).unwrap_or(i64::MAX));
    row.bind(oldest).bind(signed(disk))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns the minutes since `since` that are known, oldest first: the samples, and what the outcomes say of the minutes
/// after the last sample, at most `unsampled` back.
pub(in crate::store) async fn minutes(
    reader: &mut Reader,
    now: Timestamp,
    since: Timestamp,
    unsampled: Duration,
) -> Result<Vec<(Timestamp, MinuteSample)>> {
    let samples = query(
        "SELECT minute, updated, unchanged, permanent_failures, transient_failures, unexpected_failures, workers_lost, \
         gave_up, durations, ready, running, oldest_ready, disk_bytes FROM @samples \
         WHERE minute >= ?1 AND minute <= ?2 ORDER BY minute",
    );
    let rows = reader.all(samples.bind(since.micros()).bind(now.micros())).await?;
    let mut minutes: Vec<_> = rows.iter().map(sample).collect::<Result<_>>()?;
    let after = minutes.last().map_or(since, |(minute, _)| minute.plus(MINUTE));
    let after = after.max(minute_of(now.minus(unsampled)));
    let from = scanned_from(reader, after).await?;
    let last: i64 = get(&reader.one(query("SELECT last FROM @outcome_seq WHERE id = 1")).await?, 0)?;
    let least = Seq(last.saturating_sub(MAX_UNSAMPLED));
    let mut unsampled = by_minute(&reader.all(counts(from.max(least), after, None)).await?)?;
    if from < least {
        // Its first outcomes were not read.
        unsampled.pop_first();
    }
    minutes.extend(unsampled);
    minutes.retain(|(minute, _)| *minute <= now);
    Ok(minutes)
}

fn sample(row: &Row) -> Result<(Timestamp, MinuteSample)> {
    const RESULTS: [&str; ResultCounts::LEN] = [
        "updated",
        "unchanged",
        "permanent_failures",
        "transient_failures",
        "unexpected_failures",
        "workers_lost",
        "gave_up",
    ];
    let mut entries = [0; ResultCounts::LEN];
    for (entry, column) in entries.iter_mut().zip(RESULTS) {
        *entry = number(row, column)?;
    }
    let oldest = optional_number(row, "oldest_ready")?.map(Duration::from_millis);
    let sample = MinuteSample {
        results: ResultCounts::from_entries(entries),
        durations: word(row, "durations", DurationCounts::unpack)?.unwrap_or_default(),
        queue: Some(QueueLevel { ready: number(row, "ready")?, running: number(row, "running")?, oldest }),
        disk: Some(number(row, "disk_bytes")?),
    };
    Ok((time(row, "minute")?.ok_or_else(|| corrupt("minute"))?, sample))
}
