//! Between claim and fetch: marks documents as `syncing` once their Redis lock is acquired, postpones jobs whose
//! document is locked by another program, and ends jobs with nothing left to sync.

use crate::domain::id::DocumentId;
use crate::domain::job::JobState;
use crate::domain::lock::LockHolder;
use crate::store::attempts::group_commit::{Gatherer, Pending};
use crate::store::queue::apply::{TransitionData, apply};
use crate::store::queue::tries;
use crate::store::queue::tries::TryStart;
use crate::store::sql::conn::Purpose;
use crate::store::sql::database::Database;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::transaction::Tx;
use crate::store::{FinishResult, JobLease, MarkResult, Result, StoreError};
use std::sync::Weak;
use std::time::Duration;

/// Marks documents as `syncing` in groups. Returns once every sender is dropped and everything sent is written or has
/// failed, or once the database is dropped.
pub(in crate::store) async fn write_groups(db: Weak<Database>, mut pending: Gatherer<Pending<JobLease, MarkResult>>) {
    while let Some(group) = pending.next_group().await {
        let (leases, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|pending| (pending.write, pending.answer)).unzip();
        let Some(db) = db.upgrade() else { return };
        match mark_group(&db, &leases).await {
            Ok(marked) => {
                for (answer, marked) in answers.into_iter().zip(marked) {
                    // Sending fails if the caller no longer waits. A marked document then stays `syncing` until the
                    // lease ends.
                    let _ = answer.send(Ok(marked));
                }
            }
            Err(error) => {
                let error_copy = || match &error {
                    StoreError::Schema(mismatch) => StoreError::Schema(*mismatch),
                    error => StoreError::Unavailable(error.to_string()),
                };
                for answer in answers {
                    let _ = answer.send(Err(error_copy()));
                }
            }
        }
    }
}

async fn mark_group(db: &Database, leased: &[JobLease]) -> Result<Vec<MarkResult>> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    // Locked and written in document order, so that concurrent writers on PostgreSQL never deadlock.
    let mut jobs = jobs::lock_jobs(&mut tx, leased.iter().map(|leased| leased.job_id)).await?;
    let mut order: Vec<usize> = (0..leased.len()).collect();
    order.sort_by_key(|index| jobs.get(&leased[*index].job_id).map(|row| row.job.document_id));
    let ids: Vec<DocumentId> = jobs.values().map(|row| row.job.document_id).collect();
    let mut documents = documents::by_ids(&mut tx, &ids).await?;
    let mut marked = vec![MarkResult::LeaseLost; leased.len()];
    let mut tries = Vec::with_capacity(leased.len());
    for index in order {
        let Some(row) = still_leased(jobs.remove(&leased[index].job_id), leased[index]) else { continue };
        let document = documents.remove(&row.job.document_id);
        let with = TransitionData { token: None, worker: row.worker_name.clone(), ..TransitionData::default() };
        marked[index] = match tries::document_to_sync(&mut tx, &row, document, with).await? {
            None => MarkResult::Ended,
            Some(document) => {
                tries.push(TryStart::of(&row));
                MarkResult::Marked { fingerprint: document.stored_fingerprint() }
            }
        };
    }
    tries::start(&mut tx, &tries).await?;
    tx.commit().await?;
    Ok(marked)
}

pub(in crate::store) async fn defer(
    db: &Database,
    lease: JobLease,
    holder: &LockHolder,
    delay: Duration,
) -> Result<FinishResult> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let row = jobs::lock_jobs(&mut tx, std::iter::once(lease.job_id)).await?.remove(&lease.job_id);
    let Some(row) = still_leased(row, lease) else { return Ok(FinishResult::LeaseLost) };
    let document = documents::by_id(&mut tx, row.job.document_id).await?;
    let reported = row.lock_value.as_ref() == Some(&holder.value);
    let to = row.job.deferred(holder, reported, delay, tx.now);
    let with =
        TransitionData { worker: row.worker_name.clone(), lock_holder: Some(holder), ..TransitionData::default() };
    apply(&mut tx, &row, document.as_ref(), &to, with).await?;
    let outcomes = tx.commit().await?;
    Ok(FinishResult::Written { state: to.state, outcomes, report: None })
}

/// Returns `row` if its job still runs under the token of `lease`.
fn still_leased(row: Option<JobRow>, lease: JobLease) -> Option<JobRow> {
    row.filter(|row| row.job.state == JobState::Running && row.token == Some(lease.token.0))
}
