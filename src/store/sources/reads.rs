//! Claims, leases and ends of reads, and the pages that they find.

use super::page_key;
use super::rows::{settings, url};
use crate::domain::id::{AccountId, AssistantId, SourceId};
use crate::domain::listing::ListedPage;
use crate::domain::source::{
    MAX_LOSSES, ReadCounts, ReadLease, ReadResult, SourceName, SourceRead, SourceSettings, failed_read_wait,
};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{corrupt, line, number, optional_number, time};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use crate::store::{FailedRead, Result};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

/// Time after which another process may claim a read that its worker has not renewed.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// Number of ended reads of a source that are kept.
const KEPT_READS: i64 = 100;
/// Wait before the next read of a source whose times are not valid on this machine, as without its time zones.
const WAIT_WITHOUT_TIMES: Duration = Duration::from_secs(86_400);

pub(in crate::store) async fn request(
    db: &Database,
    sources: &[SourceId],
    allows_smaller: bool,
    by: &SafeLine,
) -> Result<u64> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let mut sql = Sql::new("UPDATE @sources SET requested_by = ");
    sql.bind(by.as_str()).push(", allows_smaller = ").bind(i64::from(allows_smaller));
    sql.push(", attempts = 0, losses = CASE WHEN holder IS NULL THEN 0 ELSE losses END, next_at = ");
    sql.bind(tx.now.micros()).push(" WHERE id IN ").bind_list(sources.iter().map(|source| source.0));
    let requested = tx.run(sql.query()).await?;
    tx.commit().await?;
    Ok(requested)
}

pub(in crate::store) async fn claim(
    db: &Database,
    holder: &str,
    worker: &SafeLine,
    only: Option<SourceId>,
) -> Result<Option<ReadLease>> {
    loop {
        // Nothing is locked while nothing is due.
        let now = db.now();
        let due = |now: Timestamp| {
            let mut sql = Sql::new(
                "SELECT s.id, s.name, s.url, s.account_id, s.assistant_id, s.settings, s.pages, s.read, s.holder, \
                 s.worker, s.started_at, s.losses, s.requested_by, s.allows_smaller FROM @sources s WHERE s.next_at <= ",
            );
            // A lease that ends later than a new one would was taken before a clock was set back.
            sql.bind(now.micros()).push(" AND (s.holder IS NULL OR s.held_until <= ").bind(now.micros());
            sql.push(" OR s.held_until > ").bind(now.plus(LEASE).micros());
            sql.push(
                ") AND NOT EXISTS (SELECT 1 FROM @pauses p WHERE p.scope = 'all' \
                 OR (p.scope = 'account' AND p.key = CAST(s.account_id AS TEXT)) \
                 OR (p.scope = 'host' AND p.key = s.host))",
            );
            if let Some(only) = only {
                sql.push(" AND s.id = ").bind(only.0);
            }
            sql.push(" ORDER BY s.next_at, s.id LIMIT 1");
            sql.query()
        };
        if db.reader().await?.first(due(now)).await?.is_none() {
            return Ok(None);
        }
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        let Some(row) = tx.first(due(tx.now)).await? else { return Ok(None) };
        let claimed = claim_row(&mut tx, &row, holder, worker).await?;
        tx.commit().await?;
        match claimed {
            Claimed::Lease(lease) => return Ok(Some(*lease)),
            Claimed::GivenUp | Claimed::Taken => {}
        }
    }
}

enum Claimed {
    Lease(Box<ReadLease>),
    /// Its workers were lost too often; it was ended.
    GivenUp,
    /// Another process was faster.
    Taken,
}

