//! Registered workers and their health, for display. A rescue never relies on these results, but checks locks and
//! leases itself.

use crate::domain::id::WorkerId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{corrupt, number, time};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::rows::workers::{self, KnownWorker};
use crate::store::sql::statement::query;
use crate::store::{Result, WorkerHealth, WorkerSummary};
use std::time::Duration;

/// Age of the last heartbeat after which a worker without a current lease counts as late. Equals the default duration
/// of a lease.
const LATE_AFTER: Duration = Duration::from_secs(30);

pub(in crate::store) async fn workers(db: &Database) -> Result<Vec<WorkerSummary>> {
    let statement = query(
        "SELECT w.id, w.name, w.capacity, w.started_at, w.heartbeat_at, w.unfetchable, w.schema_version, w.machine, \
         w.boot_id, w.uptime, w.heartbeats, w.lease, coalesce(j.running, 0) AS running, j.lease_until FROM @workers w \
         LEFT JOIN (SELECT worker_id, count(*) AS running, max(lease_until) AS lease_until FROM @jobs \
         WHERE state = 'running' GROUP BY worker_id) j ON j.worker_id = w.id ORDER BY w.started_at, w.id",
    );
    let rows = {
        let mut reader = db.reader().await?;
        reader.all(statement).await?
    };
    let (now, here) = (db.now(), db.uptime());
    let mut listed = Vec::with_capacity(rows.len());
    let mut known = Vec::with_capacity(rows.len());
    for row in &rows {
        let at = |column: &str| time(row, column)?.ok_or_else(|| corrupt(column));
        let heartbeat_at: Timestamp = at("heartbeat_at")?;
        let worker = KnownWorker::from_row(row, &here)?;
        let leased = time(row, "lease_until")?.is_some_and(|until| !worker.lease_is_over(until, now));
        let late = worker.quiet_for(now) > LATE_AFTER && !leased;
        known.push(worker);
        listed.push(WorkerSummary {
            id: WorkerId(get(row, "id")?),
            name: SafeLine::new(get(row, "name")?),
            capacity: number(row, "capacity")?,
            running: number(row, "running")?,
            unfetchable: get::<Option<String>>(row, "unfetchable")?
                .iter()
                .flat_map(|text| text.lines())
                .map(SafeLine::new)
                .collect(),
            started_at: at("started_at")?,
            heartbeat_at,
            health: if late { WorkerHealth::Late } else { WorkerHealth::Alive },
        });
    }
    let gone = db.dead_workers(&known, now).await?;
    for worker in &mut listed {
        if gone.contains(&worker.id.0) {
            worker.health = WorkerHealth::Gone;
        }
    }
    Ok(listed)
}

/// Returns the number of registered workers whose process is alive.
pub(in crate::store) async fn alive(db: &Database) -> Result<u64> {
    let known = workers::known_workers(&mut db.reader().await?, &db.uptime()).await?;
    let gone = db.dead_workers(&known, db.now()).await?;
    Ok(known.len().saturating_sub(gone.len()) as u64)
}
