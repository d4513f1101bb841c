//! A pass of the schedule: due documents get jobs, each scheduled for a random time. One process at a time runs a pass,
//! under a lease in the database. The next pass starts after the account that was served last, so that a limit that is
//! used up does not always affect the same accounts.

use crate::chatwoot::schedule::plans_of_day;
use crate::domain::id::DocumentId;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::plan::{AccountDecision, AccountPlan, PlanName};
use crate::domain::schedule::{AccountPass, Pass, PassLimits, StoppedBy, draw_jitter, is_another_day, max_jitter};
use crate::domain::time::Timestamp;
use crate::store::queue::enqueue;
use crate::store::queue::enqueue::{NewJob, OnLiveJob};
use crate::store::schedule::scan::{IdleAccounts, RunningPass};
use crate::store::schedule::{plans, scan};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{PassMode, PassRequest, PassResult, PassTrigger, Plans, Result};
use std::time::Duration;

/// Maximum number of jobs per transaction.
const JOBS_PER_TRANSACTION: usize = 250;
/// Number of accounts that are scanned together. It is small enough that a pass seldom reads documents which its limits
/// then exclude.
const ACCOUNTS_PER_SCAN: usize = 100;
/// Duration of the pass's lease; renewed with every transaction that writes jobs.
const LEASE: Duration = Duration::from_secs(30);
/// Name of the requester in the outcomes of scheduled jobs.
const REQUESTED_BY: &str = "schedule";

pub(in crate::store) async fn run(
    db: &Database,
    idle_accounts: &IdleAccounts,
    order: &PassRequest<'_>,
) -> Result<PassResult> {
    let dry_run = order.mode == PassMode::DryRun;
    if !dry_run {
        db.ensure_writable()?;
    }
    let last = last_pass(db).await?;
    let now = db.now();
    if !is_due(order, last.passed_at, now) {
        return Ok(PassResult::NotDue);
    }
    let plans = plans::read(db, order.terms).await?;
    let acts = order.mode != PassMode::PlansOnly;
    let changed = plans::changed_plans(db, &plans.accounts, now).await?;
    let scans = plans.accounts.iter().any(|account| matches!(account.decision(None), AccountDecision::Scheduled(_)));
    if changed.is_empty() && !(acts && scans) && matches!(order.trigger, PassTrigger::Interval(_)) {
        // Returns without a transaction: nothing has to be written, and no process woken.
        return Ok(PassResult::Completed(Vec::new(), plans.problems));
    }
    if !dry_run {
        let mut steps = plans::in_steps(db, changed).await?;
        if steps.is_empty() {
            // The lease is acquired all the same.
            steps.push(Vec::new());
        }
        for (position, step) in steps.iter().enumerate() {
            if position > 0 {
                db.yield_to_writers().await;
            }
            let mut tx = Tx::begin(db, Purpose::Rows).await?;
            if !acquire_lease(&mut tx, order.holder).await? {
                return Ok(PassResult::LeaseTaken);
            }
            plans::store_plans(&mut tx, step).await?;
            tx.commit().await?;
        }
    }
    let mut passes = Vec::new();
    let mut last_account = last.account;
    let plan_names: Vec<Option<PlanName>> = match (order.trigger, last.passed_at) {
        // The first pass of a store does not count as the first of a day; it only records its time.
        (PassTrigger::Daily, None) => Vec::new(),
        (PassTrigger::Daily, Some(_)) => plans_of_day(now).into_iter().map(Some).collect(),
        _ => vec![order.only_plan.cloned()],
    };
    for only in plan_names.into_iter().filter(|_| acts) {
        let pass = Pass { only, limits: plans.limits, dry_run, ..Pass::default() };
        let full_queue_depth = full_queue_depth(db, plans.limits.queue_depth).await?;
        let mut running = RunningPass {
            order,
            plans: &plans,
            idle_accounts,
            now,
            last_account,
            full_queue_depth,
            pass,
            found: Vec::new(),
        };
        if !serve(db, &mut running).await? {
            return Ok(PassResult::LeaseTaken);
        }
        last_account = running.last_account;
        passes.push(running.pass);
    }
    if !dry_run {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        let done = query(
            "UPDATE @scheduler SET holder = NULL, held_until = 0, passed_at = coalesce(?, passed_at), \
             last_account = ? WHERE id = 1 AND holder = ?",
        );
        // A pass on a person's request does not replace the next periodic one.
        let passed_at = (acts && order.trigger != PassTrigger::Now).then_some(now.micros());
        tx.run_quietly(done.bind(passed_at).bind(last_account).bind(order.holder)).await?;
        tx.commit().await?;
    }
    Ok(PassResult::Completed(passes, plans.problems))
}

