//! Puts leased jobs back into the queue, and lists the leases of jobs that somebody requested to cancel.

use crate::domain::id::{JobId, Token};
use crate::domain::job::JobState;
use crate::store::attempts::leases;
use crate::store::queue::apply::{TransitionData, apply};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{JobLease, Result};
use std::collections::HashSet;

pub(in crate::store) async fn release(db: &Database, leased: &[JobLease]) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    leases::give_back(&mut tx, leased).await?;
    tx.commit().await?;
    Ok(())
}

pub(in crate::store) async fn cancel_requests(db: &Database, leased: &[JobLease]) -> Result<Vec<JobLease>> {
    // An idle worker calls this at every poll of the queue.
    if leased.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = db.reader().await?;
    let requested =
        query("SELECT id, lease_token FROM @jobs WHERE state = 'running' AND cancel_requested_at IS NOT NULL");
    let requested: HashSet<(i64, Option<i64>)> = pairs(&reader.all(requested).await?)?.into_iter().collect();
    Ok(leased.iter().copied().filter(|leased| requested.contains(&(leased.job_id.0, Some(leased.token.0)))).collect())
}

fn pairs(rows: &[Row]) -> Result<Vec<(i64, Option<i64>)>> {
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}

/// Puts leased jobs back into the queue, or ends those with a cancel request; skips jobs whose lease has already ended.
pub(super) async fn give_back(tx: &mut Tx<'_>, leased: &[JobLease]) -> Result<()> {
    let mut rows = jobs::lock_jobs(tx, leased.iter().map(|leased| leased.job_id)).await?;
    for leased in leased {
        let row = rows.remove(&leased.job_id);
        let row = row.filter(|row| row.job.state == JobState::Running && row.token == Some(leased.token.0));
        if let Some(row) = row {
            give_row_back(tx, &row).await?;
        }
    }
    Ok(())
}

/// Puts a running job back into the queue, with its attempt number and counters as before the claim. A job with a
/// cancel request ends as cancelled instead.
pub(super) async fn give_row_back(tx: &mut Tx<'_>, row: &JobRow) -> Result<()> {
    let document = documents::by_id(tx, row.job.document_id).await?;
    let to = row.job.released(tx.now);
    let with = TransitionData { token: None, worker: row.worker_name.clone(), ..TransitionData::default() };
    apply(tx, row, document.as_ref(), &to, with).await
}

/// Returns the leases of a worker, as the table of jobs records them.
pub(super) async fn leases_of_worker(tx: &mut Tx<'_>, worker: &str) -> Result<Vec<JobLease>> {
    let statement =
        query("SELECT id, lease_token FROM @jobs WHERE state = 'running' AND worker_id = ? ORDER BY document_id");
    let rows = tx.all(statement.bind(worker)).await?;
    rows.iter().map(|row| Ok(JobLease { job_id: JobId(get(row, 0)?), token: Token(get(row, 1)?) })).collect()
}