async fn claim_row(tx: &mut Tx<'_>, row: &Row, holder: &str, worker: &SafeLine) -> Result<Claimed> {
    let source = SourceId(get(row, "id")?);
    let settings = settings(row)?;
    let earlier: i64 = get(row, "read")?;
    let is_lost = get::<Option<&str>>(row, "holder")?.is_some();
    let losses = number::<u32>(row, "losses")? + u32::from(is_lost);
    let take = query(
        "UPDATE @sources SET read = read + 1, holder = ?3, worker = ?4, held_until = ?5, started_at = ?6, losses = ?7 \
         WHERE id = ?1 AND read = ?2",
    );
    let take = take.bind(source.0).bind(earlier).bind(holder).bind(worker.as_str());
    let take = take.bind(tx.now.plus(LEASE).micros()).bind(tx.now.micros()).bind(losses);
    if tx.run(take).await? == 0 {
        return Ok(Claimed::Taken);
    }
    if is_lost {
        let lost = SourceRead {
            read: earlier,
            started_at: time(row, "started_at")?.unwrap_or(tx.now),
            ended_at: tx.now,
            result: ReadResult::Lost,
            counts: ReadCounts::default(),
            detail: Some("its worker died, or lost the connection to the store".into()),
            worker: line(row, "worker")?,
            requested_by: line(row, "requested_by")?,
        };
        record(tx, source, &lost).await?;
    }
    let lease = ReadLease {
        source,
        read: earlier + 1,
        holder: holder.to_owned(),
        name: SourceName::new(get(row, "name")?).ok_or_else(|| corrupt("name"))?,
        url: url(row)?,
        account: AccountId(get(row, "account_id")?),
        assistant: AssistantId(get(row, "assistant_id")?),
        settings,
        pages_before: optional_number(row, "pages")?,
        allows_smaller: get::<i64>(row, "allows_smaller")? != 0,
    };
    if losses >= MAX_LOSSES {
        let detail = format!("{MAX_LOSSES} workers were lost while they read it").as_str().into();
        let (result, counts) = (ReadResult::Failed, ReadCounts::default());
        end(tx, &lease, End { result, counts, detail, next_at: next(&lease.settings, tx.now), attempts: 0 }).await?;
        return Ok(Claimed::GivenUp);
    }
    Ok(Claimed::Lease(Box::new(lease)))
}

pub(in crate::store) async fn renew(db: &Database, lease: &ReadLease) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let renewed = renew_within(&mut tx, lease).await?;
    tx.commit().await?;
    Ok(renewed)
}

/// Renews the lease. Returns false if it was lost: then nothing may be written.
pub(super) async fn renew_within(tx: &mut Tx<'_>, lease: &ReadLease) -> Result<bool> {
    let renew = query("UPDATE @sources SET held_until = ?4 WHERE id = ?1 AND read = ?2 AND holder = ?3");
    let renew = renew.bind(lease.source.0).bind(lease.read).bind(&lease.holder);
    Ok(tx.run_quietly(renew.bind(tx.now.plus(LEASE).micros())).await? > 0)
}

pub(in crate::store) async fn stage(db: &Database, lease: &ReadLease, pages: &[ListedPage]) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    if !renew_within(&mut tx, lease).await? {
        return Ok(false);
    }
    let mut keys = HashSet::new();
    let row = |page: &ListedPage| {
        let key = page_key(&page.url);
        let lastmod = page.modified.map(Timestamp::micros);
        keys.insert(key.clone()).then(|| json!({ "key": key, "url": page.url, "lastmod": lastmod }))
    };
    let rows: Vec<Value> = pages.iter().filter_map(row).collect();
    let stage = query(
        "INSERT INTO @source_pages (source_id, key, url, read, lastmod) SELECT ?2, k.value ->> 'key', \
         k.value ->> 'url', ?3, CAST(k.value ->> 'lastmod' AS BIGINT) FROM elements(?1) k WHERE true \
         ON CONFLICT (source_id, key) DO UPDATE SET read = excluded.read, lastmod = excluded.lastmod, \
         missing_since = NULL",
    );
    tx.run_quietly(stage.bind(Value::Array(rows).to_string()).bind(lease.source.0).bind(lease.read)).await?;
    tx.commit().await?;
    Ok(true)
}

pub(in crate::store) async fn fail(db: &Database, lease: &ReadLease, read: &FailedRead) -> Result<Option<SourceRead>> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let attempts = query("SELECT attempts FROM @sources WHERE id = ? AND read = ? AND holder = ?");
    let row = tx.first(attempts.bind(lease.source.0).bind(lease.read).bind(&lease.holder)).await?;
    let Some(row) = row else { return Ok(None) };
    let attempts = number::<u32>(&row, "attempts")? + 1;
    let wait = failed_read_wait(attempts).filter(|_| read.result == ReadResult::Retry);
    let wait = wait.map(|wait| wait.max(read.retry_after.unwrap_or_default()));
    let end_of =
        |result, next_at, attempts| End { result, counts: read.counts, detail: read.detail.clone(), next_at, attempts };
    let ended = match (wait, read.result) {
        (Some(wait), _) => end_of(ReadResult::Retry, Some(tx.now.plus(wait)), attempts),
        (None, ReadResult::Retry) => end_of(ReadResult::Failed, next(&lease.settings, tx.now), 0),
        (None, result) => end_of(result, next(&lease.settings, tx.now), 0),
    };
    let ended = end(&mut tx, lease, ended).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Returns the time of the read after one that ends now.
