//! What the last jobs of documents took, to estimate what a bulk request takes.

use crate::domain::estimate::{PastJob, WorkEstimate};
use crate::domain::id::DocumentId;
use crate::store::queries::workers;
use crate::store::sql::columns::optional_number;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::{Result, WorkerHealth};
use std::collections::HashMap;
use std::time::Duration;

/// Number of documents of which the last job is read, evenly spread over all.
const SAMPLE: usize = 400;

/// Returns the work of syncing `documents`, of which each host has a number.
pub(in crate::store) async fn estimate(
    db: &Database,
    documents: &[DocumentId],
    of_host: HashMap<String, u64>,
) -> Result<WorkEstimate> {
    let step = documents.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<i64> = documents.iter().step_by(step).map(|document| document.0).collect();
    let last = query(
        "SELECT s.host, CAST(sum(o.duration_ms) AS BIGINT) AS busy, \
         CAST(sum(CASE WHEN o.next_attempt_at > o.at THEN o.next_attempt_at - o.at END) AS BIGINT) AS waits \
         FROM @document_state s JOIN @outcomes o ON o.job_id = s.job_id AND o.document_id = s.document_id \
         WHERE s.document_id IN (SELECT each(?)) GROUP BY s.document_id, s.host HAVING sum(o.duration_ms) IS NOT NULL",
    );
    let rows = db.reader().await?.all(last.bind(sample)).await?;
    let past = |row: &Row| {
        Ok(PastJob {
            host: get(row, "host")?,
            busy: Duration::from_millis(optional_number(row, "busy")?.unwrap_or_default()),
            waits: Duration::from_micros(optional_number(row, "waits")?.unwrap_or_default()),
        })
    };
    let past = rows.iter().map(past).collect::<Result<_>>()?;
    let live = workers::workers(db).await?.into_iter().filter(|worker| worker.health != WorkerHealth::Gone);
    let slots = live.map(|worker| u64::from(worker.capacity)).sum();
    Ok(WorkEstimate { documents: of_host, past, slots })
}
