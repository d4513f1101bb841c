//! Lanes: one row for each account, host, class and risk (whether an earlier attempt lost its worker) with ready jobs.
//! A claim reads lanes instead of jobs. Therefore jobs that may not run now (their account, host or class is paused or
//! at its cap) delay no other job, however many there are.

use crate::domain::job::QueueClass;
use crate::store::Result;
use crate::store::queue::lanes;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use std::collections::BTreeMap;

/// Step of virtual time (a job's position in the fair order of accounts) that one job adds for an account of weight 1.
pub(in crate::store) const VTIME_STEP: i64 = 1_000_000;

/// Maximum number of lanes per statement.
const LANES_PER_STATEMENT: usize = 32;

/// Returns the SQL for the ready jobs `j` of a row of `lanes`. For SQLite it names the index: SQLite would otherwise
/// use the account's index and read all jobs of the account. The `+` removes the type affinity of `lanes.risky`, with
/// which SQLite could not use the fourth part of the named index.
pub(in crate::store) const fn ready_in_lane(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "jobs j INDEXED BY jobs_lane WHERE j.state = 'ready' AND j.account_id = lanes.account_id \
             AND j.host = lanes.host AND j.class = lanes.class AND (j.crashes > 1) = +lanes.risky"
        }
        Dialect::Postgres => {
            "@jobs j WHERE j.state = 'ready' AND j.account_id = lanes.account_id \
             AND j.host = lanes.host AND j.class = lanes.class AND (j.crashes > 1) = lanes.risky"
        }
    }
}

/// Key of a lane (the queue of ready jobs of one account, host, class and risk).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::store) struct LaneKey {
    pub(in crate::store) account_id: i64,
    pub(in crate::store) host: String,
    pub(in crate::store) class: i64,
    /// True for jobs whose earlier attempt lost its worker.
    pub(in crate::store) risky: bool,
}

impl LaneKey {
    /// Returns the lane of `row` in its current state.
    pub(in crate::store) fn of(row: &JobRow) -> Self {
        Self {
            account_id: row.account_id,
            host: row.host.clone(),
            class: row.job.class.code(),
            risky: row.job.counters.runs_alone(),
        }
    }
}

/// Returns the virtual time of a job that becomes ready now: one step after the account's last ready job of the class
/// or, if that is later, after the virtual time that the class has reached. The step is shorter for an account of more
/// weight. Only ready jobs count, so cancelled jobs do not delay an account.
pub(in crate::store) async fn next_virtual_time(tx: &mut Tx<'_>, account_id: i64, class: QueueClass) -> Result<i64> {
    if let Some((vtime, step)) = tx.vtimes.get_mut(&(account_id, class.code())) {
        *vtime = vtime.saturating_add(*step);
        return Ok(*vtime);
    }
    let statement = query(
        "SELECT (SELECT max(vtime) FROM @jobs WHERE state = 'ready' AND account_id = ?1 AND class = ?2) AS own, \
         (SELECT CASE ?2 WHEN 0 THEN vclock_manual WHEN 1 THEN vclock_retry ELSE vclock_auto END \
          FROM @sched_clock WHERE id = 1) AS clock, \
         (SELECT weight FROM @accounts_sched WHERE account_id = ?1) AS weight",
    );
    let row = tx.one(statement.bind(account_id).bind(class.code())).await?;
    let own: Option<i64> = get(&row, "own")?;
    let clock: i64 = get(&row, "clock")?;
    let weight = get::<Option<i64>>(&row, "weight")?.unwrap_or(1).max(1);
    let (vtime, step) = (own.unwrap_or(clock).max(clock).saturating_add(VTIME_STEP / weight), VTIME_STEP / weight);
    tx.vtimes.insert((account_id, class.code()), (vtime, step));
    Ok(vtime)
}

/// Adds a job that became ready at `vtime` to its lane.
pub(in crate::store) async fn add(tx: &mut Tx<'_>, lane: &LaneKey, vtime: i64) -> Result<()> {
    lanes::add_all(tx, &BTreeMap::from([(lane.clone(), vtime)])).await
}

/// Adds ready jobs to their lanes; each value is the smallest virtual time of the lane's new jobs.
pub(in crate::store) async fn add_all(tx: &mut Tx<'_>, lanes: &BTreeMap<LaneKey, i64>) -> Result<()> {
    let lanes: Vec<_> = lanes.iter().collect();
    for some in lanes.chunks(tx.dialect().rows_per_statement()) {
        let mut sql = Sql::new("INSERT INTO @lanes (account_id, host, class, risky, head) VALUES ");
        for (index, (lane, head)) in some.iter().enumerate() {
            sql.push(if index > 0 { ", (" } else { "(" }).bind(lane.account_id).push(", ").bind(&lane.host);
            sql.push(", ").bind(lane.class).push(", ").bind(lane.risky).push(", ").bind(**head).push(")");
        }
        sql.push(
            " ON CONFLICT (account_id, host, class, risky) DO UPDATE SET head = excluded.head \
             WHERE excluded.head < lanes.head",
        );
        tx.run(sql.query()).await?;
    }
    Ok(())
}