/// Serves the accounts, starting after the last one served. Returns false if the lease was lost meanwhile.
async fn serve(db: &Database, running: &mut RunningPass<'_>) -> Result<bool> {
    let plans = running.plans;
    let start = plans.accounts.partition_point(|account| account.account.0 <= running.last_account);
    let (before, after) = plans.accounts.split_at(start);
    running.pass.blocked_at_depth = running.full_queue_depth;
    let accounts: Vec<&AccountPlan> = after.iter().chain(before).collect();
    for some in accounts.chunks(ACCOUNTS_PER_SCAN) {
        let mut due = scan::due(db, running, some).await?;
        for account in some {
            serve_account(running, account, due.remove(&account.account).unwrap_or_default());
            if running.found.len() >= JOBS_PER_TRANSACTION && !write_found(db, running).await? {
                return Ok(false);
            }
        }
    }
    write_found(db, running).await
}

/// Returns the documents that are due now: those that a pass without limits would enqueue, and those for which one has
/// made a job that has not started.
pub(in crate::store) async fn due_documents(
    db: &Database,
    idle_accounts: &IdleAccounts,
    order: &PassRequest<'_>,
) -> Result<Vec<DocumentId>> {
    let unlimited = PassLimits { per_account: u32::MAX, total: u32::MAX, queue_depth: u32::MAX };
    let plans = Plans { limits: unlimited, ..plans::read(db, order.terms).await? };
    let pass = Pass { only: order.only_plan.cloned(), limits: unlimited, dry_run: true, ..Pass::default() };
    let mut running = RunningPass {
        order,
        plans: &plans,
        idle_accounts,
        now: db.now(),
        last_account: 0,
        full_queue_depth: None,
        pass,
        found: Vec::new(),
    };
    let mut due = Vec::new();
    let accounts: Vec<&AccountPlan> = plans.accounts.iter().collect();
    for some in accounts.chunks(ACCOUNTS_PER_SCAN) {
        due.extend(scan::due(db, &mut running, some).await?.into_values().flatten());
    }
    let waiting = query("SELECT document_id FROM @jobs WHERE class = 2 AND state IN ('scheduled', 'ready')");
    for row in db.reader().await?.all(waiting).await? {
        due.push(DocumentId(get(&row, 0)?));
    }
    due.sort_unstable();
    due.dedup();
    Ok(due)
}

/// Takes as many of an account's due documents as the limits allow.
fn serve_account(running: &mut RunningPass<'_>, account: &AccountPlan, mut due: Vec<DocumentId>) {
    let limits = running.plans.limits;
    let decision = account.decision(running.pass.only.as_ref());
    let (plan, at) = (account.name.clone(), account.at.clone());
    let mut served = AccountPass { account: account.account, plan, decision, at, enqueued: 0, stopped_by: None };
    if let AccountDecision::Scheduled(cadence) = decision {
        let (may, left) = running.capacity();
        if due.len() > may as usize {
            due.truncate(may as usize);
            served.stopped_by = Some(match running.full_queue_depth {
                Some(_) => StoppedBy::QueueDepth,
                None if limits.per_account <= left => StoppedBy::AccountLimit,
                None => StoppedBy::TotalLimit,
            });
        }
        served.enqueued = u32::try_from(due.len()).unwrap_or(u32::MAX);
        // At its times a plan is on time.
        let jitter = if account.at.is_some() { Duration::ZERO } else { max_jitter(running.order.terms.rules, cadence) };
        running.found.extend(due.into_iter().map(|document| (document, jitter)));
        // If the total limit of the pass excluded some of an account's documents, that account is the first of the next
        // pass.
        if served.enqueued > 0 && served.stopped_by != Some(StoppedBy::TotalLimit) {
            running.last_account = account.account.0;
        }
    }
    running.pass.accounts.push(served);
}

