//! Heartbeats, and the rescue of the jobs of dead workers. A process is seen to be dead by a lock that the system takes
//! from it: on SQLite the lock of a file, on PostgreSQL an advisory lock of a connection. Without such a lock its leases
//! must expire first.

use crate::domain::id::{JobId, Token, WorkerId};
use crate::domain::job::{ErrorReport, JobState, Transition};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::migrations::VERSION;
use crate::store::queue::apply::With;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::JobRow;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::{Purpose, Tx};
use crate::store::sql_store::{Engine, SqlStore};
use crate::store::{Beat, Held, Rescued, Result, StoreError, WorkerInfo};
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::timeout;

/// A heartbeat younger than this stands, whatever the lock says: a process that is only slow is not dead.
const FRESH: Duration = Duration::from_secs(3);
/// A database that took longer than this to let a rescue begin was busy.
const PROMPT: Duration = Duration::from_millis(250);

/// A worker by its row, or by a job that names it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Known {
    pub(in crate::store) id: String,
    pub(in crate::store) heartbeat_at: Timestamp,
    /// Whether its program was built for an older schema than the store has now.
    pub(in crate::store) outdated: bool,
}

impl SqlStore {
    pub(in crate::store) async fn register_worker(&self, worker: &WorkerInfo) -> Result<()> {
        self.writable()?;
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.hold_lock(&worker.id.0)?,
            Engine::Postgres(postgres) => postgres.hold_lock(&worker.id.0).await?,
        }
        let made_known = async {
            let mut tx = self.begin(Purpose::Rows).await?;
            tx.known_worker(worker).await?;
            let now = tx.now;
            tx.commit().await?;
            Ok(now)
        };
        match made_known.await {
            Ok(now) => {
                self.liveness.joined(worker, now);
                Ok(())
            }
            Err(error) => {
                self.let_go(&worker.id.0).await;
                Err(error)
            }
        }
    }

    async fn let_go(&self, worker: &str) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.let_go(worker),
            Engine::Postgres(postgres) => postgres.let_go(worker).await,
        }
    }

    pub(in crate::store) async fn unregister_worker(&self, worker: &WorkerId) -> Result<()> {
        let signed_off = self.sign_off(worker).await;
        // On a store of a newer program the row stays, and tells a newer worker that this one did not crash; for that it
        // must be seen to be gone.
        if matches!(signed_off, Ok(()) | Err(StoreError::Schema(_))) && self.liveness.info(&worker.0).is_some() {
            self.liveness.left(&worker.0);
            self.let_go(&worker.0).await;
        }
        signed_off
    }

    async fn sign_off(&self, worker: &WorkerId) -> Result<()> {
        let mut tx = self.begin(Purpose::Queue).await?;
        let held = tx.held_by(&worker.0).await?;
        tx.give_back(&held).await?;
        tx.run(query("DELETE FROM @workers WHERE id = ?").bind(&worker.0)).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn release_jobs(&self, held: &[Held]) -> Result<()> {
        let mut tx = self.begin(Purpose::Queue).await?;
        tx.give_back(held).await?;
        tx.commit().await?;
        Ok(())
    }

    pub(in crate::store) async fn beat_held(
        &self,
        worker: &WorkerId,
        held: &[Held],
        lease: Duration,
    ) -> Result<Vec<Beat>> {
        self.liveness.leased(lease);
        // A line that is dead must be told while the lease stands: then its holder can stop in time.
        let answer = timeout(lease / 3, self.beat_once(worker, held, lease)).await;
        answer.unwrap_or_else(|_| Err(StoreError::Unavailable("no answer within a third of the lease".into())))
    }

    async fn beat_once(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>> {
        let mut tx = self.begin(Purpose::Beat).await?;
        let now = tx.now;
        tx.lock_jobs(held.iter().map(|held| held.job_id)).await?;
        let mut beats = Vec::with_capacity(held.len());
        for held in held {
            let statement = query(
                "UPDATE @jobs SET lease_until = ? WHERE id = ? AND lease_token = ? AND state = 'running' \
                 RETURNING cancel_requested_at IS NOT NULL",
            );
            let statement = statement.bind(now.plus(lease).micros()).bind(held.job_id.0).bind(held.token.0);
            beats.push(match tx.first(statement).await? {
                None => Beat::Lost,
                Some(row) if get(&row, 0)? => Beat::CancelRequested,
                Some(_) => Beat::Held,
            });
        }
        let beat = query("UPDATE @workers SET heartbeat_at = ? WHERE id = ?").bind(now.micros()).bind(&worker.0);
        // Taken for dead while it slept: known again.
        if tx.run(beat).await? == 0
            && let Some(info) = self.liveness.info(&worker.0)
        {
            tx.known_worker(&info).await?;
        }
        tx.commit().await?;
        self.liveness.beaten(now);
        Ok(beats)
    }

    pub(in crate::store) async fn cancel_requests(&self, held: &[Held]) -> Result<Vec<Held>> {
        // An idle worker asks at every look at its queue.
        if held.is_empty() {
            return Ok(Vec::new());
        }
        let mut reader = self.reader().await?;
        let asked =
            query("SELECT id, lease_token FROM @jobs WHERE state = 'running' AND cancel_requested_at IS NOT NULL");
        let asked: HashSet<(i64, Option<i64>)> = pairs(&reader.all(asked).await?)?.into_iter().collect();
        Ok(held.iter().copied().filter(|held| asked.contains(&(held.job_id.0, Some(held.token.0)))).collect())
    }

    /// Workers known by their rows.
    async fn known_workers(&self) -> Result<Vec<Known>> {
        let mut reader = self.reader().await?;
        let rows = reader.all(query("SELECT id, heartbeat_at, schema_version FROM @workers")).await?;
        let known = |row| {
            let version: Option<i64> = get(row, 2)?;
            Ok(Known {
                id: get(row, 0)?,
                heartbeat_at: Timestamp::from_micros(get(row, 1)?),
                outdated: version.is_none_or(|version| version < VERSION),
            })
        };
        rows.iter().map(known).collect()
    }

    /// Of these, the workers whose process is gone.
    pub(in crate::store) async fn gone(&self, known: &[Known], now: Timestamp) -> Result<HashSet<String>> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                Ok(known.iter().map(|known| &known.id).filter(|id| sqlite.process_is_gone(id)).cloned().collect())
            }
            Engine::Postgres(postgres) => postgres.gone(known, now).await,
        }
    }

    /// How many workers are alive.
    pub(in crate::store) async fn workers_alive(&self) -> Result<u64> {
        let known = self.known_workers().await?;
        let gone = self.gone(&known, self.clock.now()).await?;
        Ok(known.len().saturating_sub(gone.len()) as u64)
    }

    pub(in crate::store) async fn rescue_jobs(&self) -> Result<Rescued> {
        self.writable()?;
        let now = self.clock.now();
        let mut known = self.known_workers().await?;
        let running = {
            let mut reader = self.reader().await?;
            let rows = reader.all(query("SELECT worker_id, lease_until FROM @jobs WHERE state = 'running'")).await?;
            let pair = |row| Ok((get(row, 0)?, get(row, 1)?));
            rows.iter().map(pair).collect::<Result<Vec<(Option<String>, Option<i64>)>>>()?
        };
        let by_lease = self.liveness.trusts_leases(now);
        let ran_out = by_lease && running.iter().any(|(_, until)| until.is_none_or(|until| until < now.micros()));
        // A worker whose row is gone while a job still names it is judged by its lock alone.
        for id in running.into_iter().filter_map(|(worker, _)| worker) {
            if !known.iter().any(|known| known.id == id) {
                known.push(Known { id, heartbeat_at: Timestamp::from_micros(i64::MIN), outdated: false });
            }
        }
        let outdated: HashSet<String> =
            known.iter().filter(|known| known.outdated).map(|known| known.id.clone()).collect();
        known.retain(|known| now.since(known.heartbeat_at) > FRESH);
        let mut gone: Vec<String> = self.gone(&known, now).await?.into_iter().collect();
        gone.sort();
        if gone.is_empty() && !ran_out {
            self.tidy(&[]);
            return Ok(Rescued::default());
        }
        if let Engine::Postgres(postgres) = &self.engine {
            gone = postgres.gone_for_sure(gone, &known, now).await?;
        }
        let asked = self.clock.now();
        let mut tx = self.begin(Purpose::Queue).await?;
        let running = tx.running_jobs().await?;
        // Whoever waited for the database could not beat meanwhile, and neither could the others: what was read before
        // says nothing of them, and they get to beat first.
        let begun = self.clock.now();
        let by_lease = by_lease && begun.since(asked) <= PROMPT && self.liveness.trusts_leases(begun);
        let mut rescued = Rescued::default();
        for row in running {
            let dead = row.worker_id.as_ref().is_some_and(|worker| gone.contains(worker));
            let expired = by_lease && row.lease_until.is_none_or(|until| until < tx.now);
            if (dead || expired) && row.worker_id.as_ref().is_some_and(|worker| outdated.contains(worker)) {
                // It went because it may write nothing any more: no document is to blame.
                tx.give_row_back(&row).await?;
            } else if dead || expired {
                rescued.reports.extend(tx.lose(&row).await?);
            }
        }
        for worker in &gone {
            // Its heart may have beaten between the look and this.
            let statement = query("DELETE FROM @workers WHERE id = ? AND heartbeat_at < ?");
            tx.run(statement.bind(worker).bind(tx.now.minus(FRESH).micros())).await?;
        }
        rescued.outcomes = tx.commit().await?;
        self.tidy(&gone);
        Ok(rescued)
    }

    pub(in crate::store) async fn break_lease_of(&self, job: JobId, by: &SafeLine) -> Result<Option<Rescued>> {
        let mut tx = self.begin(Purpose::Queue).await?;
        // Locked as every other end of an attempt: a finish that commits first wins.
        let row = tx.lock_jobs(std::iter::once(job)).await?.remove(&job);
        let Some(row) = row.filter(|row| row.job.state == JobState::Running) else { return Ok(None) };
        let to = row.job.lease_broken(by, tx.now);
        let reports = tx.take_away(&row, to).await?.into_iter().collect();
        let outcomes = tx.commit().await?;
        Ok(Some(Rescued { outcomes, reports }))
    }

    fn tidy(&self, dead: &[String]) {
        if let Engine::Sqlite(sqlite) = &self.engine {
            sqlite.remove_stray_locks(dead);
        }
    }
}

