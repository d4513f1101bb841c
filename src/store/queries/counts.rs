//! Figures: the number of documents at each status, and the state of the queue.

use crate::domain::document::{Status, StatusCounts};
use crate::domain::lock::StoreId;
use crate::domain::time::Timestamp;
use crate::store::queries::workers;
use crate::store::queue::pauses::{CLASS_NOT_PAUSED, LANE_NOT_PAUSED, WINDOW_OPEN};
use crate::store::queue::shadow;
use crate::store::sql::columns::{corrupt, number, time};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Statement, query};
use crate::store::sql::status::{after_its_time, push_computed};
use crate::store::{QueueState, Result};

pub(in crate::store) async fn counts(db: &Database) -> Result<StatusCounts> {
    let now = db.now();
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let mut counts = StatusCounts::default();
    match shadow::source(db, &mut reader).await? {
        source @ (StatusSource::Stored | StatusSource::Shadow) => {
            counts = stored_counts(&mut reader, now).await?;
            counts.max_age = (source == StatusSource::Shadow).then_some(shadow::MAX_AGE);
        }
        StatusSource::Computed => {
            let mut sql = Sql::new("SELECT CAST(0 AS BIGINT) AS account_id, ");
            push_computed(&mut sql, now);
            sql.push(" AS status, count(*) AS documents");
            Joins::status(StatusSource::Computed).push(&mut sql, StatusSource::Computed);
            sql.push(" GROUP BY 2");
            for (_, status, documents) in numbers(&mut reader, sql.query()).await? {
                counts.set(status, documents);
            }
        }
    }
    // Few rows are quarantined, however many documents there are. A quarantined text whose document another program has
    // removed does not count.
    let quarantined = query(
        "SELECT count(*) AS held FROM @held_contents h WHERE h.rejected_at IS NULL \
         AND EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = h.document_id)",
    );
    counts.quarantined = number(&reader.one(quarantined).await?, "held")?;
    reader.leave_snapshot().await?;
    Ok(counts)
}

/// Returns the number of documents at each status at the time `now`, by their stored statuses.
pub(in crate::store) async fn stored_counts(reader: &mut Reader, now: Timestamp) -> Result<StatusCounts> {
    let mut counts = StatusCounts::default();
    let stored = "SELECT CAST(0 AS BIGINT) AS account_id, status, CAST(sum(documents) AS BIGINT) AS documents \
         FROM @document_counts GROUP BY status";
    for (_, status, documents) in numbers(reader, query(stored)).await? {
        counts.set(status, documents);
    }
    for status in Status::ALL.into_iter().filter(|status| after_its_time(*status).is_some()) {
        // The sign keeps SQLite from reading all documents with this status.
        let expired = query("SELECT count(*) FROM @document_status WHERE status_until < ? AND +status = ?")
            .bind(now.micros())
            .bind(status as i64);
        let expired: i64 = get(&reader.one(expired).await?, 0)?;
        move_count(&mut counts, status, u64::try_from(expired).unwrap_or_default());
    }
    Ok(counts)
}

/// Returns the number of documents by their stored statuses.
pub(in crate::store) async fn stored_total(reader: &mut Reader) -> Result<u64> {
    let total = query("SELECT CAST(coalesce(sum(documents), 0) AS BIGINT) FROM @document_counts");
    let total: i64 = get(&reader.one(total).await?, 0)?;
    Ok(u64::try_from(total).unwrap_or_default())
}

/// Counts the documents whose stored status has expired at the time `now`, by account and stored status. The sign keeps
/// SQLite from reading all documents in the order of their statuses.
pub(in crate::store) fn expired_statuses(now: Timestamp) -> Statement {
    query(
        "SELECT account_id, +status AS status, count(*) AS documents FROM @document_status WHERE status_until < ? \
         GROUP BY account_id, +status",
    )
    .bind(now.micros())
}

