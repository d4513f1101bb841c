//! Claiming: due jobs become ready, lanes are merged in the order of class and virtual time, rows are marked.

use super::apply::With;
use super::conn::{corrupt, get};
use super::dialect::Dialect;
use super::lanes::LaneKey;
use super::mark::Try;
use super::pauses::NOT_PAUSED;
use super::rows::JobRow;
use super::sql::{Sql, query};
use super::sql_store::SqlStore;
use super::tx::{Purpose, Tx};
use super::{ClaimLimits, Claimed, Held, Marking, Result};
use crate::domain::id::{AccountId, Token, WorkerId};
use crate::domain::job::QueueClass;
use crate::domain::text::SafeLine;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

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
    /// How far apart two claims of one host are at least.
    spacing: Option<Duration>,
    /// Hosts of which one was claimed just now: written at the end, in one order with everybody else.
    spaced: BTreeSet<String>,
    /// Whether this worker may take a job with a lost worker behind it.
    risky: bool,
    passed_over: i64,
    /// Numbers for claims, the smallest last.
    tokens: Vec<i64>,
    /// The largest virtual time served of each class.
    served: [i64; 3],
    /// What begins with the claim.
    tries: Vec<Try>,
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
            spacing: Some(limits.host_interval).filter(|interval| !interval.is_zero()),
            spaced: BTreeSet::new(),
            risky: risky == 0,
            passed_over,
            tokens: Vec::new(),
            served: [0; 3],
            tries: Vec::new(),
        };
        let mut claimed = Vec::new();
        // Caps that fill up on the way, and jobs that end on the way, leave slots for lanes that were not looked at.
        while claimed.len() < limits.slots as usize
            && tx.claim_round(worker, &name, limits, &mut budget, &mut claimed).await?
        {}
        if !claimed.is_empty() || budget.passed_over != passed_over {
            tx.settle_claim(&budget).await?;
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// A look without the write lock, since most claims of an idle worker find nothing.
    async fn is_work_waiting(&self) -> Result<bool> {
        self.writable()?;
        let mut reader = self.reader().await?;
        let mut look = Sql::new(
            "SELECT EXISTS (SELECT 1 FROM @lanes n LEFT JOIN @hosts_sched h ON h.host = n.host \
              WHERE coalesce(h.held_until, 0) <= ?1 AND coalesce(h.spaced_until, 0) <= ?1 AND ",
        );
        look.push(NOT_PAUSED).push(") OR EXISTS (SELECT 1 FROM @jobs WHERE state = 'scheduled' AND run_at <= ?1)");
        get(&reader.one(look.query().bind(self.clock.now().micros())).await?, 0)
    }
}