fn pairs(rows: &[Row]) -> Result<Vec<(i64, Option<i64>)>> {
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}

impl Tx<'_> {
    async fn known_worker(&mut self, worker: &WorkerInfo) -> Result<()> {
        let statement = query(
            "INSERT INTO @workers (id, name, capacity, started_at, heartbeat_at, schema_version) \
             VALUES (?1, ?2, ?3, ?4, ?4, ?5) ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at",
        );
        let statement = statement.bind(&worker.id.0).bind(worker.name.as_str()).bind(worker.capacity);
        self.run(statement.bind(self.now.micros()).bind(VERSION)).await?;
        if self.lease_only() {
            self.run(query("UPDATE @workers SET lease_only = true WHERE id = ?").bind(&worker.id.0)).await?;
        }
        Ok(())
    }

    /// Every running job, in the order of the documents, changed by nobody else until the end.
    async fn running_jobs(&mut self) -> Result<Vec<JobRow>> {
        let running = match self.dialect() {
            Dialect::Sqlite => "SELECT * FROM @jobs WHERE state = 'running' ORDER BY document_id",
            Dialect::Postgres => "SELECT * FROM @jobs WHERE state = 'running' ORDER BY document_id FOR UPDATE",
        };
        self.jobs(query(running)).await
    }

    /// The worker of a running job is gone.
    async fn lose(&mut self, row: &JobRow) -> Result<Option<ErrorReport>> {
        let name = row.worker_name.as_ref().map(|name| name.to_string()).or_else(|| row.worker_id.clone());
        let to = row.job.lost(name.as_deref().unwrap_or("unknown"), self.now);
        self.take_away(row, to).await
    }

    /// A running job is taken from its worker.
    async fn take_away(&mut self, row: &JobRow, to: Transition) -> Result<Option<ErrorReport>> {
        debug_assert_eq!(row.job.state, JobState::Running);
        let document = self.document(row.job.document_id).await?;
        let with = With { token: row.token, worker: row.worker_name.clone(), ..With::default() };
        self.apply(row, document.as_ref(), &to, with).await?;
        Ok(to.report)
    }

    /// Gives held jobs back; what is not held any more is left alone.
    async fn give_back(&mut self, held: &[Held]) -> Result<()> {
        let mut rows = self.lock_jobs(held.iter().map(|held| held.job_id)).await?;
        for held in held {
            let row = rows.remove(&held.job_id);
            let row = row.filter(|row| row.job.state == JobState::Running && row.token == Some(held.token.0));
            if let Some(row) = row {
                self.give_row_back(&row).await?;
            }
        }
        Ok(())
    }

    /// Gives a running job back: number and counters as before the claim.
    async fn give_row_back(&mut self, row: &JobRow) -> Result<()> {
        let document = self.document(row.job.document_id).await?;
        let to = row.job.released(self.now);
        let with = With { token: None, worker: row.worker_name.clone(), ..With::default() };
        self.apply(row, document.as_ref(), &to, with).await
    }

    /// What a worker holds by the rows.
    async fn held_by(&mut self, worker: &str) -> Result<Vec<Held>> {
        let statement =
            query("SELECT id, lease_token FROM @jobs WHERE state = 'running' AND worker_id = ? ORDER BY document_id");
        let rows = self.all(statement.bind(worker)).await?;
        rows.iter().map(|row| Ok(Held { job_id: JobId(get(row, 0)?), token: Token(get(row, 1)?) })).collect()
    }
}
