//! Who is alive: lock files that the system gives back when a process dies, heartbeats, leases, and the rescue of what
//! dead workers held (design.md 5.4, 5.6).

use super::super::{Beat, Held, Rescued, Result, StoreError, WorkerInfo};
use super::SqliteStore;
use super::apply::With;
use super::error::reading;
use super::rows::JobRow;
use super::writer::Tx;
use crate::domain::id::WorkerId;
use crate::domain::job::JobState;
use crate::domain::time::Timestamp;
use sqlx::{Row, query};
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A heartbeat younger than this stands, whatever the lock says: a process that is only slow is not dead.
const FRESH: Duration = Duration::from_secs(3);
/// A database that took longer than this to let a rescue begin was busy.
const PROMPT: Duration = Duration::from_millis(250);
/// A lock file without a worker's row is left alone so long: its owner may be about to write the row.
const STRAY: Duration = Duration::from_secs(60);

/// What this process knows of its own workers.
#[derive(Default)]
pub(super) struct Liveness(Mutex<Own>);

#[derive(Default)]
struct Own {
    workers: HashMap<String, OwnWorker>,
    /// The longest lease that this process has asked for.
    lease: Duration,
    last_beat: Option<Timestamp>,
    /// Others are not rescued by their leases before this: after an outage or a sleep they could not beat either.
    patient_until: Option<Timestamp>,
}

struct OwnWorker {
    info: WorkerInfo,
    /// Held locked; the system gives it back when the process dies.
    _lock: File,
}

impl Liveness {
    fn own(&self) -> std::sync::MutexGuard<'_, Own> {
        // What is within stays sound when a holder panics: every change is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a lease that was asked for.
    pub(super) fn leased(&self, lease: Duration) {
        let mut own = self.own();
        own.lease = own.lease.max(lease);
    }

    fn beaten(&self, now: Timestamp) {
        let mut own = self.own();
        if own.overdue(now) {
            own.patient_until = Some(now.plus(own.lease));
        }
        own.last_beat = Some(now);
    }

    /// Whether leases of others that ran out may be acted on.
    fn trusts_leases(&self, now: Timestamp) -> bool {
        let own = self.own();
        own.workers.is_empty() || (!own.overdue(now) && own.patient_until.is_none_or(|until| now >= until))
    }

    fn info(&self, worker: &str) -> Option<WorkerInfo> {
        self.own().workers.get(worker).map(|own| own.info.clone())
    }

    /// Lets go of every lock.
    pub(super) fn leave(&self) {
        self.own().workers.clear();
    }
}

impl Own {
    fn overdue(&self, now: Timestamp) -> bool {
        !self.lease.is_zero() && self.last_beat.is_some_and(|last| now.since(last) > self.lease)
    }
}

impl SqliteStore {
    fn lock_path(&self, worker: &str) -> Result<PathBuf> {
        // A worker's id names a file: nothing that could lead out of the folder.
        if worker.is_empty()
            || !worker.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            || worker.starts_with('.')
        {
            return Err(StoreError::Refused(format!("worker id {worker:?}")));
        }
        Ok(self.connect.beside(".workers").join(worker))
    }

