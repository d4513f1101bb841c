//! Registration of workers, and their heartbeats. Each live worker has a lock: on a file (SQLite), or an advisory lock
//! of a database session (PostgreSQL). A free lock shows that the worker's process is dead. Behind PgBouncer there are
//! no such locks; heartbeats replace them.

use crate::domain::id::WorkerId;
use crate::store::attempts::leases;
use crate::store::attempts::liveness::Liveness;
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::jobs;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::sql::uptime::Uptime;
use crate::store::{JobLease, LeaseStatus, Result, StoreError, WorkerInfo};
use std::time::Duration;
use tokio::time::timeout;

pub(in crate::store) async fn register(db: &Database, liveness: &Liveness, worker: &WorkerInfo) -> Result<()> {
    db.ensure_writable()?;
    db.acquire_worker_lock(&worker.id.0).await?;
    let made_known = async {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        upsert_worker(&mut tx, worker, &db.uptime()).await?;
        tx.commit().await
    };
    match made_known.await {
        Ok(_) => {
            liveness.add_worker(worker, db.uptime().time);
            Ok(())
        }
        Err(error) => {
            db.release_worker_lock(&worker.id.0).await;
            Err(error)
        }
    }
}

pub(in crate::store) async fn update(db: &Database, liveness: &Liveness, worker: &WorkerInfo) -> Result<()> {
    db.ensure_writable()?;
    liveness.update_worker(worker);
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let statement = query("UPDATE @workers SET capacity = ?, unfetchable = ? WHERE id = ?").bind(worker.capacity);
    tx.run(statement.bind(reasons(worker)).bind(&worker.id.0)).await?;
    tx.commit().await?;
    Ok(())
}

/// Returns the reasons why the worker cannot fetch some documents, as its row has them.
fn reasons(worker: &WorkerInfo) -> Option<String> {
    let reasons = &worker.unfetchable.reasons;
    (!reasons.is_empty()).then(|| reasons.join("\n"))
}

pub(in crate::store) async fn unregister(db: &Database, liveness: &Liveness, worker: &WorkerId) -> Result<()> {
    let signed_off = sign_off(db, worker).await;
    // If a newer program has migrated the store, this worker cannot delete its row. The row then shows a newer worker
    // that this one is outdated and did not crash, and the released lock shows that it is gone.
    if matches!(signed_off, Ok(()) | Err(StoreError::Schema(_))) && liveness.info(&worker.0).is_some() {
        liveness.remove_worker(&worker.0);
        db.release_worker_lock(&worker.0).await;
    }
    signed_off
}

async fn sign_off(db: &Database, worker: &WorkerId) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let leased = leases::leases_of_worker(&mut tx, &worker.0).await?;
    leases::give_back(&mut tx, &leased).await?;
    tx.run(query("DELETE FROM @workers WHERE id = ?").bind(&worker.0)).await?;
    tx.commit().await?;
    Ok(())
}

pub(in crate::store) async fn heartbeat(
    db: &Database,
    liveness: &Liveness,
    worker: &WorkerId,
    leased: &[JobLease],
    lease: Duration,
) -> Result<Vec<LeaseStatus>> {
    liveness.record_lease(lease);
    // A dead connection must be reported before the lease ends, so that the worker can stop in time.
    let answer = timeout(lease / 3, renew_leases(db, liveness, worker, leased, lease)).await;
    answer.unwrap_or_else(|_| {
        let blocked = db.lock_wait_message();
        Err(StoreError::Unavailable(blocked.unwrap_or_else(|| "no answer within a third of the lease".to_owned())))
    })
}

async fn renew_leases(
    db: &Database,
    liveness: &Liveness,
    worker: &WorkerId,
    leased: &[JobLease],
    lease: Duration,
) -> Result<Vec<LeaseStatus>> {
    let mut tx = Tx::begin(db, Purpose::Heartbeat).await?;
    let now = tx.now;
    jobs::lock_jobs(&mut tx, leased.iter().map(|leased| leased.job_id)).await?;
    let mut statuses = Vec::with_capacity(leased.len());
    for leased in leased {
        let statement = query(
            "UPDATE @jobs SET lease_until = ? WHERE id = ? AND lease_token = ? AND state = 'running' \
             RETURNING cancel_requested_at IS NOT NULL",
        );
        let statement = statement.bind(now.plus(lease).micros()).bind(leased.job_id.0).bind(leased.token.0);
        // A heartbeat changes nothing that anybody has to read at once.
        statuses.push(match tx.first_quietly(statement).await? {
            None => LeaseStatus::Lost,
            Some(row) if get(&row, 0)? => LeaseStatus::CancelRequested,
            Some(_) => LeaseStatus::Renewed,
        });
    }
    let here = db.uptime();
    let update =
        query("UPDATE @workers SET heartbeat_at = ?, uptime = ?, heartbeats = heartbeats + 1, lease = ? WHERE id = ?");
    let update = update.bind(now.micros()).bind(micros(here.time)).bind(micros(lease)).bind(&worker.0);
    // If the row is gone, another process has removed this worker as dead, for example during a sleep. The row is
    // inserted again.
    if tx.run_quietly(update).await? == 0
        && let Some(info) = liveness.info(&worker.0)
    {
        upsert_worker(&mut tx, &info, &here).await?;
    }
    tx.commit().await?;
    liveness.record_heartbeat(here.time);
    Ok(statuses)
}

async fn upsert_worker(tx: &mut Tx<'_>, worker: &WorkerInfo, here: &Uptime) -> Result<()> {
    let statement = query(
        "INSERT INTO @workers (id, name, capacity, started_at, heartbeat_at, schema_version, unfetchable, machine, \
         boot_id, uptime) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (id) DO UPDATE SET \
         heartbeat_at = excluded.heartbeat_at, machine = excluded.machine, boot_id = excluded.boot_id, \
         uptime = excluded.uptime",
    );
    let statement = statement.bind(&worker.id.0).bind(worker.name.as_str()).bind(worker.capacity);
    let statement = statement.bind(tx.now.micros()).bind(SCHEMA_VERSION).bind(reasons(worker));
    tx.run(statement.bind(&*here.machine).bind(&*here.boot).bind(micros(here.time))).await?;
    if tx.lease_only() {
        tx.run(query("UPDATE @workers SET lease_only = true WHERE id = ?").bind(&worker.id.0)).await?;
    }
    Ok(())
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
