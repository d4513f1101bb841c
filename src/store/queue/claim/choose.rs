//! Chooses the jobs of a claim: reads the lanes (queues of one account, host, class and risk) that may be served now,
//! with the first jobs of each, and merges them by class and virtual time (a job's position in the fair order of
//! accounts). One statement reads everything; the merge itself runs no statement.

use crate::domain::id::JobId;
use crate::domain::job::QueueClass;
use crate::store::Result;
use crate::store::queue::lanes::{LaneKey, ready_in_lane};
use crate::store::queue::pauses::CLASS_NOT_PAUSED;
use crate::store::queue::tries::TryStart;
use crate::store::sql::conn::get;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::{IntoValue, Sql};
use crate::store::sql::transaction::Tx;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// At least one of this many claimed jobs comes from the lowest class that has work.
const LOWEST_CLASS_INTERVAL: i64 = 8;

/// Text between the SELECTs of two classes.
const UNION: &str = " UNION ALL SELECT * FROM (";

/// Remaining capacity of one claim: free slots, and limits per host and account.
pub(super) struct ClaimCapacity {
    pub(super) slots: usize,
    pub(super) per_host: i64,
    pub(super) per_account: i64,
    /// Minimum time between two claims for one host; `None` is no minimum.
    pub(super) spacing: Option<Duration>,
    /// Hosts of the jobs claimed so far. Their spacing is written at the end, in the order that every process uses.
    pub(super) spaced_hosts: BTreeSet<String>,
    /// True while this worker may take a job whose earlier attempt lost its worker.
    pub(super) may_take_risky: bool,
    /// Number of jobs claimed in a row from classes above the lowest one with work.
    pub(super) passed_over: i64,
    /// Largest virtual time of the claimed jobs, by class: manual, retry, auto.
    pub(super) served_vtime: [i64; 3],
    /// Tries that start with the claim: the rows of their documents become `syncing`.
    pub(super) tries: Vec<TryStart>,
}

/// Result of one round over the lanes.
#[derive(Default)]
pub(super) struct ClaimSelection {
    /// The chosen jobs, in the order in which they are claimed.
    pub(super) jobs: Vec<JobId>,
    /// Lanes without further jobs. Includes lanes that were already empty: if they stayed, every round would find work
    /// that does not exist.
    pub(super) emptied_lanes: Vec<LaneKey>,
    /// True if another round may find more jobs, in lanes that this round did not read.
    pub(super) more_possible: bool,
}

/// A lane with its first jobs as (virtual time, id), in that order.
struct Lane {
    key: LaneKey,
    jobs: VecDeque<(i64, i64)>,
}

/// Lanes that may be served now, and the remaining capacity of their hosts and accounts.
#[derive(Default)]
struct ServableLanes {
    /// Key: class, virtual time of the lane's first job, and a number that makes the key unique (at first the lane's
    /// position, later the job's id).
    lanes: BTreeMap<(i64, i64, i64), Lane>,
    host_capacity: BTreeMap<String, i64>,
    account_capacity: BTreeMap<i64, i64>,
}

impl ServableLanes {
    fn may_serve(&self, key: &LaneKey, risky: bool) -> bool {
        self.host_capacity.get(&key.host).is_some_and(|left| *left > 0)
            && self.account_capacity.get(&key.account_id).is_some_and(|left| *left > 0)
            && (risky || !key.risky)
    }

    fn serve(&mut self, key: &LaneKey) {
        for left in [self.host_capacity.get_mut(&key.host), self.account_capacity.get_mut(&key.account_id)]
            .into_iter()
            .flatten()
        {
            *left -= 1;
        }
    }
}

/// Chooses jobs for the free slots among those that may run now. Updates `passed_over` in `budget`, but writes nothing
/// to the store.
pub(super) async fn choose(tx: &mut Tx<'_>, budget: &mut ClaimCapacity) -> Result<ClaimSelection> {
    let mut servable = lanes_to_serve(tx, budget).await?;
    // Classes that may have more lanes than were read.
    let read = |class: &i64| servable.lanes.keys().filter(|order| order.0 == *class).count();
    let cut_off: Vec<i64> =
        QueueClass::ALL.iter().map(|class| class.code()).filter(|class| read(class) >= budget.slots).collect();
    let mut choice = ClaimSelection::default();
    let (mut slots, mut risky) = (budget.slots, budget.may_take_risky);
    let mut moved = false;
    while slots > 0 {
        let mut missed = false;
        let mut queues = std::mem::take(&mut servable.lanes);
        queues.retain(|order, lane| {
            let stays = servable.may_serve(&lane.key, risky);
            missed |= !stays && cut_off.contains(&order.0);
            stays
        });
        servable.lanes = queues;
        // A lane of a class with unread lanes was dropped. One of the unread lanes may come next, before every lower
        // class.
        if moved && missed {
            choice.more_possible = true;
            break;
        }
        let lowest = servable.lanes.keys().map(|order| order.0).max();
        let lowest_due = budget.passed_over >= LOWEST_CLASS_INTERVAL - 1;
        let next = match lowest {
            None => break,
            Some(lowest) if lowest_due => servable.lanes.range((lowest, i64::MIN, i64::MIN)..).next(),
            Some(_) => servable.lanes.iter().next(),
        };
        let Some(order) = next.map(|(order, _)| *order) else { break };
        let Some(mut lane) = servable.lanes.remove(&order) else { break };
        moved = true;
        let Some((_, job)) = lane.jobs.pop_front() else {
            choice.emptied_lanes.push(lane.key);
            choice.more_possible = true;
            continue;
        };
        if Some(order.0) == lowest {
            budget.passed_over = 0;
        } else {
            budget.passed_over += 1;
        }
        choice.jobs.push(JobId(job));
        slots -= 1;
        risky &= !lane.key.risky;
        servable.serve(&lane.key);
        match lane.jobs.front() {
            Some((vtime, id)) => drop(servable.lanes.insert((order.0, *vtime, *id), lane)),
            None => choice.emptied_lanes.push(lane.key),
        }
    }
    Ok(choice)
}