    pub(super) async fn register_worker(&self, worker: &WorkerInfo) -> Result<()> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly);
        }
        let path = self.lock_path(&worker.id.0)?;
        let unavailable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(unavailable)?;
        }
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unavailable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Refused(format!("worker {} is registered already", worker.id)),
            TryLockError::Error(error) => unavailable(error),
        })?;
        let mut tx = self.begin().await?;
        tx.known_worker(worker).await?;
        let now = tx.now;
        tx.commit().await?;
        let mut own = self.liveness.own();
        own.workers.insert(worker.id.0.clone(), OwnWorker { info: worker.clone(), _lock: lock });
        own.last_beat = Some(now);
        Ok(())
    }

    pub(super) async fn unregister_worker(&self, worker: &WorkerId) -> Result<()> {
        let mut tx = self.begin().await?;
        let held = tx.held_by(&worker.0).await?;
        tx.give_back(&held).await?;
        tx.run(query("DELETE FROM workers WHERE id = ?").bind(&worker.0)).await?;
        tx.commit().await?;
        let own = self.liveness.own().workers.remove(&worker.0);
        if own.is_some() {
            // Gone already is as good as removed.
            let _ = std::fs::remove_file(self.lock_path(&worker.0)?);
        }
        Ok(())
    }

    pub(super) async fn beat_held(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>> {
        self.liveness.leased(lease);
        let mut tx = self.begin().await?;
        let now = tx.now;
        let beat = query("UPDATE workers SET heartbeat_at = ? WHERE id = ?").bind(now.micros()).bind(&worker.0);
        // Taken for dead while it slept: known again.
        if tx.run(beat).await? == 0
            && let Some(info) = self.liveness.info(&worker.0)
        {
            tx.known_worker(&info).await?;
        }
        let mut beats = Vec::with_capacity(held.len());
        for held in held {
            let statement = query(
                "UPDATE jobs SET lease_until = ? WHERE id = ? AND lease_token = ? AND state = 'running' \
                 RETURNING cancel_requested_at IS NOT NULL",
            );
            let statement = statement.bind(now.plus(lease).micros()).bind(held.job_id.0).bind(held.token.0);
            beats.push(match tx.first(statement).await? {
                None => Beat::Lost,
                Some(row) if row.get(0) => Beat::CancelRequested,
                Some(_) => Beat::Held,
            });
        }
        tx.commit().await?;
        self.liveness.beaten(now);
        Ok(beats)
    }

    pub(super) async fn cancel_requests(&self, held: &[Held]) -> Result<Vec<Held>> {
        let mut reader = self.reader().await?;
        let rows =
            query("SELECT id, lease_token FROM jobs WHERE state = 'running' AND cancel_requested_at IS NOT NULL")
                .fetch_all(&mut *reader)
                .await
                .map_err(reading)?;
        let asked: HashSet<(i64, Option<i64>)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Ok(held.iter().copied().filter(|held| asked.contains(&(held.job_id.0, Some(held.token.0)))).collect())
    }

    /// Whether the process of a worker is gone: its lock can be taken.
    fn process_is_gone(&self, worker: &str) -> bool {
        let Ok(path) = self.lock_path(worker) else { return false };
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// Workers known by their rows: their ids and heartbeats.
    async fn workers(&self) -> Result<Vec<(String, Timestamp)>> {
        let mut reader = self.reader().await?;
        let rows = query("SELECT id, heartbeat_at FROM workers").fetch_all(&mut *reader).await.map_err(reading)?;
        Ok(rows.iter().map(|row| (row.get(0), Timestamp::from_micros(row.get(1)))).collect())
    }

    /// How many workers are alive.
    pub(super) async fn workers_alive(&self) -> Result<u64> {
        Ok(self.workers().await?.iter().filter(|(worker, _)| !self.process_is_gone(worker)).count() as u64)
    }

    pub(super) async fn rescue_jobs(&self) -> Result<Rescued> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly);
        }
        let now = self.clock.now();
        let mut known = self.workers().await?;
        let running = {
            let mut reader = self.reader().await?;
            let rows = query("SELECT worker_id, lease_until FROM jobs WHERE state = 'running'")
                .fetch_all(&mut *reader)
                .await
                .map_err(reading)?;
            rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(Option<String>, Option<i64>)>>()
        };
        let by_lease = self.liveness.trusts_leases(now);
        let ran_out = by_lease && running.iter().any(|(_, until)| until.is_none_or(|until| until < now.micros()));
        // A worker whose row is gone while a job still names it is judged by its lock alone.
        for worker in running.into_iter().filter_map(|(worker, _)| worker) {
            if !known.iter().any(|(known, _)| *known == worker) {
                known.push((worker, Timestamp::from_micros(i64::MIN)));
            }
        }
        let gone: Vec<String> = known
            .into_iter()
            .filter(|(worker, beat)| now.since(*beat) > FRESH && self.process_is_gone(worker))
            .map(|(worker, _)| worker)
            .collect();
        if gone.is_empty() && !ran_out {
            self.remove_stray_locks(&[]);
            return Ok(Rescued::default());
        }
        let mut tx = self.begin().await?;
        // Whoever waited for the database could not beat meanwhile, and neither could the others: what was read before
        // says nothing of them, and they get to beat first.
        let by_lease = by_lease && tx.now.since(now) <= PROMPT && self.liveness.trusts_leases(tx.now);
        let mut rescued = Rescued::default();
        let running = query("SELECT * FROM jobs WHERE state = 'running' ORDER BY document_id");
        for row in tx.jobs(running).await? {
            let dead = row.worker_id.as_ref().is_some_and(|worker| gone.contains(worker));
            let expired = by_lease && row.lease_until.is_none_or(|until| until < tx.now);
            if dead || expired {
                rescued.reports.extend(tx.lose(&row).await?);
            }
        }
        for worker in &gone {
            // Its heart may have beaten between the look and this.
            let statement = query("DELETE FROM workers WHERE id = ? AND heartbeat_at < ?");
            tx.run(statement.bind(worker).bind(tx.now.minus(FRESH).micros())).await?;
        }
        rescued.outcomes = tx.commit().await?;
        self.remove_stray_locks(&gone);
        Ok(rescued)
    }

    /// Removes lock files of the dead, and old ones that no process holds.
    fn remove_stray_locks(&self, dead: &[String]) {
        let Ok(files) = std::fs::read_dir(self.connect.beside(".workers")) else { return };
        for file in files.flatten() {
            let Ok(name) = file.file_name().into_string() else { continue };
            let old = file
                .metadata()
                .and_then(|data| data.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STRAY));
            if (old || dead.contains(&name)) && self.process_is_gone(&name) {
                // Another rescuer may have been first.
                let _ = std::fs::remove_file(file.path());
            }
        }
    }
}

impl Tx<'_> {
    async fn known_worker(&mut self, worker: &WorkerInfo) -> Result<()> {
        let statement = query(
            "INSERT INTO workers (id, name, capacity, started_at, heartbeat_at) VALUES (?1, ?2, ?3, ?4, ?4) \
             ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at",
        );
        let statement = statement.bind(&worker.id.0).bind(worker.name.as_str()).bind(worker.capacity);
        self.run(statement.bind(self.now.micros())).await?;
        Ok(())
    }

    /// The worker of a running job is gone.
    async fn lose(&mut self, row: &JobRow) -> Result<Option<crate::domain::job::ErrorReport>> {
        debug_assert_eq!(row.job.state, JobState::Running);
        let document = self.document(row.job.document_id).await?;
        let name = row.worker_name.as_ref().map(|name| name.to_string()).or_else(|| row.worker_id.clone());
        let to = row.job.lost(name.as_deref().unwrap_or("unknown"), self.now);
        let with = With { token: row.token, worker: row.worker_name.clone(), ..With::default() };
        self.apply(row, document.as_ref(), &to, with).await?;
        Ok(to.report)
    }
}
