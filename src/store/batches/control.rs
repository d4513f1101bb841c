//! Orders of people: undo, pause, resume, stop; and the end of batches.

use super::{LEASE, row, rows, set_members};
use crate::domain::batch::{BatchCounts, BatchOrder, BatchState, MemberState};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::job::JobState;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::queue::lanes::{self, LaneKey};
use crate::store::queue::requests::{CHUNK_SIZE, cancel_all};
use crate::store::sql::columns::time;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::jobs;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{BatchOrdered, Result};
use std::collections::BTreeSet;

pub(in crate::store) async fn order(
    db: &Database,
    batch: BatchId,
    order: BatchOrder,
    by: &SafeLine,
    holder: &str,
) -> Result<BatchOrdered> {
    db.ensure_writable()?;
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let Some(of) = row(&mut tx, batch).await? else {
        tx.commit().await?;
        return Ok(BatchOrdered::Missing);
    };
    let is_elsewhere = order == BatchOrder::Resume && of.is_leased_by_another(holder, tx.now);
    let Some(state) = of.state.after(order).filter(|_| !is_elsewhere && !of.has_ended) else {
        tx.commit().await?;
        return Ok(BatchOrdered::Refused(of.state));
    };
    let (holder, until) = match order {
        BatchOrder::Resume => (Some(holder), tx.now.plus(LEASE).micros()),
        _ => (None, 0),
    };
    let set = query("UPDATE @batches SET state = ?2, holder = ?3, held_until = ?4 WHERE id = ?1");
    tx.run(set.bind(batch.0).bind(state.word()).bind(holder).bind(until)).await?;
    if state == BatchState::Undone {
        end(&mut tx, batch, state).await?;
    }
    tx.commit().await?;
    if matches!(state, BatchState::Paused | BatchState::Stopped) {
        while give_back(db, batch, state).await? {}
    }
    if state == BatchState::Stopped {
        while cancel_begun(db, batch, by).await? {}
        finish(db).await?;
    }
    Ok(BatchOrdered::Now(state))
}

/// Gives back jobs of the batch that have not begun: those that the batch made are deleted, and others are scheduled as
/// they were before. Returns true if more may be left.
async fn give_back(db: &Database, batch: BatchId, state: BatchState) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let is_so = row(&mut tx, batch).await?.is_some_and(|of| of.state == state);
    let chosen = query(
        "SELECT j.id, m.before_class IS NULL AS is_new FROM @jobs j JOIN @batch_members m \
         ON m.batch_id = j.batch_id AND m.document_id = j.document_id WHERE j.batch_id = ? \
         AND j.state IN ('ready', 'scheduled') AND j.attempt = coalesce(m.before_attempt, 0) \
         ORDER BY j.document_id LIMIT ?",
    );
    let chosen = match is_so {
        true => tx.all(chosen.bind(batch.0).bind(CHUNK_SIZE as i64)).await?,
        // Somebody has resumed it meanwhile.
        false => Vec::new(),
    };
    if chosen.is_empty() {
        tx.commit().await?;
        return Ok(false);
    }
    let (mut new, mut ids) = (Vec::new(), Vec::new());
    for job in &chosen {
        let id: i64 = get(job, "id")?;
        ids.push(id);
        if get(job, "is_new")? {
            new.push(id);
        }
    }
    let found =
        jobs::select(&mut tx, query("SELECT * FROM @jobs WHERE id IN (SELECT each(?))").bind(ids.clone())).await?;
    let documents: Vec<DocumentId> = found.iter().map(|job| job.job.document_id).collect();
    set_members(&mut tx, batch, &documents, MemberState::Waiting).await?;
    let restore = query(
        "UPDATE @jobs SET state = 'scheduled', batch_id = NULL, class = coalesce(m.before_class, class), \
         run_at = coalesce(m.before_run_at, run_at) FROM @batch_members m \
         WHERE m.batch_id = ?1 AND m.document_id = jobs.document_id AND jobs.id IN (SELECT each(?2))",
    );
    tx.run(restore.bind(batch.0).bind(ids)).await?;
    leave_lanes(&mut tx, &found).await?;
    forget(&mut tx, &found, new).await?;
    tx.commit().await?;
    db.yield_to_writers().await;
    Ok(true)
}

