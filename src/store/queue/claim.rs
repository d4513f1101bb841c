//! Claiming: due jobs become ready, `choose` merges the lanes (the queues of one account, host, class and risk) in the
//! order of class and virtual time (a job's position in the fair order of accounts), and the chosen jobs are marked as
//! running.
//!
//! All jobs of a round are read and written together: on a server each statement is a round trip, and a claim blocks
//! every other change of the queue.

mod choose;

use crate::domain::content::PriorResponse;
use crate::domain::id::{AccountId, JobId, Token, WorkerId};
use crate::domain::job::QueueClass;
use crate::domain::text::SafeLine;
use crate::store::queue::apply::TransitionData;
use crate::store::queue::lanes::LaneKey;
use crate::store::queue::pauses::{CLASS_NOT_PAUSED, LANE_NOT_PAUSED};
use crate::store::queue::tries::TryStart;
use crate::store::queue::{host_backoff, lanes, tries};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::{IntoValue, Sql, Statement, query};
use crate::store::sql::transaction::Tx;
use crate::store::{ClaimLimits, ClaimedJob, JobLease, MarkTiming, Result};
use choose::ClaimCapacity;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Maximum number of due jobs that one claim makes ready. The rest becomes ready in later claims, so that no
/// transaction blocks other writers for long.
const PROMOTION_LIMIT: i64 = 1_000;

/// State that is read at the start of a claim: the worker's name, whether the worker runs a risky job (its earlier
/// attempt lost its worker), and the number of claimed jobs since the lowest class was served.
struct ClaimContext {
    name: SafeLine,
    runs_risky: bool,
    passed_over: i64,
}