/// Reads the first lanes of each class that may be served now, in order.
async fn lanes_to_serve(tx: &mut Tx<'_>, budget: &ClaimCapacity) -> Result<ServableLanes> {
    let slots = i64::try_from(budget.slots).unwrap_or(i64::MAX);
    // The maximum number of jobs that one lane can give, plus the job that is the lane's first one afterwards.
    let deep = 1 + if budget.spacing.is_some() { 1 } else { budget.per_host.clamp(1, slots) };
    let mut sql = Sql::new("");
    for value in [
        budget.per_account.into_value(),
        budget.per_host.into_value(),
        budget.spacing.is_some().into_value(),
        tx.now.micros().into_value(),
        budget.may_take_risky.into_value(),
        slots.into_value(),
        deep.into_value(),
    ] {
        sql.add_value(value);
    }
    // The accounts and hosts that may not be served are collected before any lane is read. A skipped lane then costs a
    // lookup in two small sets, and remaining capacity is computed only for the lanes that are served.
    sql.push(
        "WITH ra AS MATERIALIZED \
         (SELECT account_id, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1), \
         rh AS MATERIALIZED (SELECT host, count(*) AS n FROM @jobs WHERE state = 'running' GROUP BY 1), \
         passed_accounts(id) AS MATERIALIZED (SELECT ra.account_id FROM ra \
          LEFT JOIN @accounts_sched a ON a.account_id = ra.account_id \
          WHERE ra.n >= CASE WHEN a.max_running < ?1 THEN a.max_running ELSE ?1 END \
          UNION ALL SELECT account_id FROM @accounts_sched WHERE max_running <= 0 \
          UNION ALL SELECT CAST(key AS BIGINT) FROM @pauses WHERE scope = 'account'), \
         passed_hosts(name) AS MATERIALIZED (SELECT rh.host FROM rh LEFT JOIN @hosts_sched h ON h.host = rh.host \
          WHERE rh.n >= ?2 OR h.cool_downs > 0 UNION ALL SELECT key FROM @pauses WHERE scope = 'host'",
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
             AND n.host NOT IN (SELECT name FROM passed_hosts) \
             AND CASE WHEN coalesce(h.held_until, 0) <= ?4 AND coalesce(h.spaced_until, 0) <= ?4 \
             AND (?5 OR NOT n.risky) THEN true ELSE false END \
             ORDER BY n.class, n.head, n.account_id, n.host LIMIT ?6) AS c",
        );
        sql.push(class);
    }
    let (open, close) = match tx.dialect() {
        Dialect::Sqlite => ("jobs r ON r.id IN (SELECT j.id FROM ", " ORDER BY j.vtime, j.id LIMIT ?7)"),
        Dialect::Postgres => ("LATERAL (SELECT j.id, j.vtime FROM ", " ORDER BY j.vtime, j.id LIMIT ?7) AS r ON true"),
    };
    sql.push(
        ") SELECT lanes.*, r.id, r.vtime, \
         CASE WHEN ?3 OR coalesce(h.cool_downs, 0) > 0 THEN 1 ELSE ?2 - coalesce(rh.n, 0) END AS host_left, \
         CASE WHEN a.max_running < ?1 THEN a.max_running ELSE ?1 END - coalesce(ra.n, 0) AS account_left \
         FROM first AS lanes LEFT JOIN @accounts_sched a ON a.account_id = lanes.account_id \
         LEFT JOIN ra ON ra.account_id = lanes.account_id LEFT JOIN rh ON rh.host = lanes.host \
         LEFT JOIN @hosts_sched h ON h.host = lanes.host LEFT JOIN ",
    );
    sql.push(open).push(ready_in_lane(tx.dialect())).push(close);
    sql.push(" ORDER BY lanes.class, lanes.head, lanes.account_id, lanes.host, lanes.risky, r.vtime, r.id");
    let mut servable = ServableLanes::default();
    let mut last: Option<((i64, i64, i64), Lane)> = None;
    for row in tx.all(sql.query()).await? {
        let key = LaneKey {
            account_id: get(&row, "account_id")?,
            host: get(&row, "host")?,
            class: get(&row, "class")?,
            risky: get(&row, "risky")?,
        };
        let job: Option<i64> = get(&row, "id")?;
        let job = job.map(|id| Ok::<_, crate::store::StoreError>((get(&row, "vtime")?, id))).transpose()?;
        if let Some((_, lane)) = last.as_mut().filter(|(_, lane)| lane.key == key) {
            lane.jobs.extend(job);
            continue;
        }
        if let Some((order, lane)) = last.take() {
            servable.lanes.insert(order, lane);
        }
        servable.host_capacity.insert(key.host.clone(), get(&row, "host_left")?);
        servable.account_capacity.insert(key.account_id, get(&row, "account_left")?);
        // The position keeps lanes with equal heads in their order. It is negative, so it never equals a job's id.
        let position = i64::try_from(servable.lanes.len()).unwrap_or(i64::MAX) - i64::MAX;
        last = Some(((key.class, get(&row, "head")?, position), Lane { key, jobs: job.into_iter().collect() }));
    }
    servable.lanes.extend(last);
    Ok(servable)
}
