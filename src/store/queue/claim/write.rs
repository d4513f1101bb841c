//! Writes a round of a claim: the chosen jobs become running, their documents `syncing`, and the lanes lose the jobs.
//! PostgreSQL does it by one statement, since each is a round trip. In an optimistic transaction that statement writes
//! nothing if the queue has changed since it was read.

use super::choose::{ClaimCapacity, ClaimSelection};
use crate::domain::id::{JobId, WorkerId};
use crate::domain::text::SafeLine;
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::postgres::QUEUE_LOCK;
use crate::store::queue::lanes::{self, LaneKey, ready_in_lane};
use crate::store::queue::tries;
use crate::store::sql::conn::get;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::statement::{IntoValue as _, Sql, query};
use crate::store::sql::topics::Written;
use crate::store::sql::transaction::Tx;
use crate::store::{ClaimLimits, MarkTiming, Result, StoreError};
use serde_json::json;
use std::collections::HashMap;

/// Worker that claims, with the version of the queue on which its choice is based.
pub(super) struct Claimer<'a> {
    pub(super) worker: &'a WorkerId,
    pub(super) name: &'a SafeLine,
    /// The version of the queue that the round has read.
    pub(super) version: i64,
}

/// Writes the claim of the jobs `taken` and returns the token of each job's lease. A token is a number that no earlier
/// claim of this store has used. PostgreSQL takes tokens from a sequence, which no rollback resets.
pub(super) async fn write(
    tx: &mut Tx<'_>,
    claimer: &Claimer<'_>,
    taken: &[JobRow],
    choice: &ClaimSelection,
    limits: ClaimLimits,
    budget: &ClaimCapacity,
) -> Result<HashMap<JobId, i64>> {
    match tx.dialect() {
        Dialect::Sqlite => {
            let mut tokens = HashMap::new();
            if !taken.is_empty() {
                tokens = mark_running(tx, claimer, taken, limits).await?;
                if limits.mark_timing == MarkTiming::AtClaim {
                    let documents = taken.iter().map(|row| row.job.document_id.0).collect();
                    tries::mark_syncing(tx, documents).await?;
                }
                lanes::remove_all(tx, taken).await?;
            }
            lanes::drop_empty(tx, &choice.emptied_lanes).await?;
            Ok(tokens)
        }
        Dialect::Postgres => write_at_once(tx, claimer, taken, choice, limits, budget).await,
    }
}

async fn mark_running(
    tx: &mut Tx<'_>,
    claimer: &Claimer<'_>,
    taken: &[JobRow],
    limits: ClaimLimits,
) -> Result<HashMap<JobId, i64>> {
    let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
    let next = query("UPDATE @sched_clock SET fence = fence + ? WHERE id = 1 RETURNING fence").bind(count);
    let first = get::<i64>(&tx.one(next).await?, 0)? - count + 1;
    let ids: Vec<i64> = taken.iter().map(|row| row.job.id.0).collect();
    let mut mark = Sql::default();
    for value in [
        ids.into_value(),
        tx.now.micros().into_value(),
        claimer.worker.0.as_str().into_value(),
        claimer.name.as_str().into_value(),
        tx.now.plus(limits.lease).micros().into_value(),
        first.into_value(),
    ] {
        mark.add_value(value);
    }
    mark.push(
        "UPDATE @jobs SET state = 'running', attempt = attempt + 1, worker_id = ?3, worker_name = ?4, \
         lease_until = ?5, lease_token = ?6 + (SELECT key FROM json_each(?1) WHERE value = jobs.id)",
    );
    match limits.mark_timing {
        MarkTiming::AtClaim => {
            mark.push(", ").push(tries::SAVED_BEFORE);
            mark.push(" FROM captain_documents d WHERE d.id = jobs.document_id AND jobs.id IN (SELECT each(?1))");
        }
        MarkTiming::AfterLock => drop(mark.push(" WHERE jobs.id IN (SELECT each(?1))")),
    }
    mark.push(" RETURNING jobs.id, lease_token");
    tx.all(mark.query()).await?.iter().map(|row| Ok((JobId(get(row, 0)?), get(row, 1)?))).collect()
}