/// Updates the lanes that ready jobs have left.
async fn leave_lanes(tx: &mut Tx<'_>, jobs: &[JobRow]) -> Result<()> {
    let ready = jobs.iter().filter(|job| job.job.state == JobState::Ready);
    let lanes: BTreeSet<LaneKey> = ready.map(LaneKey::of).collect();
    for lane in lanes {
        lanes::remove(tx, &lane).await?;
    }
    Ok(())
}

/// Deletes the jobs `new`, some of `jobs`, as if they had never been requested.
async fn forget(tx: &mut Tx<'_>, jobs: &[JobRow], new: Vec<i64>) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let of_new = jobs.iter().filter(|job| new.contains(&job.job.id.0));
    let documents: Vec<i64> = of_new.map(|job| job.job.document_id.0).collect();
    tx.run(query("DELETE FROM @jobs WHERE id IN (SELECT each(?))").bind(new)).await?;
    let unset = query("UPDATE @document_state SET job_id = NULL WHERE document_id IN (SELECT each(?))");
    tx.run(unset.bind(documents)).await?;
    Ok(())
}

/// Cancels jobs of a stopped batch that have begun. Returns true if more may be left.
async fn cancel_begun(db: &Database, batch: BatchId, by: &SafeLine) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let begun = query(
        "SELECT document_id FROM @jobs WHERE batch_id = ? AND (state IN ('ready', 'scheduled') \
         OR state = 'running' AND cancel_requested_at IS NULL) ORDER BY document_id LIMIT ?",
    );
    let begun = tx.all(begun.bind(batch.0).bind(CHUNK_SIZE as i64)).await?;
    let documents: Vec<_> = begun.iter().map(|row| Ok(DocumentId(get(row, 0)?))).collect::<Result<_>>()?;
    jobs::lock_live_jobs(&mut tx, &documents).await?;
    cancel_all(&mut tx, &documents, by).await?;
    tx.commit().await?;
    db.yield_to_writers().await;
    Ok(documents.len() == CHUNK_SIZE)
}

/// Notes the end of the batches of which nothing waits or runs.
pub(in crate::store) async fn finish(db: &Database) -> Result<()> {
    db.ensure_writable()?;
    for batch in rows::open(db).await?.into_iter().filter(|batch| batch.is_to_be_finished()) {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        let found = row(&mut tx, batch.id).await?;
        // Resumed meanwhile, it has members that wait.
        if let Some(state) = found.map(|of| of.state).filter(|state| *state == batch.state) {
            let counts = rows::counts_in(&mut tx, batch.id).await?;
            if counts.live() == 0 && (state.is_over() || counts.waiting == 0) {
                end(&mut tx, batch.id, state.after(BatchOrder::Finish).unwrap_or(state)).await?;
            }
        }
        tx.commit().await?;
    }
    Ok(())
}

/// Writes that a batch has ended, with the counts of its members.
async fn end(tx: &mut Tx<'_>, batch: BatchId, state: BatchState) -> Result<()> {
    let counts: BatchCounts = rows::counts_in(tx, batch).await?;
    let last = query("SELECT max(finished_at) AS at FROM @jobs WHERE batch_id = ?").bind(batch.0);
    // The end of its last job, which was noted by nobody then.
    let ended_at: Timestamp = time(&tx.one(last).await?, "at")?.filter(|at| *at <= tx.now).unwrap_or(tx.now);
    let counts = serde_json::to_string(&counts).unwrap_or_default();
    let end = query("UPDATE @batches SET state = ?2, ended_at = ?3, counts = ?4, holder = NULL WHERE id = ?1");
    tx.run(end.bind(batch.0).bind(state.word()).bind(ended_at.micros()).bind(counts)).await?;
    Ok(())
}
