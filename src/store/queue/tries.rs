//! Start of a try, the part of an attempt that fetches the page: the document's row becomes `syncing`. A job with
//! nothing left to sync ends instead.

use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::QueueClass;
use crate::store::Result;
use crate::store::queue::apply::{TransitionData, apply};
use crate::store::queue::shadow;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;

/// Reason of a job that ends because its document was synced by another job or program.
const SYNCED_ELSEWHERE: &str = "synced elsewhere";

/// Returns the job's document if there is something to sync; otherwise ends the job as `cancelled` with the reason.
pub(in crate::store) async fn document_to_sync(
    tx: &mut Tx<'_>,
    row: &JobRow,
    document: Option<Document>,
    with: TransitionData<'_>,
) -> Result<Option<Document>> {
    let reason = match &document {
        None => Some("the document was removed".to_owned()),
        Some(document) => match document.syncable() {
            Err(reason) => Some(format!("the document {reason}")),
            Ok(()) => is_synced_elsewhere(row, document).then(|| SYNCED_ELSEWHERE.to_owned()),
        },
    };
    let Some(reason) = reason else { return Ok(document) };
    let end = row.job.cancelled(Some(&reason), tx.now);
    apply(tx, row, document.as_ref(), &end, with).await?;
    if reason == SYNCED_ELSEWHERE {
        let forget = "UPDATE @document_state SET error_code = NULL, detail = NULL, http_status = NULL, \
                      failure_cluster = NULL, failed_since = NULL, failed_at = NULL WHERE document_id = ?";
        tx.run(query(forget).bind(row.job.document_id.0)).await?;
    }
    Ok(None)
}

/// Assignments of a job's first try: its start `?2`, and the values that the row of its document `d` had before.
macro_rules! saved_before {
    () => {
        "lock_holder = NULL, started_at = ?2, \
         before_sync_status = CASE WHEN before_taken THEN before_sync_status ELSE d.sync_status END, \
         before_error_code = CASE WHEN before_taken THEN before_error_code ELSE meta.last_sync_error_code END, \
         before_attempted_at = CASE WHEN before_taken THEN before_attempted_at \
         ELSE micros(d.last_sync_attempted_at) END, before_taken = true"
    };
}

/// Assignments that make a document's row `syncing` at the time `?2`.
macro_rules! syncing {
    () => {
        "sync_status = 0, last_sync_attempted_at = stamp(?2), \
         metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', NULL)"
    };
}

pub(in crate::store) const SAVED_BEFORE: &str = saved_before!();
pub(in crate::store) const SYNCING: &str = syncing!();

/// Starts tries: sets the documents' rows to `syncing`. Before a job's first try, saves the row's earlier values in the
/// job.
pub(in crate::store) async fn start(tx: &mut Tx<'_>, tries: &[TryStart]) -> Result<()> {
    if tries.is_empty() {
        return Ok(());
    }
    let save = query(concat!(
        "UPDATE @jobs SET ",
        saved_before!(),
        " FROM captain_documents d WHERE d.id = jobs.document_id AND jobs.id IN (SELECT each(?1))"
    ));
    let jobs: Vec<i64> = tries.iter().map(|one| one.job.0).collect();
    tx.run(save.bind(jobs).bind(tx.now.micros())).await?;
    mark_syncing(tx, tries.iter().map(|one| one.document.0).collect()).await
}

/// Sets the rows of `documents` to `syncing`.
pub(in crate::store) async fn mark_syncing(tx: &mut Tx<'_>, documents: Vec<i64>) -> Result<()> {
    let mark = query(concat!("UPDATE captain_documents SET ", syncing!(), " WHERE id IN (SELECT each(?1))"));
    tx.run(mark.bind(documents.clone()).bind(tx.now.micros())).await?;
    shadow::refresh(tx, documents).await
}

/// A try that is about to start: a job and its document.
pub(in crate::store) struct TryStart {
    job: JobId,
    document: DocumentId,
}

impl TryStart {
    /// Returns the try of the job `row`.
    pub(in crate::store) fn of(row: &JobRow) -> Self {
        Self { job: row.job.id, document: row.job.document_id }
    }
}

/// Returns true if another job or program has synced the document since the last try of a retry, or since the request
/// of an automatic job. If the job was postponed because of the document's lock, the later of the two times counts.
/// Always false for a manual job.
fn is_synced_elsewhere(row: &JobRow, document: &Document) -> bool {
    let since = match row.job.class {
        QueueClass::Manual => None,
        _ if row.lock_holder.is_some() => Some(row.started_at.map_or(row.requested_at, |at| at.max(row.requested_at))),
        QueueClass::Retry => row.started_at,
        // The job has waited for its random time, and somebody may have requested a sync meanwhile.
        QueueClass::Auto => Some(row.requested_at),
    };
    since.zip(document.synced_at).is_some_and(|(since, synced)| synced > since)
}
