//! Jobs with their documents, read by one statement: what a claim and a finish need to know.

use crate::domain::id::JobId;
use crate::store::Result;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::documents::{self, Document};
use crate::store::sql::rows::jobs::{self, JobRow};
use crate::store::sql::statement::{Sql, Statement};
use crate::store::sql::transaction::Tx;
use std::collections::HashMap;

/// A job with its document.
pub(in crate::store) struct AttemptRow {
    pub(in crate::store) job: JobRow,
    /// `None` if the document was removed.
    pub(in crate::store) document: Option<Document>,
    /// True if there is a row of the host's back-off or spacing.
    pub(in crate::store) is_host_known: bool,
    /// The version of the job's row on PostgreSQL (`xmin`), by which a guard recognises a change; 0 on SQLite.
    version: i64,
}

/// Appends the columns that [`attempt`] reads, for `jobs j` with [`JOINS`].
pub(in crate::store) fn push_columns(sql: &mut Sql, dialect: Dialect) {
    sql.push("j.*, ").push(documents::COLUMNS);
    sql.push(", EXISTS (SELECT 1 FROM @hosts_sched b WHERE b.host = j.host) AS is_host_known, ");
    sql.push(match dialect {
        Dialect::Sqlite => "0 AS version",
        Dialect::Postgres => "CAST(CAST(j.xmin AS text) AS BIGINT) AS version",
    });
}

/// The tables beside `jobs j` that [`attempt`] reads.
pub(in crate::store) const JOINS: &str =
    concat!(" LEFT JOIN captain_documents d ON d.id = j.document_id", documents::joins!());

/// Returns the job of a row with the columns of [`push_columns`], with its document.
pub(in crate::store) fn attempt(row: &Row) -> Result<AttemptRow> {
    let has_document = get::<Option<i64>>(row, "doc_id")?.is_some();
    Ok(AttemptRow {
        job: jobs::job(row)?,
        document: if has_document { Some(documents::document(row)?) } else { None },
        is_host_known: get(row, "is_host_known")?,
        version: get(row, "version")?,
    })
}

/// Reads jobs with their documents by the jobs' ids; missing jobs are left out. In a transaction with locks the jobs'
/// rows are locked against changes by others until it ends, in the order of the documents.
pub(in crate::store) async fn lock(tx: &mut Tx<'_>, ids: Vec<i64>) -> Result<HashMap<JobId, AttemptRow>> {
    let mut sql = Sql::new("SELECT ");
    push_columns(&mut sql, tx.dialect());
    sql.push(" FROM @jobs j").push(JOINS);
    match tx.dialect() {
        Dialect::Sqlite => sql.push(" WHERE j.id IN (SELECT each(?1))"),
        Dialect::Postgres if tx.is_optimistic() => sql.push(" WHERE j.id = ANY(?1)"),
        Dialect::Postgres => sql.push(" WHERE j.id = ANY(?1) ORDER BY j.document_id, j.id FOR UPDATE OF j"),
    };
    let rows = tx.all(sql.query().bind(ids)).await?;
    rows.iter().map(attempt).map(|row| row.map(|row| (row.job.job.id, row))).collect()
}

/// Returns the guard of an optimistic transaction that has read `rows`: it passes if no row of these jobs has changed,
/// and locks them, in the order that every process uses.
pub(in crate::store) fn guard<'r>(rows: impl Iterator<Item = &'r AttemptRow>, schema_version: i64) -> Statement {
    let (ids, versions): (Vec<i64>, Vec<i64>) = rows.map(|row| (row.job.job.id.0, row.version)).unzip();
    let mut sql = Sql::new("SELECT count(*) = ");
    sql.bind(i64::try_from(ids.len()).unwrap_or(i64::MAX));
    sql.push(" AND (SELECT max(version) FROM @migrations) = ").bind(schema_version);
    sql.push(" AS passed FROM (SELECT j.id FROM @jobs j JOIN unnest(").bind(ids).push(", ").bind(versions);
    sql.push(
        ") AS known(id, version) ON known.id = j.id WHERE CAST(CAST(j.xmin AS text) AS BIGINT) = known.version \
         ORDER BY j.document_id, j.id FOR UPDATE OF j) AS locked",
    );
    sql.query()
}
