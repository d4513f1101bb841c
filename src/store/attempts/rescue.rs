//! Takes jobs from dead workers, so that others can run them, and breaks the lease of a running job on a person's
//! request.

use crate::domain::id::JobId;
use crate::domain::job::{ErrorReport, JobState, Transition};
use crate::domain::retry::{Counters, LAST_ATTEMPT_WAIT, LossCause, RISKY_FROM};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::attempts::liveness::Liveness;
use crate::store::attempts::{clock_steps, leases};
use crate::store::queue::apply::{TransitionData, apply};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::workers::KnownWorker;
use crate::store::sql::rows::{documents, jobs, workers};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{RescueResult, Result};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// A worker whose last heartbeat is not older than this counts as alive, even if its lock is free.
const HEARTBEAT_GRACE: Duration = Duration::from_secs(3);
/// If the transaction of a rescue takes longer than this to begin, the database was busy and expired leases prove
/// nothing.
const BUSY_THRESHOLD: Duration = Duration::from_millis(250);

pub(in crate::store) async fn rescue(db: &Database, liveness: &Liveness) -> Result<RescueResult> {
    db.ensure_writable()?;
    let (now, here) = (db.now(), db.uptime());
    if liveness.clock_was_set_back(now, here.time) {
        clock_steps::shorten_waits(db).await?;
    }
    let mut known = workers::known_workers(&mut db.reader().await?, &here).await?;
    liveness.observe(&mut known, &here);
    let running = {
        let mut reader = db.reader().await?;
        let rows = reader.all(query("SELECT worker_id, lease_until FROM @jobs WHERE state = 'running'")).await?;
        let pair = |row| Ok((get(row, 0)?, get(row, 1)?));
        rows.iter().map(pair).collect::<Result<HashSet<(Option<String>, Option<i64>)>>>()?
    };
    // A worker that has no row but that a job names is judged by its lock alone.
    for id in running.iter().filter_map(|(worker, _)| worker.as_ref()) {
        if !known.iter().any(|known| known.id == *id) {
            known.push(KnownWorker::without_row(id.clone()));
        }
    }
    let by_lease = liveness.trusts_leases(here.time);
    let is_over = |(worker, until): &(Option<String>, Option<i64>)| {
        let Some(until) = until.map(Timestamp::from_micros) else { return true };
        let worker = known.iter().find(|known| Some(&known.id) == worker.as_ref());
        worker.map_or(until < now, |worker| worker.lease_is_over(until, now))
    };
    // Leases that have expired, by worker and end: a renewed one has another end.
    let over: HashSet<_> = running.into_iter().filter(|lease| by_lease && is_over(lease)).collect();
    let outdated: HashSet<String> = known.iter().filter(|known| known.outdated).map(|known| known.id.clone()).collect();
    let quiet: Vec<_> = known.iter().map(|known| (known.id.clone(), known.quiet_for(now))).collect();
    known.retain(|known| known.quiet_for(now) > HEARTBEAT_GRACE);
    let mut gone: Vec<String> = db.dead_workers(&known, now).await?.into_iter().collect();
    gone.sort();
    if gone.is_empty() && over.is_empty() {
        db.remove_stray_locks(&[]);
        return Ok(RescueResult::default());
    }
    gone = db.confirm_dead(gone, &known, now).await?;
    let started = db.uptime().time;
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let running = running_jobs(&mut tx).await?;
    // After a long wait for the database, expired leases prove nothing: other workers may have waited, too, and could
    // not send heartbeats. They now get time to send one.
    let begun = db.uptime().time;
    let by_lease = by_lease && begun.saturating_sub(started) <= BUSY_THRESHOLD && liveness.trusts_leases(begun);
    let is_lost = |row: &JobRow| {
        let dead = row.worker_id.as_ref().is_some_and(|worker| gone.contains(worker));
        dead || by_lease && over.contains(&(row.worker_id.clone(), row.lease_until.map(Timestamp::micros)))
    };
    // A worker ended by itself if its program is too old to write anything. Its jobs do not count a crash.
    let is_outdated = |row: &JobRow| row.worker_id.as_ref().is_some_and(|worker| outdated.contains(worker));
    let lost: Vec<_> = running.into_iter().filter(is_lost).collect();
    let mut workers: BTreeMap<Option<&String>, Vec<Counters>> =
        gone.iter().filter(|worker| !outdated.contains(*worker)).map(|worker| (Some(worker), Vec::new())).collect();
    for row in lost.iter().filter(|row| !is_outdated(row)) {
        workers.entry(row.worker_id.as_ref()).or_default().push(row.job.counters);
    }
    let cause = LossCause::of_losses(workers.values());
    let mut rescued = RescueResult::default();
    for row in &lost {
        if is_outdated(row) {
            leases::give_row_back(&mut tx, row).await?;
            continue;
        }
        rescued.reports.extend(record_lost(&mut tx, row, cause).await?);
        let worker = quiet.iter().find(|(id, _)| row.worker_id.as_ref() == Some(id));
        rescued.delays.extend(worker.map(|(_, quiet)| *quiet).filter(|quiet| *quiet != Duration::MAX));
    }
    if cause == LossCause::Elsewhere {
        clear_suspects(&mut tx).await?;
    }
    for worker in known.iter().filter(|known| gone.contains(&known.id)) {
        // The worker may have sent a heartbeat since it was checked.
        let statement = query("DELETE FROM @workers WHERE id = ? AND heartbeats = ?");
        tx.run(statement.bind(&worker.id).bind(worker.heartbeats)).await?;
    }
    rescued.outcomes = tx.commit().await?;
    db.remove_stray_locks(&gone);
    Ok(rescued)
}