/// Counts `documents` under the status that their stored status becomes after its time.
pub(in crate::store) fn move_count(counts: &mut StatusCounts, status: Status, documents: u64) {
    if let Some(later) = after_its_time(status) {
        counts.set(status, counts.of(status).saturating_sub(documents));
        counts.add(later, documents);
    }
}

/// Reads numbers of documents by account and status.
pub(in crate::store) async fn numbers(reader: &mut Reader, statement: Statement) -> Result<Vec<(i64, Status, u64)>> {
    let rows = reader.all(statement).await?;
    let read = |row: &Row| {
        let index: usize = number(row, "status")?;
        let status = Status::ALL.get(index).copied().ok_or_else(|| corrupt("status"))?;
        Ok((get(row, "account_id")?, status, number(row, "documents")?))
    };
    rows.iter().map(read).collect()
}

pub(in crate::store) async fn queue(db: &Database) -> Result<QueueState> {
    let mut sql = Sql::new(
        "SELECT (SELECT count(*) FROM @jobs WHERE state = 'ready') AS ready, \
         (SELECT count(*) FROM @jobs WHERE state = 'running') AS running, \
         (SELECT count(*) FROM @jobs WHERE state = 'scheduled' AND (attempt > 0 OR lock_holder IS NOT NULL)) \
         AS waiting, (SELECT count(*) FROM @jobs WHERE state = 'scheduled') AS not_due, \
         (SELECT min(run_at) FROM @jobs WHERE state = 'ready') AS oldest_ready_at, \
         (SELECT min(run_at) FROM @jobs WHERE state = 'scheduled') AS next_due_at, \
         (SELECT min(CASE WHEN coalesce(h.spaced_until, 0) > coalesce(h.held_until, 0) THEN h.spaced_until \
          ELSE h.held_until END) FROM @hosts_sched h WHERE (h.held_until > ?1 OR h.spaced_until > ?1) \
          AND EXISTS (SELECT 1 FROM @lanes n WHERE n.host = h.host)) AS held_until, \
         CASE WHEN NOT EXISTS (SELECT 1 FROM @pauses) \
          AND NOT EXISTS (SELECT 1 FROM @accounts_sched WHERE opens_at > ?1) THEN 0 ELSE (SELECT count(*) FROM @jobs n \
          WHERE (state = 'ready' OR state = 'scheduled' AND (attempt > 0 OR lock_holder IS NOT NULL)) AND NOT (",
    );
    sql.push(CLASS_NOT_PAUSED).push(" AND ").push(LANE_NOT_PAUSED);
    sql.push(" AND ").push(WINDOW_OPEN);
    sql.push(
        ")) END AS paused, (SELECT min(a.opens_at) FROM @accounts_sched a WHERE a.opens_at > ?1 \
         AND EXISTS (SELECT 1 FROM @lanes n WHERE n.account_id = a.account_id AND n.class > 0)) AS opens_at",
    );
    let statement = sql.query().bind(db.now().micros());
    let row = {
        let mut reader = db.reader().await?;
        reader.one(statement).await?
    };
    let waiting: u64 = number(&row, "waiting")?;
    // An index alone counts the jobs with a time; which of them wait for a retry is seen in their rows only.
    let not_due: u64 = number(&row, "not_due")?;
    Ok(QueueState {
        ready: number(&row, "ready")?,
        running: number(&row, "running")?,
        waiting,
        scheduled: not_due.saturating_sub(waiting),
        paused: number(&row, "paused")?,
        oldest_ready_at: time(&row, "oldest_ready_at")?,
        next_due_at: [time(&row, "next_due_at")?, time(&row, "held_until")?, time(&row, "opens_at")?]
            .into_iter()
            .flatten()
            .min(),
        workers: workers::alive(db).await?,
    })
}

pub(in crate::store) async fn store_id(db: &Database) -> Result<StoreId> {
    let mut reader = db.reader().await?;
    let row = reader.one(query("SELECT uuid FROM @store_identity WHERE id = 1")).await?;
    Ok(StoreId(get(&row, 0)?))
}
