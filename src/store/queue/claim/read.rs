//! Reads what a claim needs to know: the state of queue and worker, the lanes (queues of one account, host, class and
//! risk) that may be served now with their first jobs, and on PostgreSQL also those jobs with their documents. There one
//! statement reads everything, since each is a round trip.

use super::choose::{ClaimCapacity, Lane, ServableLanes};
use crate::domain::id::{JobId, WorkerId};
use crate::domain::text::SafeLine;
use crate::store::queue::lanes::{LaneKey, ready_in_lane};
use crate::store::queue::pauses::CLASS_NOT_PAUSED;
use crate::store::queue::unfetchable;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::attempts::{self, AttemptRow};
use crate::store::sql::statement::{IntoValue as _, Sql};
use crate::store::sql::transaction::Tx;
use crate::store::{Result, StoreError};
use std::collections::HashMap;

/// State of queue and worker at the start of a claim.
pub(super) struct ClaimContext {
    /// The worker's name.
    pub(super) name: SafeLine,
    /// True if the worker runs a job whose earlier attempt lost its worker.
    pub(super) runs_risky: bool,
    /// Number of jobs claimed in a row from classes above the lowest one with work.
    pub(super) passed_over: i64,
    /// True if a scheduled job is due.
    pub(super) has_due: bool,
    /// The version of the queue on PostgreSQL, which every change of the queue raises; 0 on SQLite.
    pub(super) version: i64,
}

/// Result of one read of a claim.
pub(super) struct ClaimRead {
    pub(super) context: ClaimContext,
    pub(super) servable: ServableLanes,
    /// The first jobs of the lanes with their documents. Empty on SQLite, which reads only the chosen ones.
    pub(super) attempts: HashMap<JobId, AttemptRow>,
}

/// Columns of [`ClaimContext`]; `?1` is the worker and `?2` the time.
const CONTEXT: &str = "(SELECT name FROM @workers WHERE id = ?1) AS claimer, passed_over, \
     (SELECT runs_risky FROM claimer) AS runs_risky, \
     EXISTS (SELECT 1 FROM @jobs WHERE state = 'scheduled' AND run_at <= ?2) AS has_due";

/// Text between the SELECTs of two classes.
const UNION: &str = " UNION ALL SELECT * FROM (";

/// Reads everything for one round of a claim.
pub(super) async fn read(tx: &mut Tx<'_>, worker: &WorkerId, budget: &ClaimCapacity) -> Result<ClaimRead> {
    let slots = i64::try_from(budget.slots).unwrap_or(i64::MAX);
    // The maximum number of jobs that one lane can give, plus the job that is the lane's first one afterwards.
    let deep = 1 + if budget.spacing.is_some() { 1 } else { budget.per_host.clamp(1, slots) };
    let mut sql = Sql::new("");
    for value in [
        worker.0.as_str().into_value(),
        tx.now.micros().into_value(),
        budget.per_account.into_value(),
        budget.per_host.into_value(),
        budget.spacing.is_some().into_value(),
        budget.may_take_risky.into_value(),
        slots.into_value(),
        deep.into_value(),
    ] {
        sql.add_value(value);
    }
    push_servable(&mut sql, budget, tx.dialect());
    match tx.dialect() {
        Dialect::Sqlite => {
            sql.push("SELECT ")
                .push(CONTEXT)
                .push(", 0 AS version, v.* FROM @sched_clock LEFT JOIN servable v ON true");
            sql.push(" WHERE sched_clock.id = 1");
        }
        Dialect::Postgres => {
            sql.push("SELECT queue.*, v.*, ");
            attempts::push_columns(&mut sql, tx.dialect());
            sql.push(" FROM (SELECT ").push(CONTEXT).push(", CAST(CAST(xmin AS text) AS BIGINT) AS queue_version");
            sql.push(" FROM @sched_clock WHERE id = 1) AS queue LEFT JOIN servable v ON true");
            sql.push(" LEFT JOIN @jobs j ON j.id = v.ready_id").push(attempts::JOINS);
        }
    }
    sql.push(" ORDER BY lane_class, lane_head, lane_account, lane_host, lane_risky, ready_vtime, ready_id");
    let rows = tx.all(sql.query()).await?;
    let first = rows.first().ok_or_else(|| StoreError::Corrupt("no row in sched_clock".into()))?;
    let name: Option<String> = get(first, "claimer")?;
    let context = ClaimContext {
        name: SafeLine::new(&name.unwrap_or_else(|| worker.0.clone())),
        runs_risky: get(first, "runs_risky")?,
        passed_over: get(first, "passed_over")?,
        has_due: get(first, "has_due")?,
        version: if tx.dialect() == Dialect::Postgres { get(first, "queue_version")? } else { 0 },
    };
    let mut read = ClaimRead { context, servable: ServableLanes::default(), attempts: HashMap::new() };
    let mut last: Option<(i64, Lane)> = None;
    for row in &rows {
        let Some(key) = lane_key(row)? else { continue };
        let job: Option<i64> = get(row, "ready_id")?;
        if job.is_none() && !budget.unfetchable.documents.is_empty() {
            // The lane may have jobs, but none that this worker can fetch.
            continue;
        }
        let job = job.map(|id| Ok::<_, StoreError>((get(row, "ready_vtime")?, id))).transpose()?;
        if let (Some((_, id)), Dialect::Postgres) = (job, tx.dialect()) {
            read.attempts.insert(JobId(id), attempts::attempt(row)?);
        }
        if let Some((_, lane)) = last.as_mut().filter(|(_, lane)| lane.key == key) {
            lane.jobs.extend(job);
            continue;
        }
        if let Some((head, lane)) = last.take() {
            read.servable.push(head, lane);
        }
        read.servable.host_capacity.insert(key.host.clone(), get(row, "host_left")?);
        read.servable.account_capacity.insert(key.account_id, get(row, "account_left")?);
        last = Some((get(row, "lane_head")?, Lane { key, jobs: job.into_iter().collect() }));
    }
    if let Some((head, lane)) = last {
        read.servable.push(head, lane);
    }
    Ok(read)
}

