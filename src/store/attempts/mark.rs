//! Between the claim and the fetch: rows are marked `syncing` once their lock is held, jobs whose lock is somebody
//! else's are put off, and jobs with nothing left to sync end.

use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::{JobState, QueueClass};
use crate::domain::lock::LockHolder;
use crate::store::attempts::finish::gather;
use crate::store::queue::apply::With;
use crate::store::sql::rows::{Document, JobRow};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::{Purpose, Tx};
use crate::store::sql_store::SqlStore;
use crate::store::{Finished, Held, Marked, Result, StoreError};
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Why a job needs no fetch any more.
const SYNCED_ELSEWHERE: &str = "synced elsewhere";

/// A mark on its way to the writer task.
pub(in crate::store) struct PendingMark {
    pub(in crate::store) held: Held,
    pub(in crate::store) answer: oneshot::Sender<Result<Marked>>,
}

/// Runs until every sender is gone and what they sent is written.
pub(in crate::store) async fn write_marks(store: Weak<SqlStore>, mut pending: mpsc::Receiver<PendingMark>) {
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
                let again = || match &error {
                    StoreError::Schema(mismatch) => StoreError::Schema(*mismatch),
                    error => StoreError::Unavailable(error.to_string()),
                };
                for pending in group {
                    let _ = pending.answer.send(Err(again()));
                }
            }
        }
    }
}

impl SqlStore {
    /// Hands a mark to the writer task, and waits until it is committed.
    pub(super) async fn send_mark(&self, held: Held) -> Result<Marked> {
        self.writable()?;
        let closed = || StoreError::Unavailable("the store is closed".into());
        let sender = self.marks.lock().await.clone().ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        sender.send(PendingMark { held, answer }).await.map_err(|_| closed())?;
        drop(sender);
        answered.await.map_err(|_| closed())?
    }

    async fn mark_group(&self, held: &[Held]) -> Result<Vec<Marked>> {
        let mut tx = self.begin(Purpose::Rows).await?;
        // In document order, so that writers on a database with several never wait for each other in a circle.
        let mut jobs = tx.lock_jobs(held.iter().map(|held| held.job_id)).await?;
        let mut order: Vec<usize> = (0..held.len()).collect();
        order.sort_by_key(|place| jobs.get(&held[*place].job_id).map(|row| row.job.document_id));
        let ids: Vec<DocumentId> = jobs.values().map(|row| row.job.document_id).collect();
        let mut documents = tx.documents(&ids).await?;
        let mut marked = vec![Marked::Late; held.len()];
        let mut tries = Vec::with_capacity(held.len());
        for place in order {
            let Some(row) = still_held(jobs.remove(&held[place].job_id), held[place]) else { continue };
            let document = documents.remove(&row.job.document_id);
            let with = With { token: None, worker: row.worker_name.clone(), ..With::default() };
            marked[place] = match tx.document_to_sync(&row, document, with).await? {
                None => Marked::Ended,
                Some(document) => {
                    tries.push(Try::of(&row));
                    Marked::Marked { fingerprint: document.stored_fingerprint() }
                }
            };
        }
        tx.start_tries(&tries).await?;
        tx.commit().await?;
        Ok(marked)
    }

    pub(in crate::store) async fn defer_job(
        &self,
        held: Held,
        holder: &LockHolder,
        again: Duration,
    ) -> Result<Finished> {
        let mut tx = self.begin(Purpose::Rows).await?;
        let row = tx.lock_jobs(std::iter::once(held.job_id)).await?.remove(&held.job_id);
        let Some(row) = still_held(row, held) else { return Ok(Finished::Late) };
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
    /// The job's document, when there is something to sync; else the job ends `cancelled` with the reason.
    pub(in crate::store) async fn document_to_sync(
        &mut self,
        row: &JobRow,
        document: Option<Document>,
        with: With<'_>,
    ) -> Result<Option<Document>> {
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

    /// Tries begin: what stands in the rows is remembered where it is the first, and the rows become `syncing`.
    pub(in crate::store) async fn start_tries(&mut self, tries: &[Try]) -> Result<()> {
        if tries.is_empty() {
            return Ok(());
        }
        let remember = query(
            "UPDATE @jobs SET lock_holder = NULL, started_at = ?2, \
             before_sync_status = CASE WHEN before_taken THEN before_sync_status ELSE d.sync_status END, \
             before_error_code = CASE WHEN before_taken THEN before_error_code ELSE meta.last_sync_error_code END, \
             before_attempted_at = CASE WHEN before_taken THEN before_attempted_at \
             ELSE micros(d.last_sync_attempted_at) END, before_taken = true \
             FROM captain_documents d WHERE d.id = jobs.document_id AND jobs.id IN (SELECT each(?1))",
        );
        let jobs: Vec<i64> = tries.iter().map(|one| one.job.0).collect();
        self.run(remember.bind(jobs).bind(self.now.micros())).await?;
        let mark = query(
            "UPDATE captain_documents SET sync_status = 0, last_sync_attempted_at = stamp(?2), \
             metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', NULL) \
             WHERE id IN (SELECT each(?1))",
        );
        let documents: Vec<i64> = tries.iter().map(|one| one.document.0).collect();
        self.run(mark.bind(documents).bind(self.now.micros())).await?;
        Ok(())
    }
}

/// A try that is about to begin.
pub(in crate::store) struct Try {
    job: JobId,
    document: DocumentId,
}

impl Try {
    /// Of this job.
    pub(in crate::store) fn of(row: &JobRow) -> Self {
        Self { job: row.job.id, document: row.job.document_id }
    }
}

/// A job, if it still runs under this token.
fn still_held(row: Option<JobRow>, held: Held) -> Option<JobRow> {
    row.filter(|row| row.job.state == JobState::Running && row.token == Some(held.token.0))
}

/// Whether somebody else has done what the job was for: a retry whose document was synced since its last try, or a job
/// that no person asked for, whose document was synced since the request.
fn is_synced_elsewhere(row: &JobRow, document: &Document) -> bool {
    let since = match row.job.class {
        QueueClass::Manual => None,
        _ if row.lock_holder.is_some() => Some(row.started_at.map_or(row.requested_at, |at| at.max(row.requested_at))),
        QueueClass::Retry => row.started_at,
        // Its time was drawn long ago: somebody may have asked for the same since.
        QueueClass::Auto => Some(row.requested_at),
    };
    since.zip(document.synced_at).is_some_and(|(since, synced)| synced > since)
}