pub(in crate::store) async fn claim(db: &Database, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<ClaimedJob>> {
    if limits.slots == 0 || !is_work_waiting(db).await? {
        return Ok(Vec::new());
    }
    let mut tx = Tx::begin(db, Purpose::Claim).await?;
    let ClaimContext { name, runs_risky, passed_over } = read_context(&mut tx, worker).await?;
    let mut budget = ClaimCapacity {
        slots: limits.slots as usize,
        per_host: i64::from(limits.per_host),
        per_account: limits.per_account.map_or(i64::MAX, i64::from),
        spacing: Some(limits.host_interval).filter(|interval| !interval.is_zero()),
        spaced_hosts: BTreeSet::new(),
        may_take_risky: !runs_risky,
        passed_over,
        served_vtime: [0; 3],
        tries: Vec::new(),
    };
    let mut claimed = Vec::new();
    // Slots may be left after a round, because a limit was reached or a chosen job ended at once. Lanes that the round
    // did not read may fill them.
    while budget.slots > 0 && claim_round(&mut tx, worker, &name, limits, &mut budget, &mut claimed).await? {}
    if !claimed.is_empty() || budget.passed_over != passed_over {
        finish_claim(&mut tx, &budget).await?;
    }
    tx.commit().await?;
    Ok(claimed)
}

/// Returns true if a claim may find a job. Reads without the write lock, since most claims of an idle worker find
/// nothing.
async fn is_work_waiting(db: &Database) -> Result<bool> {
    db.ensure_writable()?;
    let mut reader = db.reader().await?;
    let mut statement = Sql::new(
        "SELECT EXISTS (SELECT 1 FROM @lanes n LEFT JOIN @hosts_sched h ON h.host = n.host \
          WHERE coalesce(h.held_until, 0) <= ?1 AND coalesce(h.spaced_until, 0) <= ?1 AND ",
    );
    statement.push(CLASS_NOT_PAUSED).push(" AND ").push(LANE_NOT_PAUSED);
    statement.push(") OR EXISTS (SELECT 1 FROM @jobs WHERE state = 'scheduled' AND run_at <= ?1)");
    get(&reader.one(statement.query().bind(db.now().micros())).await?, 0)
}

/// Reads the state for a claim of `worker`, and makes due jobs ready, at most [`PROMOTION_LIMIT`].
async fn read_context(tx: &mut Tx<'_>, worker: &WorkerId) -> Result<ClaimContext> {
    let statement = query(
        "SELECT (SELECT name FROM @workers WHERE id = ?1) AS name, passed_over, \
         EXISTS (SELECT 1 FROM @jobs WHERE state = 'running' AND worker_id = ?1 AND crashes > 0) AS runs_risky, \
         EXISTS (SELECT 1 FROM @jobs WHERE state = 'scheduled' AND run_at <= ?2) AS due \
         FROM @sched_clock WHERE id = 1",
    );
    let row = tx.one(statement.bind(&worker.0).bind(tx.now.micros())).await?;
    if get(&row, "due")? {
        promote_due(tx).await?;
    }
    let name: Option<String> = get(&row, "name")?;
    Ok(ClaimContext {
        name: SafeLine::new(&name.unwrap_or_else(|| worker.0.clone())),
        runs_risky: get(&row, "runs_risky")?,
        passed_over: get(&row, "passed_over")?,
    })
}

async fn promote_due(tx: &mut Tx<'_>) -> Result<()> {
    let due = query("SELECT * FROM @jobs WHERE state = 'scheduled' AND run_at <= ? ORDER BY run_at, id LIMIT ?");
    let due = jobs::select(tx, due.bind(tx.now.micros()).bind(PROMOTION_LIMIT)).await?;
    let mut lanes = BTreeMap::<LaneKey, i64>::new();
    for some in due.chunks(tx.dialect().rows_per_statement()) {
        let mut sql = Sql::new("UPDATE @jobs SET state = 'ready', vtime = due.column2 FROM (VALUES ");
        for (index, row) in some.iter().enumerate() {
            let vtime = lanes::next_virtual_time(tx, row.account_id, row.job.class).await?;
            let head = lanes.entry(LaneKey::of(row)).or_insert(vtime);
            *head = vtime.min(*head);
            sql.push(if index > 0 { ", (" } else { "(" }).bind(row.job.id.0).push(", ").bind(vtime).push(")");
        }
        sql.push(") AS due WHERE id = due.column1");
        tx.run(sql.query()).await?;
    }
    lanes::add_all(tx, &lanes).await?;
    Ok(())
}

/// Claims jobs from the lanes in one round. Returns true if another round may find more.
async fn claim_round(
    tx: &mut Tx<'_>,
    worker: &WorkerId,
    name: &SafeLine,
    limits: ClaimLimits,
    budget: &mut ClaimCapacity,
    claimed: &mut Vec<ClaimedJob>,
) -> Result<bool> {
    let mut choice = choose::choose(tx, budget).await?;
    let (mut taken, mut documents) = (Vec::new(), Vec::new());
    if !choice.jobs.is_empty() {
        let mut rows = jobs::by_ids(tx, &choice.jobs).await?;
        let ids: Vec<_> = rows.values().map(|row| row.job.document_id).collect();
        let mut read = documents::by_ids(tx, &ids).await?;
        for row in choice.jobs.iter().filter_map(|id| rows.remove(id)) {
            let document = read.remove(&row.job.document_id);
            match tries::document_to_sync(tx, &row, document, TransitionData::default()).await? {
                Some(document) => {
                    taken.push(row);
                    documents.push(document);
                }
                // The job has ended, and its slot is free for another one.
                None => choice.more_possible = true,
            }
        }
    }
    if !taken.is_empty() {
        documents::ensure_states(tx, &documents).await?;
        let tokens = mark_running(tx, &taken, worker, name, limits.lease).await?;
        lanes::remove_all(tx, &taken).await?;
        for (row, document) in taken.iter().zip(&documents) {
            let Some(token) = tokens.get(&row.job.id) else { continue };
            claimed.push(claimed_job(tx, row, document, *token, limits, budget));
        }
    }
    lanes::drop_empty(tx, &choice.emptied_lanes).await?;
    Ok(choice.more_possible)
}

/// Marks the jobs `taken` as running and returns the token of each job's lease. A token is a number that no earlier
/// claim of this store has used. PostgreSQL takes tokens from a sequence, which no rollback resets.
async fn mark_running(
    tx: &mut Tx<'_>,
    taken: &[JobRow],
    worker: &WorkerId,
    name: &SafeLine,
    lease: Duration,
) -> Result<HashMap<JobId, i64>> {
    let mut sql = Sql::new(
        "UPDATE @jobs SET state = 'running', attempt = attempt + 1, worker_id = ?2, worker_name = ?3, \
         lease_until = ?4, lease_token = ",
    );
    let ids: Vec<i64> = taken.iter().map(|row| row.job.id.0).collect();
    let mut values = vec![ids.into_value(), worker.0.as_str().into_value(), name.as_str().into_value()];
    values.push(tx.now.plus(lease).micros().into_value());
    match tx.dialect() {
        Dialect::Sqlite => {
            let count = i64::try_from(taken.len()).unwrap_or(i64::MAX);
            let next = query("UPDATE @sched_clock SET fence = fence + ? WHERE id = 1 RETURNING fence").bind(count);
            let first = get::<i64>(&tx.one(next).await?, 0)? - count + 1;
            values.push(first.into_value());
            sql.push("?5 + (SELECT key FROM json_each(?1) WHERE value = jobs.id) WHERE id IN (SELECT each(?1))");
        }
        Dialect::Postgres => {
            sql.push(
                "t.token FROM (SELECT taken.id, nextval('@fence') AS token FROM unnest(?1) AS taken(id)) AS t \
                 WHERE jobs.id = t.id",
            );
        }
    }
    sql.push(" RETURNING jobs.id, lease_token");
    let statement = values.into_iter().fold(sql.query(), Statement::bind);
    tx.all(statement).await?.iter().map(|row| Ok((JobId(get(row, 0)?), get(row, 1)?))).collect()
}

/// Subtracts a job from the remaining capacity in `budget`, and returns the job in the form in which its worker gets
/// it.
fn claimed_job(
    tx: &Tx<'_>,
    row: &JobRow,
    document: &Document,
    token: i64,
    limits: ClaimLimits,
    budget: &mut ClaimCapacity,
) -> ClaimedJob {
    budget.slots = budget.slots.saturating_sub(1);
    budget.may_take_risky &= row.job.counters.crashes == 0;
    if budget.spacing.is_some() {
        budget.spaced_hosts.insert(row.host.clone());
    }
    let served = match row.job.class {
        QueueClass::Manual => 0,
        QueueClass::Retry => 1,
        QueueClass::Auto => 2,
    };
    budget.served_vtime[served] = row.vtime.max(budget.served_vtime[served]);
    if limits.mark_timing == MarkTiming::AtClaim {
        budget.tries.push(TryStart::of(row));
    }
    let prior = if row.fetch_whole { PriorResponse::default() } else { document.prior_response(tx.now) };
    ClaimedJob {
        lease: JobLease { job_id: row.job.id, token: Token(token) },
        document_id: row.job.document_id,
        account_id: AccountId(document.account_id),
        url: document.url.clone(),
        class: row.job.class,
        counters: row.job.claimed(),
        prior,
        stored: document.stored(),
        started_at: tx.now,
    }
}

/// Writes the remaining effects of a claim: advances the virtual clock of each class, sets the time before which no
/// further page of a host is requested, and starts the tries (their documents' rows become `syncing`).
async fn finish_claim(tx: &mut Tx<'_>, budget: &ClaimCapacity) -> Result<()> {
    let [manual, retry, auto] = budget.served_vtime;
    let clocks = query(
        "UPDATE @sched_clock SET passed_over = ?1, \
         vclock_manual = CASE WHEN vclock_manual < ?2 THEN ?2 ELSE vclock_manual END, \
         vclock_retry = CASE WHEN vclock_retry < ?3 THEN ?3 ELSE vclock_retry END, \
         vclock_auto = CASE WHEN vclock_auto < ?4 THEN ?4 ELSE vclock_auto END WHERE id = 1",
    );
    tx.run(clocks.bind(budget.passed_over).bind(manual).bind(retry).bind(auto)).await?;
    if let Some(interval) = budget.spacing {
        host_backoff::write_spacing(tx, &budget.spaced_hosts, interval).await?;
    }
    tries::start(tx, &budget.tries).await
}
