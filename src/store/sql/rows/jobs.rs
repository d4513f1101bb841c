//! Conversion of rows of `jobs` to the types of the domain. Transactions read these rows here before they change them.

use crate::domain::document::SyncStatus;
use crate::domain::failure::{ErrorCode, FailureClass};
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::{Job, JobState, QueueClass, RowBefore};
use crate::domain::retry::Counters;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::{code, corrupt, line, number, optional_number, time, word};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::{Statement, query};
use crate::store::sql::transaction::Tx;
use std::collections::HashMap;

/// A job, with further columns of its row that only the store needs.
#[derive(Clone, Debug)]
pub(in crate::store) struct JobRow {
    pub(in crate::store) job: Job,
    pub(in crate::store) account_id: i64,
    pub(in crate::store) assistant_id: i64,
    pub(in crate::store) url: String,
    pub(in crate::store) host: String,
    pub(in crate::store) vtime: i64,
    pub(in crate::store) worker_id: Option<String>,
    pub(in crate::store) worker_name: Option<SafeLine>,
    pub(in crate::store) token: Option<i64>,
    pub(in crate::store) lease_until: Option<Timestamp>,
    pub(in crate::store) started_at: Option<Timestamp>,
    pub(in crate::store) recorded_attempt: Option<u32>,
    pub(in crate::store) requested_at: Timestamp,
    pub(in crate::store) requested_by: Option<SafeLine>,
    /// Name of the program that has the document's lock, if the job waits for that lock.
    pub(in crate::store) lock_holder: Option<SafeLine>,
    pub(in crate::store) lock_value: Option<SafeLine>,
    /// True if the attempt must fetch and convert the whole page, whatever is known of the response before.
    pub(in crate::store) fetch_whole: bool,
}

/// Returns the job of a row with all columns of the table.
pub(super) fn job(row: &Row) -> Result<JobRow> {
    let row_before = if get::<bool>(row, "before_taken")? {
        Some(RowBefore {
            sync_status: get::<Option<i64>>(row, "before_sync_status")?.and_then(SyncStatus::from_code),
            error_code: get(row, "before_error_code")?,
            attempted_at: time(row, "before_attempted_at")?,
        })
    } else {
        None
    };
    Ok(JobRow {
        job: Job {
            id: JobId(get(row, "id")?),
            document_id: DocumentId(get(row, "document_id")?),
            state: word(row, "state", JobState::parse)?.ok_or_else(|| corrupt("state"))?,
            class: code(row, "class", QueueClass::from_code)?.ok_or_else(|| corrupt("class"))?,
            run_at: Timestamp::from_micros(get(row, "run_at")?),
            counters: Counters {
                attempt: number(row, "attempt")?,
                transient: number(row, "transient_fails")?,
                unexpected: number(row, "unexpected_fails")?,
                crashes: number(row, "crashes")?,
            },
            last_failure: word(row, "last_failure", ErrorCode::parse)?,
            row_before,
            cancel_requested_by: line(row, "cancel_requested_by")?,
        },
        account_id: get(row, "account_id")?,
        assistant_id: get(row, "assistant_id")?,
        url: get(row, "url")?,
        host: get(row, "host")?,
        vtime: get(row, "vtime")?,
        worker_id: get(row, "worker_id")?,
        worker_name: line(row, "worker_name")?,
        token: get(row, "lease_token")?,
        lease_until: time(row, "lease_until")?,
        started_at: time(row, "started_at")?,
        recorded_attempt: optional_number(row, "recorded_attempt")?,
        requested_at: Timestamp::from_micros(get(row, "requested_at")?),
        requested_by: line(row, "requested_by")?,
        lock_holder: line(row, "lock_holder")?,
        lock_value: line(row, "lock_value")?,
        fetch_whole: get(row, "whole")?,
    })
}

/// Reads the jobs that `statement` selects. It must select all columns of the table.
pub(in crate::store) async fn select(tx: &mut Tx<'_>, statement: Statement) -> Result<Vec<JobRow>> {
    tx.all(statement).await?.iter().map(job).collect()
}

/// Reads the live job (scheduled, ready or running) of a document; `None` if it has none.
pub(in crate::store) async fn live_job(tx: &mut Tx<'_>, document: DocumentId) -> Result<Option<JobRow>> {
    Ok(live_jobs(tx, &[document]).await?.remove(&document))
}

/// Reads the live jobs of documents; documents without one are left out.
pub(in crate::store) async fn live_jobs(
    tx: &mut Tx<'_>,
    documents: &[DocumentId],
) -> Result<HashMap<DocumentId, JobRow>> {
    let live = "SELECT * FROM @jobs WHERE document_id IN (SELECT each(?)) \
         AND state IN ('scheduled', 'ready', 'running')";
    let ids: Vec<i64> = documents.iter().map(|id| id.0).collect();
    let rows = select(tx, query(live).bind(ids)).await?;
    Ok(rows.into_iter().map(|row| (row.job.document_id, row)).collect())
}

/// Locks the live jobs of documents against changes by others until the transaction ends. SQLite needs no lock: it has
/// one writer.
pub(in crate::store) async fn lock_live_jobs(tx: &mut Tx<'_>, documents: &[DocumentId]) -> Result<()> {
    if tx.dialect() == Dialect::Postgres {
        let ids: Vec<i64> = documents.iter().map(|id| id.0).collect();
        let lock = query(
            "SELECT id FROM @jobs WHERE document_id = ANY(?) AND state IN ('scheduled', 'ready', 'running') \
             ORDER BY document_id FOR UPDATE",
        );
        tx.all(lock.bind(ids)).await?;
    }
    Ok(())
}

/// Reads jobs by their ids and locks them against changes by others until the transaction ends; missing ones are left
/// out.
pub(in crate::store) async fn lock_jobs(
    tx: &mut Tx<'_>,
    jobs: impl Iterator<Item = JobId>,
) -> Result<HashMap<JobId, JobRow>> {
    let ids: Vec<i64> = jobs.map(|id| id.0).collect();
    let lock = match tx.dialect() {
        Dialect::Sqlite => "SELECT * FROM @jobs WHERE id IN (SELECT each(?))",
        Dialect::Postgres => "SELECT * FROM @jobs WHERE id = ANY(?) ORDER BY document_id, id FOR UPDATE",
    };
    let rows = select(tx, query(lock).bind(ids)).await?;
    Ok(rows.into_iter().map(|row| (row.job.id, row)).collect())
}

/// Returns the code that is stored for a failure class.
pub(in crate::store) const fn class_code(class: FailureClass) -> i64 {
    match class {
        FailureClass::Permanent => 0,
        FailureClass::Transient => 1,
        FailureClass::Unexpected => 2,
    }
}

/// Returns the failure class of a stored code; `None` if no class has it.
pub(in crate::store) fn class_from_code(code: i64) -> Option<FailureClass> {
    [FailureClass::Permanent, FailureClass::Transient, FailureClass::Unexpected]
        .into_iter()
        .find(|class| class_code(*class) == code)
}