/// Updates the head of a lane after a job left the lane; deletes the lane if it has no ready job any more.
pub(in crate::store) async fn remove(tx: &mut Tx<'_>, lane: &LaneKey) -> Result<()> {
    let first = query(
        "SELECT vtime FROM @jobs WHERE state = 'ready' AND account_id = ? AND host = ? AND class = ? \
         AND (crashes > 1) = ? ORDER BY vtime, id LIMIT 1",
    );
    let first = first.bind(lane.account_id).bind(&lane.host).bind(lane.class).bind(lane.risky);
    let head: Option<i64> = tx.first(first).await?.map(|row| get(&row, 0)).transpose()?;
    set_head(tx, lane, head).await
}

/// Updates the lanes that `jobs` have left: the first remaining job of a lane determines its new head. A lane without
/// jobs keeps its old head until [`drop_empty`] deletes it.
pub(in crate::store) async fn remove_all(tx: &mut Tx<'_>, jobs: &[JobRow]) -> Result<()> {
    let ids: Vec<i64> = jobs.iter().map(|row| row.job.id.0).collect();
    let mut sql = Sql::new("UPDATE @lanes SET head = coalesce((SELECT j.vtime FROM ");
    sql.push(ready_in_lane(tx.dialect())).push(
        " ORDER BY j.vtime, j.id LIMIT 1), head) FROM @jobs t WHERE t.id IN (SELECT each(?)) \
         AND lanes.account_id = t.account_id AND lanes.host = t.host AND lanes.class = t.class \
         AND lanes.risky = (t.crashes > 1)",
    );
    tx.run(sql.query().bind(ids)).await?;
    Ok(())
}

/// Deletes those of `lanes` that really have no ready job any more.
pub(in crate::store) async fn drop_empty(tx: &mut Tx<'_>, lanes: &[LaneKey]) -> Result<()> {
    for some in lanes.chunks(tx.dialect().rows_per_statement().min(LANES_PER_STATEMENT)) {
        let mut sql = Sql::new("DELETE FROM @lanes WHERE NOT EXISTS (SELECT 1 FROM ");
        sql.push(ready_in_lane(tx.dialect())).push(") AND (");
        // The last lane is repeated until the number of lanes is a power of two. There are then few different texts, so
        // the database can reuse its prepared statements.
        for index in 0..some.len().next_power_of_two() {
            let lane = &some[index.min(some.len() - 1)];
            sql.push(if index > 0 { " OR (account_id = " } else { "(account_id = " }).bind(lane.account_id);
            sql.push(" AND host = ").bind(&lane.host).push(" AND class = ").bind(lane.class);
            sql.push(" AND risky = ").bind(lane.risky).push(")");
        }
        sql.push(")");
        tx.run(sql.query()).await?;
    }
    Ok(())
}

/// Sets the head of a lane, which is the virtual time of the lane's first job. If `head` is `None`, deletes the lane.
pub(in crate::store) async fn set_head(tx: &mut Tx<'_>, lane: &LaneKey, head: Option<i64>) -> Result<()> {
    let statement = match head {
        Some(_) => query(
            "UPDATE @lanes SET head = ?5 \
             WHERE account_id = ?1 AND host = ?2 AND class = ?3 AND risky = ?4 AND head <> ?5",
        ),
        None => query("DELETE FROM @lanes WHERE account_id = ?1 AND host = ?2 AND class = ?3 AND risky = ?4"),
    };
    let statement = statement.bind(lane.account_id).bind(&lane.host).bind(lane.class).bind(lane.risky);
    tx.run(match head {
        Some(head) => statement.bind(head),
        None => statement,
    })
    .await?;
    Ok(())
}

/// SQL that computes all lanes from the jobs.
const LANES_FROM_JOBS: &str = "SELECT account_id, host, class, (crashes > 1) AS risky, min(vtime) AS head FROM @jobs \
     WHERE state = 'ready' GROUP BY account_id, host, class, (crashes > 1)";

/// Recomputes all lanes from the jobs, and returns the number of surplus and missing rows; a row with a wrong head
/// counts as both. Runs when a store is opened for writing; callers repeat it if the lanes may be wrong.
pub async fn rederive(db: &Database) -> Result<u64> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let wrong = "SELECT (SELECT count(*) FROM (SELECT * FROM @lanes EXCEPT SELECT * FROM derived) AS more) + \
         (SELECT count(*) FROM (SELECT * FROM derived EXCEPT SELECT * FROM @lanes) AS less)";
    let mut sql = Sql::new("WITH derived AS (");
    sql.push(LANES_FROM_JOBS).push(") ").push(wrong);
    let wrong: i64 = get(&tx.one(sql.query()).await?, 0)?;
    if wrong > 0 {
        tx.run(query("DELETE FROM @lanes")).await?;
        let mut sql = Sql::new("INSERT INTO @lanes ");
        sql.push(LANES_FROM_JOBS);
        tx.run(sql.query()).await?;
    }
    tx.commit().await?;
    Ok(u64::try_from(wrong).unwrap_or_default())
}
