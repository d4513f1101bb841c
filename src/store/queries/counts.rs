//! Figures: the number of documents at each status, and the state of the queue.

use crate::domain::document::{Status, StatusCounts};
use crate::domain::lock::StoreId;
use crate::store::queries::workers;
use crate::store::queue::pauses::{CLASS_NOT_PAUSED, LANE_NOT_PAUSED};
use crate::store::sql::columns::{corrupt, number, time};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::filter::{Joins, push_status};
use crate::store::sql::statement::{Sql, query};
use crate::store::{QueueState, Result};

pub(in crate::store) async fn counts(db: &Database) -> Result<StatusCounts> {
    let mut sql = Sql::new("SELECT ");
    push_status(&mut sql, db.now());
    sql.push(" AS status, count(*) AS documents");
    Joins::STATUS.push(&mut sql);
    sql.push(" GROUP BY 1");
    let mut reader = db.reader().await?;
    let mut counts = StatusCounts::default();
    for row in reader.all(sql.query()).await? {
        let index: usize = number(&row, "status")?;
        let status = Status::ALL.get(index).ok_or_else(|| corrupt("status"))?;
        counts.set(*status, number(&row, "documents")?);
    }
    // Few rows are quarantined, however many documents there are. A quarantined text whose document another program has
    // removed does not count.
    let quarantined = query(
        "SELECT count(*) AS held FROM @held_contents h WHERE h.rejected_at IS NULL \
         AND EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = h.document_id)",
    );
    counts.quarantined = number(&reader.one(quarantined).await?, "held")?;
    Ok(counts)
}

pub(in crate::store) async fn queue(db: &Database) -> Result<QueueState> {
    let mut sql = Sql::new(
        "SELECT (SELECT count(*) FROM @jobs WHERE state = 'ready') AS ready, \
         (SELECT count(*) FROM @jobs WHERE state = 'running') AS running, \
         (SELECT count(*) FROM @jobs WHERE state = 'scheduled' AND (attempt > 0 OR lock_holder IS NOT NULL)) \
         AS waiting, (SELECT count(*) FROM @jobs WHERE state = 'scheduled' AND attempt = 0 \
         AND lock_holder IS NULL) AS scheduled, \
         (SELECT min(run_at) FROM @jobs WHERE state = 'ready') AS oldest_ready_at, \
         (SELECT min(run_at) FROM @jobs WHERE state = 'scheduled') AS next_due_at, \
         (SELECT min(CASE WHEN coalesce(h.spaced_until, 0) > coalesce(h.held_until, 0) THEN h.spaced_until \
          ELSE h.held_until END) FROM @hosts_sched h WHERE (h.held_until > ?1 OR h.spaced_until > ?1) \
          AND EXISTS (SELECT 1 FROM @lanes n WHERE n.host = h.host)) AS held_until, \
         CASE WHEN NOT EXISTS (SELECT 1 FROM @pauses) THEN 0 ELSE (SELECT count(*) FROM @jobs n \
          WHERE (state = 'ready' OR state = 'scheduled' AND (attempt > 0 OR lock_holder IS NOT NULL)) AND NOT (",
    );
    sql.push(CLASS_NOT_PAUSED).push(" AND ").push(LANE_NOT_PAUSED).push(")) END AS paused");
    let statement = sql.query().bind(db.now().micros());
    let row = {
        let mut reader = db.reader().await?;
        reader.one(statement).await?
    };
    Ok(QueueState {
        ready: number(&row, "ready")?,
        running: number(&row, "running")?,
        waiting: number(&row, "waiting")?,
        scheduled: number(&row, "scheduled")?,
        paused: number(&row, "paused")?,
        oldest_ready_at: time(&row, "oldest_ready_at")?,
        next_due_at: [time(&row, "next_due_at")?, time(&row, "held_until")?].into_iter().flatten().min(),
        workers: workers::alive(db).await?,
    })
}

pub(in crate::store) async fn store_id(db: &Database) -> Result<StoreId> {
    let mut reader = db.reader().await?;
    let row = reader.one(query("SELECT uuid FROM @store_identity WHERE id = 1")).await?;
    Ok(StoreId(get(&row, 0)?))
}