async fn write_at_once(
    tx: &mut Tx<'_>,
    claimer: &Claimer<'_>,
    taken: &[JobRow],
    choice: &ClaimSelection,
    limits: ClaimLimits,
    budget: &ClaimCapacity,
) -> Result<HashMap<JobId, i64>> {
    let [manual, retry, auto] = budget.served_vtime;
    let emptied = |lane: &LaneKey| json!([lane.account_id, lane.host, lane.class, lane.risky]);
    let emptied: serde_json::Value = choice.emptied_lanes.iter().map(emptied).collect();
    let values = [
        taken.iter().map(|row| row.job.id.0).collect::<Vec<i64>>().into_value(),
        tx.now.micros().into_value(),
        claimer.worker.0.as_str().into_value(),
        claimer.name.as_str().into_value(),
        tx.now.plus(limits.lease).micros().into_value(),
        budget.passed_over.into_value(),
        manual.into_value(),
        retry.into_value(),
        auto.into_value(),
        emptied.to_string().into_value(),
    ];
    let mut sql = Sql::default();
    for value in values {
        sql.add_value(value);
    }
    sql.push(
        "WITH gate AS (UPDATE @sched_clock SET passed_over = ?6, vclock_manual = greatest(vclock_manual, ?7), \
         vclock_retry = greatest(vclock_retry, ?8), vclock_auto = greatest(vclock_auto, ?9) WHERE id = 1",
    );
    if tx.is_optimistic() {
        sql.push(" AND CAST(CAST(xmin AS text) AS BIGINT) = ").bind(claimer.version);
        sql.push(" AND (SELECT max(version) FROM @migrations) = ").bind(SCHEMA_VERSION);
        sql.push(" AND pg_try_advisory_xact_lock(").bind(QUEUE_LOCK).push(")");
    }
    // Tokens are given in the order of the jobs, once for each.
    sql.push(
        " RETURNING id), tokens AS MATERIALIZED (SELECT chosen.id, nextval('@fence') AS token \
         FROM gate, unnest(?1) AS chosen(id)), taken AS (UPDATE @jobs SET state = 'running', attempt = attempt + 1, \
         worker_id = ?3, worker_name = ?4, lease_until = ?5, lease_token = tokens.token",
    );
    if limits.mark_timing == MarkTiming::AtClaim {
        sql.push(", ").push(tries::SAVED_BEFORE);
    }
    sql.push(
        " FROM captain_documents d, tokens WHERE d.id = jobs.document_id AND jobs.id = tokens.id \
         AND jobs.state = 'ready' RETURNING jobs.id, jobs.document_id, jobs.lease_token), ",
    );
    if limits.mark_timing == MarkTiming::AtClaim {
        sql.push("marked AS (UPDATE captain_documents SET ").push(tries::SYNCING);
        sql.push(" WHERE id IN (SELECT document_id FROM taken)), ");
    }
    // The statement sees the jobs as they were before it, so the taken ones are left out.
    sql.push(
        "heads AS (UPDATE @lanes SET head = next.vtime FROM \
         (SELECT DISTINCT account_id, host, class, crashes > 1 AS risky FROM @jobs WHERE id = ANY(?1)) AS t \
         CROSS JOIN LATERAL (SELECT j.vtime FROM @jobs j WHERE j.state = 'ready' AND j.account_id = t.account_id \
          AND j.host = t.host AND j.class = t.class AND (j.crashes > 1) = t.risky AND j.id <> ALL(?1) \
          ORDER BY j.vtime, j.id LIMIT 1) AS next \
         WHERE lanes.account_id = t.account_id AND lanes.host = t.host AND lanes.class = t.class \
         AND lanes.risky = t.risky AND EXISTS (SELECT 1 FROM gate)), \
         emptied AS (DELETE FROM @lanes USING elements(?10) k \
         WHERE lanes.account_id = CAST(k.value ->> 0 AS BIGINT) AND lanes.host = k.value ->> 1 \
         AND lanes.class = CAST(k.value ->> 2 AS BIGINT) AND lanes.risky = CAST(k.value ->> 3 AS BOOLEAN) \
         AND EXISTS (SELECT 1 FROM gate) AND NOT EXISTS (SELECT 1 FROM ",
    );
    sql.push(ready_in_lane(Dialect::Postgres)).push(
        " AND j.id <> ALL(?1))) SELECT (SELECT count(*) FROM gate) AS passed, taken.id, taken.lease_token \
         FROM (SELECT 1) AS one LEFT JOIN taken ON true",
    );
    let rows = tx.write_at_once(sql.query()).await?;
    let mut tokens = HashMap::new();
    for row in &rows {
        if get::<i64>(row, "passed")? == 0 {
            return Err(StoreError::Conflict);
        }
        if let Some(id) = get(row, "id")? {
            tokens.insert(JobId(id), get(row, "lease_token")?);
        }
    }
    for table in ["jobs", "lanes", "captain_documents"] {
        tx.note(Written::to(table));
    }
    Ok(tokens)
}
