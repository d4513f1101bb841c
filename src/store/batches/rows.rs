//! Batches as people see them.

use super::lease_counts;
use crate::domain::batch::{BatchAct, BatchCounts, BatchOrigin, BatchSelection, BatchState, BatchSummary, MemberState};
use crate::domain::id::BatchId;
use crate::domain::job::JobState;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::{code, corrupt, line, number, time, word};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Statement, query};
use crate::store::sql::transaction::Tx;

/// Counts the members of a batch: those that it has not requested by their states, the others by those of their jobs.
const COUNTS: &str = "SELECT state AS member, NULL AS job, count(*) AS n FROM @batch_members WHERE batch_id = ?1 \
     GROUP BY state UNION ALL SELECT NULL, state, count(*) FROM @jobs WHERE batch_id = ?1 GROUP BY state";

const COLUMNS: &str = "SELECT id, act, origin, selection, filter, created_at, created_by, begins_at, state, holder, \
     held_until, ended_at, counts FROM @batches ";

pub(in crate::store) async fn all(db: &Database, ended: u32) -> Result<Vec<BatchSummary>> {
    let mut batches = open(db).await?;
    let mut sql = Sql::new(COLUMNS);
    sql.push("WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT ").bind(ended);
    batches.extend(read(db, sql.query()).await?);
    batches.sort_by_key(|batch| std::cmp::Reverse(batch.id));
    Ok(batches)
}

/// Returns the batches that have not ended, as far as it was noted.
pub(super) async fn open(db: &Database) -> Result<Vec<BatchSummary>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("WHERE ended_at IS NULL ORDER BY id DESC");
    read(db, sql.query()).await
}

pub(in crate::store) async fn one(db: &Database, batch: BatchId) -> Result<Option<BatchSummary>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("WHERE id = ").bind(batch.0);
    Ok(read(db, sql.query()).await?.pop())
}

async fn read(db: &Database, statement: Statement) -> Result<Vec<BatchSummary>> {
    let now = db.now();
    let mut reader: Reader = db.reader().await?;
    let mut batches = Vec::new();
    for row in reader.all(statement).await? {
        let mut batch = summary(&row, now)?;
        if batch.ended_at.is_none() {
            batch.counts = counts(&reader.all(query(COUNTS).bind(batch.id.0)).await?)?;
        }
        batches.push(batch);
    }
    Ok(batches)
}

/// Counts the members of a batch within a transaction.
pub(super) async fn counts_in(tx: &mut Tx<'_>, batch: BatchId) -> Result<BatchCounts> {
    counts(&tx.all(query(COUNTS).bind(batch.0)).await?)
}

fn counts(rows: &[Row]) -> Result<BatchCounts> {
    let mut counts = BatchCounts::default();
    for row in rows {
        let number = number(row, "n")?;
        if let Some(member) = code(row, "member", MemberState::from_code)? {
            counts.add(member, number);
        } else if let Some(job) = word(row, "job", JobState::parse)? {
            counts.add_jobs(job, number);
        }
    }
    Ok(counts)
}

fn summary(row: &Row, now: Timestamp) -> Result<BatchSummary> {
    let time_of = |column| time(row, column)?.ok_or_else(|| corrupt(column));
    let is_leased = lease_counts(time_of("held_until")?, now);
    Ok(BatchSummary {
        id: BatchId(get(row, "id")?),
        act: word(row, "act", BatchAct::parse)?.ok_or_else(|| corrupt("act"))?,
        origin: word(row, "origin", BatchOrigin::parse)?.ok_or_else(|| corrupt("origin"))?,
        selection: word(row, "selection", BatchSelection::parse)?.ok_or_else(|| corrupt("selection"))?,
        filter: line(row, "filter")?,
        created_at: time_of("created_at")?,
        created_by: line(row, "created_by")?.unwrap_or_default(),
        begins_at: time_of("begins_at")?,
        state: word(row, "state", BatchState::parse)?.ok_or_else(|| corrupt("state"))?,
        holder: line(row, "holder")?.filter(|_| is_leased),
        ended_at: time(row, "ended_at")?,
        counts: serde_json::from_str(get(row, "counts")?).map_err(|_| corrupt("counts"))?,
    })
}
