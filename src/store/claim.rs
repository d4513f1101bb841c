//! Claiming: due jobs become ready, lanes are merged in the order of class and virtual time, rows are marked.

use super::apply::With;
use super::conn::get;
use super::dialect::Dialect;
use super::lanes::LaneKey;
use super::rows::JobRow;
use super::sql::query;
use super::sql_store::SqlStore;
use super::tx::{Purpose, Tx};
use super::{ClaimLimits, Claimed, Held, Marking, Result};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{AccountId, Token, WorkerId};
use crate::domain::job::QueueClass;
use crate::domain::text::SafeLine;
use std::collections::BTreeMap;

/// One claim in so many goes to the lowest class that has work.
const LOWEST_SHARE: i64 = 8;
/// Due jobs that become ready in one transaction; the rest in the next, so the writer is never held long.
const PROMOTED: i64 = 1_000;

/// Lanes by the class, virtual time and id of their first job.
type Queues = BTreeMap<(i64, i64, i64), LaneKey>;

/// What is left to give in one claim.
struct Budget {
    slots: usize,
    per_host: i64,
    per_account: i64,
    /// Whether this worker may take a job with a lost worker behind it.
    risky: bool,
    passed_over: i64,
}

impl SqlStore {
    pub(super) async fn claim_jobs(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>> {
        self.liveness.leased(limits.lease);
        if limits.slots == 0 || !self.is_work_waiting().await? {
            return Ok(Vec::new());
        }
        let mut tx = self.begin(Purpose::Queue).await?;
        tx.promote_due().await?;
        let name = tx.first(query("SELECT name FROM @workers WHERE id = ?").bind(&worker.0)).await?;
        let name = match &name {
            Some(row) => SafeLine::new(get(row, 0)?),
            None => SafeLine::new(&worker.0),
        };
        let risky = query("SELECT count(*) FROM @jobs WHERE state = 'running' AND worker_id = ? AND crashes > 0");
        let risky: i64 = get(&tx.one(risky.bind(&worker.0)).await?, 0)?;
        let passed_over = query("SELECT passed_over FROM @sched_clock WHERE id = 1");
        let passed_over: i64 = get(&tx.one(passed_over).await?, 0)?;
        let mut budget = Budget {
            slots: limits.slots as usize,
            per_host: i64::from(limits.per_host),
            per_account: limits.per_account.map_or(i64::MAX, i64::from),
            risky: risky == 0,
            passed_over,
        };
        let mut claimed = Vec::new();
        // Caps that fill up on the way, and jobs that end on the way, leave slots for lanes that were not looked at.
        while claimed.len() < limits.slots as usize
            && tx.claim_round(worker, &name, limits, &mut budget, &mut claimed).await?
        {}
        if budget.passed_over != passed_over {
            tx.run(query("UPDATE @sched_clock SET passed_over = ? WHERE id = 1").bind(budget.passed_over)).await?;
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// A look without the write lock, since most claims of an idle worker find nothing.
    async fn is_work_waiting(&self) -> Result<bool> {
        self.writable()?;
        let mut reader = self.reader().await?;
        let look = query(
            "SELECT EXISTS (SELECT 1 FROM @lanes) \
             OR EXISTS (SELECT 1 FROM @jobs WHERE state = 'scheduled' AND run_at <= ?)",
        );
        get(&reader.one(look.bind(self.clock.now().micros())).await?, 0)
    }
}

impl Tx<'_> {
    async fn promote_due(&mut self) -> Result<()> {
        let due = query("SELECT * FROM @jobs WHERE state = 'scheduled' AND run_at <= ? ORDER BY run_at, id LIMIT ?");
        for row in self.jobs(due.bind(self.now.micros()).bind(PROMOTED)).await? {
            let vtime = self.stamp(row.account_id, row.job.class).await?;
            self.run(query("UPDATE @jobs SET state = 'ready', vtime = ? WHERE id = ?").bind(vtime).bind(row.job.id.0))
                .await?;
            self.lane_gains(&LaneKey::of(&row), vtime).await?;
        }
        Ok(())
    }

    /// One look at the lanes; whether anything moved.
    async fn claim_round(
        &mut self,
        worker: &WorkerId,
        name: &SafeLine,
        limits: ClaimLimits,
        budget: &mut Budget,
        claimed: &mut Vec<Claimed>,
    ) -> Result<bool> {
        let (mut queues, mut host_left, mut account_left) = self.lanes(budget).await?;
        let mut moved = false;
        while budget.slots > 0 {
            queues.retain(|_, key| {
                host_left.get(&key.host).is_some_and(|left| *left > 0)
                    && account_left.get(&key.account_id).is_some_and(|left| *left > 0)
                    && (budget.risky || !key.risky)
            });
            let lowest = queues.keys().map(|order| order.0).max();
            let lowest_due = budget.passed_over >= LOWEST_SHARE - 1;
            let next = match lowest {
                None => break,
                Some(lowest) if lowest_due => queues.range((lowest, i64::MIN, i64::MIN)..).next(),
                Some(_) => queues.iter().next(),
            };
            let Some((order, key)) = next.map(|(order, lane)| (*order, lane.clone())) else { break };
            queues.remove(&order);
            moved = true;
            let Some(row) = self.first_of(&key).await? else {
                // A lane without a job is mended on the way, or every look would find work that is not there.
                self.lane_loses(&key).await?;
                continue;
            };
            if Some(order.0) == lowest {
                budget.passed_over = 0;
            } else {
                budget.passed_over += 1;
            }
            if let Some(job) = self.take(&row, worker, name, limits).await? {
                claimed.push(job);
                budget.slots -= 1;
                budget.risky &= !key.risky;
                for left in [host_left.get_mut(&key.host), account_left.get_mut(&key.account_id)].into_iter().flatten()
                {
                    *left -= 1;
                }
            }
            if let Some(following) = self.first_of(&key).await? {
                queues.insert((order.0, following.vtime, following.job.id.0), key);
            }
        }
        Ok(moved)
    }

    /// The first lanes of each class that may be served now, in order, and what their hosts and accounts have left.
    async fn lanes(&mut self, budget: &Budget) -> Result<(Queues, BTreeMap<String, i64>, BTreeMap<i64, i64>)> {
        let (mut queues, mut hosts, mut accounts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for class in QueueClass::ALL {
            let statement = query(
                "WITH ra AS MATERIALIZED \
                 (SELECT account_id, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1), \
                 rh AS MATERIALIZED (SELECT host, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1) \
                 SELECT n.account_id, n.host, n.risky, n.head, ?3 - coalesce(rh.n, 0) AS host_left, \
                 ?2 - coalesce(ra.n, 0) AS account_left FROM @lanes n \
                 LEFT JOIN ra ON ra.account_id = n.account_id LEFT JOIN rh ON rh.host = n.host \
                 LEFT JOIN @accounts_sched a ON a.account_id = n.account_id \
                 WHERE n.class = ?1 AND a.paused_at IS NULL AND coalesce(ra.n, 0) < ?2 AND coalesce(rh.n, 0) < ?3 \
                 AND (?4 OR NOT n.risky) ORDER BY n.class, n.head, n.account_id, n.host LIMIT ?5",
            );
            let limit = i64::try_from(budget.slots).unwrap_or(i64::MAX);
            let statement = statement.bind(class.code()).bind(budget.per_account).bind(budget.per_host);
            for row in self.all(statement.bind(budget.risky).bind(limit)).await? {
                let key = LaneKey {
                    account_id: get(&row, "account_id")?,
                    host: get(&row, "host")?,
                    class: class.code(),
                    risky: get(&row, "risky")?,
                };
                hosts.insert(key.host.clone(), get(&row, "host_left")?);
                accounts.insert(key.account_id, get(&row, "account_left")?);
                // Equal heads stand in the order of their lanes: negative, so that they never meet a job's id.
                let place = i64::try_from(queues.len()).unwrap_or(i64::MAX) - i64::MAX;
                queues.insert((class.code(), get::<i64>(&row, "head")?, place), key);
            }
        }
        Ok((queues, hosts, accounts))
    }

    async fn first_of(&mut self, lane: &LaneKey) -> Result<Option<JobRow>> {
        let statement = query(
            "SELECT * FROM @jobs WHERE state = 'ready' AND account_id = ? AND host = ? AND class = ? \
             AND (crashes > 0) = ? ORDER BY vtime, id LIMIT 1",
        );
        let statement = statement.bind(lane.account_id).bind(&lane.host).bind(lane.class).bind(lane.risky);
        Ok(self.jobs(statement).await?.pop())
    }

    /// Claims one job, or ends it when its document may not be synced any more.
    async fn take(
        &mut self,
        row: &JobRow,
        worker: &WorkerId,
        name: &SafeLine,
        limits: ClaimLimits,
    ) -> Result<Option<Claimed>> {
        let Some(document) = self.document_to_sync(row, With::default()).await? else { return Ok(None) };
        self.ensure_state(&document).await?;
        let token = self.next_token().await?;
        let counters = row.job.claimed();
        let statement = query(
            "UPDATE @jobs SET state = 'running', attempt = ?2, worker_id = ?3, worker_name = ?4, lease_token = ?5, \
             lease_until = ?6 WHERE id = ?1",
        );
        let statement = statement
            .bind(row.job.id.0)
            .bind(counters.attempt)
            .bind(&worker.0)
            .bind(name.as_str())
            .bind(token)
            .bind(self.now.plus(limits.lease).micros());
        self.run(statement).await?;
        self.lane_loses(&LaneKey::of(row)).await?;
        let clock = match row.job.class {
            QueueClass::Manual => "UPDATE @sched_clock SET vclock_manual = ?1 WHERE id = 1 AND vclock_manual < ?1",
            QueueClass::Retry => "UPDATE @sched_clock SET vclock_retry = ?1 WHERE id = 1 AND vclock_retry < ?1",
            QueueClass::Auto => "UPDATE @sched_clock SET vclock_auto = ?1 WHERE id = 1 AND vclock_auto < ?1",
        };
        self.run(query(clock).bind(row.vtime)).await?;
        if limits.marking == Marking::AtClaim {
            self.start_try(row, &document).await?;
        }
        Ok(Some(Claimed {
            held: Held { job_id: row.job.id, token: Token(token) },
            document_id: row.job.document_id,
            account_id: AccountId(document.account_id),
            url: document.url,
            class: row.job.class,
            counters,
            fingerprint: document.fingerprint.map(Fingerprint::stored),
            started_at: self.now,
        }))
    }

    /// A number that no claim of this store has had. PostgreSQL's comes from a sequence, which no rollback turns back.
    async fn next_token(&mut self) -> Result<i64> {
        let next = match self.dialect() {
            Dialect::Sqlite => "UPDATE @sched_clock SET fence = fence + 1 WHERE id = 1 RETURNING fence",
            Dialect::Postgres => "SELECT nextval('@fence')",
        };
        get(&self.one(query(next)).await?, 0)
    }
}
