//! Sources as people see them: adds, lists and removes them.

use crate::domain::id::{AccountId, AssistantId, SourceId};
use crate::domain::source::{
    ReadCounts, ReadResult, SourceName, SourceRead, SourceSettings, SourceState, SourceSummary, SourceUrl,
};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{corrupt, line, number, optional_number, time, word};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{NewSource, Result};

pub(in crate::store) async fn add(db: &Database, source: &NewSource, by: &SafeLine) -> Result<Option<SourceId>> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let add = query(
        "INSERT INTO @sources (name, url, host, account_id, assistant_id, settings, created_at, created_by, next_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?7) ON CONFLICT DO NOTHING RETURNING id",
    );
    let add = add.bind(source.name.as_str()).bind(source.url.as_str()).bind(source.url.host());
    let add = add.bind(source.account.0).bind(source.assistant.0).bind(source.settings.to_stored());
    let row = tx.first(add.bind(tx.now.micros()).bind(by.as_str())).await?;
    tx.commit().await?;
    row.map(|row| Ok(SourceId(get(&row, "id")?))).transpose()
}

pub(in crate::store) async fn remove(db: &Database, source: SourceId) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let removed = tx.run(query("DELETE FROM @sources WHERE id = ?").bind(source.0)).await?;
    for statement in [
        "DELETE FROM @proposals WHERE source_id = ?",
        "DELETE FROM @source_pages WHERE source_id = ?",
        "DELETE FROM @source_reads WHERE source_id = ?",
    ] {
        tx.run(query(statement).bind(source.0)).await?;
    }
    tx.commit().await?;
    Ok(removed > 0)
}

pub(in crate::store) async fn all(db: &Database) -> Result<Vec<SourceSummary>> {
    let now = db.now();
    let all = query(
        "SELECT s.id, s.name, s.url, s.account_id, s.assistant_id, s.settings, s.created_at, s.next_at, s.requested_by, \
         s.holder, s.held_until, s.ended_at, s.result, s.detail, s.counts, s.complete_at, s.pages, \
         CASE WHEN s.result <> 'complete' THEN (SELECT min(r.ended_at) FROM @source_reads r WHERE r.source_id = s.id \
         AND r.result <> 'complete' AND r.read > coalesce((SELECT max(c.read) FROM @source_reads c \
         WHERE c.source_id = s.id AND c.result = 'complete'), 0)) END AS failing_since, \
         (SELECT count(*) FROM @proposals p WHERE p.source_id = s.id AND p.state = 'open') AS proposals \
         FROM @sources s ORDER BY s.name",
    );
    db.reader().await?.all(all).await?.iter().map(|row| summary(row, now)).collect()
}

fn summary(row: &Row, now: Timestamp) -> Result<SourceSummary> {
    let (next_at, ended_at) = (time(row, "next_at")?, time(row, "ended_at")?);
    let result = word(row, "result", ReadResult::parse)?;
    let is_reading =
        get::<Option<&str>>(row, "holder")?.is_some() && time(row, "held_until")?.is_some_and(|until| until > now);
    let is_requested = get::<Option<&str>>(row, "requested_by")?.is_some();
    let is_due = next_at.is_some_and(|at| at <= now);
    let state = match result {
        _ if is_reading => SourceState::Reading,
        Some(ReadResult::Retry) => SourceState::Retrying,
        _ if is_requested || is_due => SourceState::Waiting,
        None => SourceState::New,
        Some(ReadResult::Complete) => SourceState::Read,
        Some(ReadResult::Refused | ReadResult::Failed | ReadResult::Lost) => SourceState::Failed,
    };
    Ok(SourceSummary {
        id: SourceId(get(row, "id")?),
        name: SourceName::new(get(row, "name")?).ok_or_else(|| corrupt("name"))?,
        url: url(row)?,
        account: AccountId(get(row, "account_id")?),
        assistant: AssistantId(get(row, "assistant_id")?),
        settings: settings(row)?,
        created_at: time(row, "created_at")?.ok_or_else(|| corrupt("created_at"))?,
        state,
        last: ended_at.zip(result),
        failing_since: time(row, "failing_since")?,
        detail: line(row, "detail")?,
        complete_at: time(row, "complete_at")?,
        pages: optional_number(row, "pages")?,
        counts: counts(row)?,
        next_at,
        proposals: number(row, "proposals")?,
    })
}

pub(super) fn url(row: &Row) -> Result<SourceUrl> {
    SourceUrl::parse(get(row, "url")?).map_err(|_| corrupt("url"))
}

pub(super) fn settings(row: &Row) -> Result<SourceSettings> {
    SourceSettings::from_stored(get(row, "settings")?).ok_or_else(|| corrupt("settings"))
}

fn counts(row: &Row) -> Result<ReadCounts> {
    serde_json::from_str(get(row, "counts")?).map_err(|_| corrupt("counts"))
}

pub(in crate::store) async fn reads(db: &Database, source: SourceId, limit: u32) -> Result<Vec<SourceRead>> {
    let reads = query(
        "SELECT read, started_at, ended_at, result, counts, detail, worker, requested_by FROM @source_reads \
         WHERE source_id = ? ORDER BY read DESC LIMIT ?",
    );
    let rows = db.reader().await?.all(reads.bind(source.0).bind(limit)).await?;
    let read = |row: &Row| {
        Ok(SourceRead {
            read: get(row, "read")?,
            started_at: time(row, "started_at")?.ok_or_else(|| corrupt("started_at"))?,
            ended_at: time(row, "ended_at")?.ok_or_else(|| corrupt("ended_at"))?,
            result: word(row, "result", ReadResult::parse)?.ok_or_else(|| corrupt("result"))?,
            counts: counts(row)?,
            detail: line(row, "detail")?,
            worker: line(row, "worker")?,
            requested_by: line(row, "requested_by")?,
        })
    };
    rows.iter().map(read).collect()
}