pub(in crate::store) async fn break_lease(db: &Database, job: JobId, by: &SafeLine) -> Result<Option<RescueResult>> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    // The job's row is locked, as for every end of an attempt: a finish that commits first wins.
    let row = jobs::lock_jobs(&mut tx, std::iter::once(job)).await?.remove(&job);
    let Some(row) = row.filter(|row| row.job.state == JobState::Running) else { return Ok(None) };
    let to = row.job.lease_broken(by, tx.now);
    let reports = end_attempt(&mut tx, &row, to).await?.into_iter().collect();
    let outcomes = tx.commit().await?;
    Ok(Some(RescueResult { outcomes, reports, delays: Vec::new() }))
}

/// Reads every running job in document order. On PostgreSQL the rows stay locked until the transaction ends.
async fn running_jobs(tx: &mut Tx<'_>) -> Result<Vec<JobRow>> {
    let running = match tx.dialect() {
        Dialect::Sqlite => "SELECT * FROM @jobs WHERE state = 'running' ORDER BY document_id",
        Dialect::Postgres => "SELECT * FROM @jobs WHERE state = 'running' ORDER BY document_id FOR UPDATE",
    };
    jobs::select(tx, query(running)).await
}

/// Forgets the losses of jobs that wait for their last attempt after a loss while they ran alone: workers are lost
/// without them.
async fn clear_suspects(tx: &mut Tx<'_>) -> Result<()> {
    let statement = query(
        "UPDATE @jobs SET crashes = ?1 WHERE state = 'scheduled' AND run_at > ?2 AND run_at <= ?3 AND crashes > ?1",
    );
    let until = tx.now.plus(LAST_ATTEMPT_WAIT);
    tx.run(statement.bind(i64::from(RISKY_FROM)).bind(tx.now.micros()).bind(until.micros())).await?;
    Ok(())
}

/// Ends a running job's attempt because its worker is gone or its lease has expired. Returns an error report if the job
/// fails because it has lost too many workers.
async fn record_lost(tx: &mut Tx<'_>, row: &JobRow, cause: LossCause) -> Result<Option<ErrorReport>> {
    let name = row.worker_name.as_ref().map(|name| name.to_string()).or_else(|| row.worker_id.clone());
    let to = row.job.lost(name.as_deref().unwrap_or("unknown"), cause, tx.now);
    end_attempt(tx, row, to).await
}

/// Applies a transition that ends the lease of a running job, and returns the transition's error report.
async fn end_attempt(tx: &mut Tx<'_>, row: &JobRow, to: Transition) -> Result<Option<ErrorReport>> {
    debug_assert_eq!(row.job.state, JobState::Running);
    let document = documents::by_id(tx, row.job.document_id).await?;
    let with = TransitionData { token: row.token, worker: row.worker_name.clone(), ..TransitionData::default() };
    apply(tx, row, document.as_ref(), &to, with).await?;
    Ok(to.report)
}