pub(super) fn next(settings: &SourceSettings, now: Timestamp) -> Option<Timestamp> {
    settings.times().map_or_else(|_| Some(now.plus(WAIT_WITHOUT_TIMES)), |times| times.next(now))
}

/// How a read ends.
pub(super) struct End {
    pub result: ReadResult,
    pub counts: ReadCounts,
    pub detail: SafeLine,
    pub next_at: Option<Timestamp>,
    /// Failures in a row.
    pub attempts: u32,
}

/// Ends a read and records it. Returns `None` if the lease was lost.
pub(super) async fn end(tx: &mut Tx<'_>, lease: &ReadLease, end: End) -> Result<Option<SourceRead>> {
    let row = query("SELECT started_at, worker, requested_by FROM @sources WHERE id = ? AND read = ? AND holder = ?");
    let row = tx.first(row.bind(lease.source.0).bind(lease.read).bind(&lease.holder)).await?;
    let Some(row) = row else { return Ok(None) };
    let read = SourceRead {
        read: lease.read,
        started_at: time(&row, "started_at")?.unwrap_or(tx.now),
        ended_at: tx.now,
        result: end.result,
        counts: end.counts,
        detail: Some(end.detail),
        worker: line(&row, "worker")?,
        requested_by: line(&row, "requested_by")?,
    };
    let is_complete = end.result == ReadResult::Complete;
    // A person who requests a read while one runs wants one that began later: that one stays due.
    let update = query(
        "UPDATE @sources SET holder = NULL, held_until = NULL, ended_at = ?3, result = ?4, detail = ?5, counts = ?6, \
         next_at = CASE WHEN next_at > started_at THEN next_at ELSE ?7 END, \
         requested_by = CASE WHEN ?8 = 0 AND next_at <= started_at THEN NULL ELSE requested_by END, \
         allows_smaller = CASE WHEN ?8 = 0 AND next_at <= started_at THEN 0 ELSE allows_smaller END, attempts = ?8, \
         losses = 0, complete_at = CASE WHEN ?9 = 1 THEN ?3 ELSE complete_at END, \
         pages = CASE WHEN ?9 = 1 THEN ?10 ELSE pages END WHERE id = ?1 AND read = ?2",
    );
    let update = update.bind(lease.source.0).bind(lease.read).bind(tx.now.micros()).bind(end.result.word());
    let update = update.bind(read.detail.as_ref().map(SafeLine::as_str)).bind(counts_text(&read.counts));
    let update = update.bind(end.next_at.map(Timestamp::micros)).bind(i64::from(end.attempts));
    let pages = i64::try_from(read.counts.pages).unwrap_or(i64::MAX);
    tx.run(update.bind(i64::from(is_complete)).bind(pages)).await?;
    record(tx, lease.source, &read).await?;
    Ok(Some(read))
}

fn counts_text(counts: &ReadCounts) -> String {
    serde_json::to_string(counts).unwrap_or_else(|_| "{}".to_owned())
}

async fn record(tx: &mut Tx<'_>, source: SourceId, read: &SourceRead) -> Result<()> {
    let record = query(
        "INSERT INTO @source_reads (source_id, read, started_at, ended_at, result, counts, detail, worker, requested_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    );
    let record = record.bind(source.0).bind(read.read).bind(read.started_at.micros()).bind(read.ended_at.micros());
    let record = record.bind(read.result.word()).bind(counts_text(&read.counts));
    let text = |line: &Option<SafeLine>| line.as_ref().map(|line| line.as_str().to_owned());
    tx.run(record.bind(text(&read.detail)).bind(text(&read.worker)).bind(text(&read.requested_by))).await?;
    let old = query("DELETE FROM @source_reads WHERE source_id = ? AND read <= ?");
    tx.run_quietly(old.bind(source.0).bind(read.read - KEPT_READS)).await?;
    Ok(())
}