/// Writes jobs for the documents found so far. Returns false if the lease was lost.
async fn write_found(db: &Database, running: &mut RunningPass<'_>) -> Result<bool> {
    let mut found = std::mem::take(&mut running.found);
    if found.is_empty() || running.pass.dry_run {
        return Ok(true);
    }
    found.sort_by_key(|(document, _)| *document);
    for some in found.chunks(JOBS_PER_TRANSACTION) {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        if !acquire_lease(&mut tx, running.order.holder).await? {
            return Ok(false);
        }
        let ids: Vec<DocumentId> = some.iter().map(|(id, _)| *id).collect();
        jobs::lock_live_jobs(&mut tx, &ids).await?;
        let mut documents = documents::by_ids(&mut tx, &ids).await?;
        let live = jobs::live_jobs(&mut tx, &ids).await?;
        let mut new = Vec::with_capacity(some.len());
        for (id, jitter) in some {
            let Some(document) = documents.remove(id).filter(|_| !live.contains_key(id)) else { continue };
            new.push((document, tx.now.plus(draw_jitter(running.order.seed, *id, *jitter))));
        }
        insert_scheduled(&mut tx, &new).await?;
        tx.commit().await?;
        db.yield_to_writers().await;
    }
    Ok(true)
}

/// Returns the number of ready jobs if it exceeds `depth`, else `None`.
async fn full_queue_depth(db: &Database, depth: u32) -> Result<Option<u64>> {
    let mut reader = db.reader().await?;
    let ready: i64 = get(&reader.one(query("SELECT count(*) FROM @jobs WHERE state = 'ready'")).await?, 0)?;
    Ok(u64::try_from(ready).ok().filter(|ready| *ready > u64::from(depth)))
}

async fn last_pass(db: &Database) -> Result<LastPass> {
    let mut reader = db.reader().await?;
    let row = reader.one(query("SELECT last_account, passed_at FROM @scheduler WHERE id = 1")).await?;
    Ok(LastPass {
        account: get(&row, "last_account")?,
        passed_at: get::<Option<i64>>(&row, "passed_at")?.map(Timestamp::from_micros),
    })
}

/// The state that earlier passes stored: the account served last, and the time of the last periodic pass.
struct LastPass {
    account: i64,
    passed_at: Option<Timestamp>,
}

fn is_due(order: &PassRequest<'_>, passed_at: Option<Timestamp>, now: Timestamp) -> bool {
    match (order.trigger, passed_at) {
        // The first pass of a store counts as due, so that its time is recorded.
        (PassTrigger::Now, _) | (PassTrigger::Interval(_) | PassTrigger::Daily, None) => true,
        // A pass that lies in the future was recorded before a clock was set back.
        (PassTrigger::Interval(span), Some(at)) => at > now || now.since(at) >= span,
        (PassTrigger::Daily, Some(at)) => is_another_day(at, now),
    }
}

/// Takes or renews the lease of the pass. Returns false if another process has it.
pub(in crate::store) async fn acquire_lease(tx: &mut Tx<'_>, holder: &str) -> Result<bool> {
    // A lease that ends later than a new one would was taken before a clock was set back, and does not count.
    let take = query(
        "UPDATE @scheduler SET holder = ?1, held_until = ?3 WHERE id = 1 \
         AND (holder IS NULL OR holder = ?1 OR held_until <= ?2 OR held_until > ?3)",
    );
    let until = tx.now.plus(LEASE).micros();
    Ok(tx.run_quietly(take.bind(holder).bind(tx.now.micros()).bind(until)).await? > 0)
}

/// Gives the lease back, without a change of what the next pass does.
pub(in crate::store) async fn release_lease(tx: &mut Tx<'_>, holder: &str) -> Result<()> {
    let release = query("UPDATE @scheduler SET holder = NULL, held_until = 0 WHERE id = 1 AND holder = ?");
    tx.run_quietly(release.bind(holder)).await?;
    Ok(())
}

/// Inserts scheduled jobs for the documents, each with its time; skips documents that have got a live job in the
/// meantime.
async fn insert_scheduled(tx: &mut Tx<'_>, new: &[(Document, Timestamp)]) -> Result<()> {
    let documents: Vec<Document> = new.iter().map(|(document, _)| document.clone()).collect();
    documents::ensure_states(tx, &documents).await?;
    let waits = |(document, run_at)| NewJob {
        document,
        class: QueueClass::Auto,
        state: JobState::Scheduled,
        run_at,
        vtime: 0,
        by: REQUESTED_BY,
    };
    let jobs: Vec<_> = documents.iter().zip(new.iter().map(|(_, run_at)| *run_at)).map(waits).collect();
    enqueue::insert(tx, &jobs, OnLiveJob::Skip).await?;
    enqueue::keep_latest(tx, documents.iter().map(|document| document.id).collect()).await
}