/// Returns the lane of a row; `None` if no lane may be served.
fn lane_key(row: &Row) -> Result<Option<LaneKey>> {
    let Some(host) = get(row, "lane_host")? else { return Ok(None) };
    Ok(Some(LaneKey {
        account_id: get(row, "lane_account")?,
        host,
        class: get(row, "lane_class")?,
        risky: get(row, "lane_risky")?,
    }))
}

/// Appends the common table expression `servable`: the first lanes of each class that may be served now, each with its
/// first jobs.
fn push_servable(sql: &mut Sql, budget: &ClaimCapacity, dialect: Dialect) {
    // The accounts and hosts that may not be served are collected before any lane is read. A skipped lane then costs a
    // lookup in two small sets, and remaining capacity is computed only for the lanes that are served.
    sql.push(
        "WITH claimer AS MATERIALIZED (SELECT EXISTS \
         (SELECT 1 FROM @jobs WHERE state = 'running' AND worker_id = ?1 AND crashes > 1) AS runs_risky), \
         ra AS MATERIALIZED \
         (SELECT account_id, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1), \
         rh AS MATERIALIZED (SELECT host, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1), \
         passed_accounts(id) AS MATERIALIZED (SELECT ra.account_id FROM ra \
          LEFT JOIN @accounts_sched a ON a.account_id = ra.account_id \
          WHERE ra.n >= CASE WHEN a.max_running < ?3 THEN a.max_running ELSE ?3 END \
          UNION ALL SELECT account_id FROM @accounts_sched WHERE max_running <= 0 \
          UNION ALL SELECT CAST(key AS BIGINT) FROM @pauses WHERE scope = 'account'), \
         closed_accounts(id) AS MATERIALIZED (SELECT account_id FROM @accounts_sched WHERE opens_at > ?2), \
         passed_hosts(name) AS MATERIALIZED (SELECT rh.host FROM rh LEFT JOIN @hosts_sched h ON h.host = rh.host \
          WHERE rh.n >= ?4 OR h.cool_downs > 0 UNION ALL SELECT key FROM @pauses WHERE scope = 'host'",
    );
    for host in &budget.spaced_hosts {
        sql.push(" UNION ALL SELECT ").bind(host);
    }
    sql.push("), first AS MATERIALIZED (");
    for (class, open) in [("0", "SELECT * FROM ("), ("1", UNION), ("2", UNION)] {
        sql.push(open).push(
            "SELECT n.class, n.head, n.account_id, n.host, n.risky FROM @lanes n \
             LEFT JOIN @hosts_sched h ON h.host = n.host WHERE n.class = ",
        );
        // The CASE is for PostgreSQL: estimating each condition separately, it would expect no row at all, and read and
        // sort every lane instead of walking the first ones in order.
        sql.push(class).push(" AND ").push(CLASS_NOT_PAUSED).push(
            " AND n.account_id NOT IN (SELECT id FROM passed_accounts) \
             AND (n.class = 0 OR n.account_id NOT IN (SELECT id FROM closed_accounts)) \
             AND n.host NOT IN (SELECT name FROM passed_hosts) \
             AND CASE WHEN coalesce(h.held_until, 0) <= ?2 AND coalesce(h.spaced_until, 0) <= ?2 \
             AND (NOT n.risky OR ?6 AND NOT (SELECT runs_risky FROM claimer))",
        );
        unfetchable::push_hosts(sql, &budget.unfetchable);
        sql.push(" THEN true ELSE false END ORDER BY n.class, n.head, n.account_id, n.host LIMIT ?7");
        if !budget.unfetchable.documents.is_empty() {
            // As many lanes may have nothing but such documents.
            sql.push(" + ").bind(budget.unfetchable.documents.len() as i64);
        }
        sql.push(") AS c").push(class);
    }
    let (open, close) = match dialect {
        Dialect::Sqlite => ("jobs r ON r.id IN (SELECT j.id FROM ", " ORDER BY j.vtime, j.id LIMIT ?8)"),
        Dialect::Postgres => ("LATERAL (SELECT j.id, j.vtime FROM ", " ORDER BY j.vtime, j.id LIMIT ?8) AS r ON true"),
    };
    sql.push(
        "), servable AS MATERIALIZED (SELECT lanes.class AS lane_class, lanes.head AS lane_head, \
         lanes.account_id AS lane_account, lanes.host AS lane_host, lanes.risky AS lane_risky, r.id AS ready_id, \
         r.vtime AS ready_vtime, \
         CASE WHEN ?5 OR coalesce(h.cool_downs, 0) > 0 THEN 1 ELSE ?4 - coalesce(rh.n, 0) END AS host_left, \
         CASE WHEN a.max_running < ?3 THEN a.max_running ELSE ?3 END - coalesce(ra.n, 0) AS account_left \
         FROM first AS lanes LEFT JOIN @accounts_sched a ON a.account_id = lanes.account_id \
         LEFT JOIN ra ON ra.account_id = lanes.account_id LEFT JOIN rh ON rh.host = lanes.host \
         LEFT JOIN @hosts_sched h ON h.host = lanes.host LEFT JOIN ",
    );
    sql.push(open).push(ready_in_lane(dialect));
    unfetchable::push_documents(sql, &budget.unfetchable, "j.document_id");
    sql.push(close).push(") ");
}
