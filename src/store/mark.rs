//! Between the claim and the fetch: rows are marked `syncing` once their lock is held, jobs whose lock is somebody
//! else's are put off, and jobs with nothing left to sync end.

use super::apply::With;
use super::finish::gather;
use super::rows::{Document, JobRow};
use super::sql::query;
use super::sql_store::SqlStore;
use super::tx::{Purpose, Tx};
use super::{Finished, Held, Marked, Result, StoreError};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::lock::LockHolder;
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Why a job needs no fetch any more.
const SYNCED_ELSEWHERE: &str = "synced elsewhere";

/// A mark on its way to the writer task.
pub(super) struct PendingMark {
    pub(super) held: Held,
    pub(super) answer: oneshot::Sender<Result<Marked>>,
}

/// Runs until every sender is gone and what they sent is written.
pub(super) async fn write_marks(store: Weak<SqlStore>, mut pending: mpsc::Receiver<PendingMark>) {
    while let Some(first) = pending.recv().await {
        let group = gather(first, &mut pending).await;
        let Some(store) = store.upgrade() else { return };
        let held: Vec<_> = group.iter().map(|mark| mark.held).collect();
        match store.mark_group(&held).await {
            Ok(marked) => {
                for (pending, marked) in group.into_iter().zip(marked) {
                    // Nobody waits any more: the mark stands, and the lease ends it.
                    let _ = pending.answer.send(Ok(marked));
                }
            }
            Err(error) => {
                for pending in group {
                    let _ = pending.answer.send(Err(StoreError::Unavailable(error.to_string())));
                }
            }
        }
    }
}

impl SqlStore {
    async fn mark_group(&self, held: &[Held]) -> Result<Vec<Marked>> {
        let mut tx = self.begin(Purpose::Rows).await?;
        // In document order, so that writers on a database with several never wait for each other in a circle.
        let documents = tx.lock_jobs(held.iter().map(|held| held.job_id)).await?;
        let mut order: Vec<usize> = (0..held.len()).collect();
        order.sort_by_key(|place| documents.get(&held[*place].job_id).copied());
        let mut marked = vec![Marked::Late; held.len()];
        for place in order {
            marked[place] = tx.mark(held[place]).await?;
        }
        tx.commit().await?;
        Ok(marked)
    }

    pub(super) async fn defer_job(&self, held: Held, holder: &LockHolder, again: Duration) -> Result<Finished> {
        let mut tx = self.begin(Purpose::Rows).await?;
        tx.lock_jobs(std::iter::once(held.job_id)).await?;
        let Some(row) = tx.held_job(held).await? else { return Ok(Finished::Late) };
        let document = tx.document(row.job.document_id).await?;
        let told = row.lock_value.as_ref() == Some(&holder.value);
        let to = row.job.deferred(holder, told, again, tx.now);
        let with = With { worker: row.worker_name.clone(), holder: Some(holder), ..With::default() };
        tx.apply(&row, document.as_ref(), &to, with).await?;
        let outcomes = tx.commit().await?;
        Ok(Finished::Written { state: to.state, outcomes, report: None })
    }
}

impl Tx<'_> {
    /// A job, if it still runs under this token.
    async fn held_job(&mut self, held: Held) -> Result<Option<JobRow>> {
        let row = self.job(held.job_id).await?;
        Ok(row.filter(|row| row.job.state == JobState::Running && row.token == Some(held.token.0)))
    }

    async fn mark(&mut self, held: Held) -> Result<Marked> {
        let Some(row) = self.held_job(held).await? else { return Ok(Marked::Late) };
        let with = With { token: None, worker: row.worker_name.clone(), ..With::default() };
        let Some(document) = self.document_to_sync(&row, with).await? else { return Ok(Marked::Ended) };
        self.start_try(&row, &document).await?;
        Ok(Marked::Marked { fingerprint: document.fingerprint.map(Fingerprint::stored) })
    }

    /// The job's document. When there is nothing to sync any more the job ends `cancelled` with the reason.
    pub(super) async fn document_to_sync(&mut self, row: &JobRow, with: With<'_>) -> Result<Option<Document>> {
        let document = self.document(row.job.document_id).await?;
        let reason = match &document {
            None => Some("the document is gone".to_owned()),
            Some(document) => match document.syncable() {
                Err(reason) => Some(format!("the document {reason}")),
                Ok(()) => is_synced_elsewhere(row, document).then(|| SYNCED_ELSEWHERE.to_owned()),
            },
        };
        let Some(reason) = reason else { return Ok(document) };
        let end = row.job.cancelled(Some(&reason), self.now);
        self.apply(row, document.as_ref(), &end, with).await?;
        if reason == SYNCED_ELSEWHERE {
            let forget = "UPDATE @document_state SET error_code = NULL, detail = NULL, http_status = NULL \
                          WHERE document_id = ?";
            self.run(query(forget).bind(row.job.document_id.0)).await?;
        }
        Ok(None)
    }

    /// A try begins: what stands in the row is remembered if it is the first, and the row becomes `syncing`.
    pub(super) async fn start_try(&mut self, row: &JobRow, document: &Document) -> Result<()> {
        let start = query(
            "UPDATE @jobs SET started_at = ?2, lock_holder = NULL, \
             before_sync_status = CASE WHEN before_taken THEN before_sync_status ELSE ?3 END, \
             before_error_code = CASE WHEN before_taken THEN before_error_code ELSE ?4 END, \
             before_attempted_at = CASE WHEN before_taken THEN before_attempted_at ELSE ?5 END, before_taken = true \
             WHERE id = ?1",
        );
        let start = start
            .bind(row.job.id.0)
            .bind(self.now.micros())
            .bind(document.sync_status.map(|status| status.code()))
            .bind(document.row_error_code.clone())
            .bind(document.attempted_at.map(|at| at.micros()));
        self.run(start).await?;
        let mark = query(
            "UPDATE captain_documents SET sync_status = 0, last_sync_attempted_at = stamp(?2), \
             metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', NULL) WHERE id = ?1",
        );
        self.run(mark.bind(document.id).bind(self.now.micros())).await?;
        Ok(())
    }
}

/// Whether somebody else has done what the job was for: a retry whose document was synced since its last try, or a job
/// that waited for a lock and that no person asked for, whose document was synced since the request.
fn is_synced_elsewhere(row: &JobRow, document: &Document) -> bool {
    let since = match row.job.class {
        QueueClass::Manual => None,
        _ if row.lock_holder.is_some() => Some(row.started_at.map_or(row.requested_at, |at| at.max(row.requested_at))),
        QueueClass::Retry => row.started_at,
        QueueClass::Auto => None,
    };
    since.zip(document.synced_at).is_some_and(|(since, synced)| synced > since)
}