impl Tx<'_> {
    async fn promote_due(&mut self) -> Result<()> {
        let due = query("SELECT * FROM @jobs WHERE state = 'scheduled' AND run_at <= ? ORDER BY run_at, id LIMIT ?");
        let due = self.jobs(due.bind(self.now.micros()).bind(PROMOTED)).await?;
        let mut lanes = BTreeMap::<LaneKey, i64>::new();
        for some in due.chunks(self.rows_at_once()) {
            let mut sql = Sql::new("UPDATE @jobs SET state = 'ready', vtime = due.column2 FROM (VALUES ");
            for (place, row) in some.iter().enumerate() {
                let vtime = self.stamp(row.account_id, row.job.class).await?;
                let head = lanes.entry(LaneKey::of(row)).or_insert(vtime);
                *head = vtime.min(*head);
                sql.push(if place > 0 { ", (" } else { "(" }).bind(row.job.id.0).push(", ").bind(vtime).push(")");
            }
            sql.push(") AS due WHERE id = due.column1");
            self.run(sql.query()).await?;
        }
        self.lanes_gain(&lanes).await?;
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
        // Classes of which more lanes may be there than were read.
        let read = |class: &i64| queues.keys().filter(|order| order.0 == *class).count();
        let cut_off: Vec<i64> =
            QueueClass::ALL.iter().map(|class| class.code()).filter(|class| read(class) >= budget.slots).collect();
        let mut moved = false;
        // What the first job of each lane that was served is then; written once for each.
        let mut heads = BTreeMap::<LaneKey, Option<i64>>::new();
        while budget.slots > 0 {
            let mut unseen = false;
            queues.retain(|order, key| {
                let stays = host_left.get(&key.host).is_some_and(|left| *left > 0)
                    && account_left.get(&key.account_id).is_some_and(|left| *left > 0)
                    && (budget.risky || !key.risky);
                unseen |= !stays && cut_off.contains(&order.0);
                stays
            });
            // A lane of this class that was not read may be next now, ahead of every lower class.
            if moved && unseen {
                break;
            }
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
            let mut rows = self.first_two(&key).await?.into_iter();
            let (first, following) = (rows.next(), rows.next());
            // A lane without a job is mended on the way, or every look would find work that is not there.
            heads.insert(key.clone(), following.as_ref().map(|row| row.vtime));
            let Some(row) = first else { continue };
            if Some(order.0) == lowest {
                budget.passed_over = 0;
            } else {
                budget.passed_over += 1;
            }
            if let Some(job) = self.take(&row, worker, name, limits, budget).await? {
                claimed.push(job);
                budget.slots -= 1;
                budget.risky &= !key.risky;
                for left in [host_left.get_mut(&key.host), account_left.get_mut(&key.account_id)].into_iter().flatten()
                {
                    *left -= 1;
                }
            }
            if let Some(following) = following {
                queues.insert((order.0, following.vtime, following.job.id.0), key);
            }
        }
        for (lane, head) in &heads {
            self.lane_has(lane, *head).await?;
        }
        Ok(moved)
    }

    /// The first lanes of each class that may be served now, in order, and what their hosts and accounts have left.
    async fn lanes(&mut self, budget: &Budget) -> Result<(Queues, BTreeMap<String, i64>, BTreeMap<i64, i64>)> {
        let (mut queues, mut hosts, mut accounts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for class in QueueClass::ALL {
            let mut sql = Sql::new(
                "WITH ra AS MATERIALIZED \
                 (SELECT account_id, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1), \
                 rh AS MATERIALIZED (SELECT host, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1) \
                 SELECT n.account_id, n.host, n.risky, n.head, CASE WHEN ?6 OR coalesce(h.cool_downs, 0) > 0 \
                  THEN 1 ELSE ?3 - coalesce(rh.n, 0) END AS host_left, \
                 CASE WHEN a.max_running < ?2 THEN a.max_running ELSE ?2 END - coalesce(ra.n, 0) AS account_left \
                 FROM @lanes n LEFT JOIN @accounts_sched a ON a.account_id = n.account_id \
                 LEFT JOIN ra ON ra.account_id = n.account_id LEFT JOIN rh ON rh.host = n.host \
                 LEFT JOIN @hosts_sched h ON h.host = n.host WHERE n.class = ?1 AND ",
            );
            sql.push(NOT_PAUSED).push(
                " AND coalesce(ra.n, 0) < CASE WHEN a.max_running < ?2 THEN a.max_running ELSE ?2 END \
                 AND coalesce(rh.n, 0) < ?3 AND (coalesce(h.cool_downs, 0) = 0 OR rh.n IS NULL) \
                 AND coalesce(h.held_until, 0) <= ?7 AND coalesce(h.spaced_until, 0) <= ?7 \
                 AND (?4 OR NOT n.risky) ORDER BY n.class, n.head, n.account_id, n.host LIMIT ?5",
            );
            let limit = i64::try_from(budget.slots).unwrap_or(i64::MAX);
            let statement = sql.query().bind(class.code()).bind(budget.per_account).bind(budget.per_host);
            let statement = statement.bind(budget.risky).bind(limit);
            let statement = statement.bind(budget.spacing.is_some()).bind(self.now.micros());
            for row in self.all(statement).await? {
                let key = LaneKey {
                    account_id: get(&row, "account_id")?,
                    host: get(&row, "host")?,
                    class: class.code(),
                    risky: get(&row, "risky")?,
                };
                let left = if budget.spaced.contains(&key.host) { 0 } else { get(&row, "host_left")? };
                hosts.insert(key.host.clone(), left);
                accounts.insert(key.account_id, get(&row, "account_left")?);
                // Equal heads stand in the order of their lanes: negative, so that they never meet a job's id.
                let place = i64::try_from(queues.len()).unwrap_or(i64::MAX) - i64::MAX;
                queues.insert((class.code(), get::<i64>(&row, "head")?, place), key);
            }
        }
        Ok((queues, hosts, accounts))
    }

    async fn first_two(&mut self, lane: &LaneKey) -> Result<Vec<JobRow>> {
        let statement = query(
            "SELECT * FROM @jobs WHERE state = 'ready' AND account_id = ? AND host = ? AND class = ? \
             AND (crashes > 0) = ? ORDER BY vtime, id LIMIT 2",
        );
        let statement = statement.bind(lane.account_id).bind(&lane.host).bind(lane.class).bind(lane.risky);
        self.jobs(statement).await
    }

    /// Claims one job, or ends it when its document may not be synced any more.
    async fn take(
        &mut self,
        row: &JobRow,
        worker: &WorkerId,
        name: &SafeLine,
        limits: ClaimLimits,
        budget: &mut Budget,
    ) -> Result<Option<Claimed>> {
        let document = self.document(row.job.document_id).await?;
        let Some(document) = self.document_to_sync(row, document, With::default()).await? else { return Ok(None) };
        self.ensure_states(std::slice::from_ref(&document)).await?;
        let token = self.next_token(budget).await?;
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
        if budget.spacing.is_some() {
            budget.spaced.insert(row.host.clone());
        }
        let served = match row.job.class {
            QueueClass::Manual => 0,
            QueueClass::Retry => 1,
            QueueClass::Auto => 2,
        };
        budget.served[served] = row.vtime.max(budget.served[served]);
        if limits.marking == Marking::AtClaim {
            budget.tries.push(Try::of(row, &document));
        }
        let validators = if row.whole { None } else { document.validators(self.now) };
        Ok(Some(Claimed {
            held: Held { job_id: row.job.id, token: Token(token) },
            document_id: row.job.document_id,
            account_id: AccountId(document.account_id),
            url: document.url.clone(),
            class: row.job.class,
            counters,
            fingerprint: document.stored_fingerprint(),
            validators,
            started_at: self.now,
        }))
    }

    /// A number that no claim of this store has had. PostgreSQL's comes from a sequence, which no rollback turns back.
    async fn next_token(&mut self, budget: &mut Budget) -> Result<i64> {
        if let Some(token) = budget.tokens.pop() {
            return Ok(token);
        }
        let count = i64::try_from(budget.slots.max(1)).unwrap_or(1);
        budget.tokens = match self.dialect() {
            Dialect::Sqlite => {
                let next = query("UPDATE @sched_clock SET fence = fence + ? WHERE id = 1 RETURNING fence").bind(count);
                let last: i64 = get(&self.one(next).await?, 0)?;
                (last - count + 1..=last).collect()
            }
            Dialect::Postgres => {
                let next = query("SELECT nextval('@fence') FROM generate_series(1, ?)").bind(count);
                self.all(next).await?.iter().map(|row| get(row, 0)).collect::<Result<_>>()?
            }
        };
        budget.tokens.sort_unstable_by_key(|token| std::cmp::Reverse(*token));
        budget.tokens.pop().ok_or_else(|| corrupt("fence"))
    }

    /// Writes what a claim has done beside taking the jobs: tries begin, the clocks of the classes go on.
    async fn settle_claim(&mut self, budget: &Budget) -> Result<()> {
        let [manual, retry, auto] = budget.served;
        let clocks = query(
            "UPDATE @sched_clock SET passed_over = ?1, \
             vclock_manual = CASE WHEN vclock_manual < ?2 THEN ?2 ELSE vclock_manual END, \
             vclock_retry = CASE WHEN vclock_retry < ?3 THEN ?3 ELSE vclock_retry END, \
             vclock_auto = CASE WHEN vclock_auto < ?4 THEN ?4 ELSE vclock_auto END WHERE id = 1",
        );
        self.run(clocks.bind(budget.passed_over).bind(manual).bind(retry).bind(auto)).await?;
        if let Some(interval) = budget.spacing {
            self.space(&budget.spaced, interval).await?;
        }
        self.start_tries(&budget.tries).await
    }
}
