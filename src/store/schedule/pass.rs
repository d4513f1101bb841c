//! A pass of the schedule: due documents get jobs that wait for their randomly drawn time. One process at a time runs a
//! pass, under a lease in the database. The next pass starts after the account that was served last, so that a limit
//! that is used up does not always affect the same accounts.

use crate::chatwoot::schedule::plans_of_day;
use crate::domain::id::DocumentId;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::plan::{AccountPlan, PlanName, Verdict};
use crate::domain::schedule::{AccountPass, DueRules, Pass, StoppedBy, draw, is_another_day, jitter};
use crate::domain::time::Timestamp;
use crate::store::queue::enqueue;
use crate::store::queue::enqueue::{Live, NewJob};
use crate::store::schedule::scan::{Rests, Running};
use crate::store::schedule::{plans, scan};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{PassAnswer, PassMode, PassOrder, Result, When};
use std::time::Duration;

/// Jobs per transaction.
const CHUNK: usize = 250;
/// Accounts that are scanned together: few enough that a pass seldom reads documents which its limits then exclude.
const LOOKED_AT: usize = 100;
/// Duration of the pass's lease; renewed with every transaction that writes jobs.
const LEASE: Duration = Duration::from_secs(30);
/// Name of the requester in the outcomes of scheduled jobs.
const BY: &str = "schedule";

pub(in crate::store) async fn make(db: &Database, rests: &Rests, order: &PassOrder<'_>) -> Result<PassAnswer> {
    let dry_run = order.mode == PassMode::DryRun;
    if !dry_run {
        db.writable()?;
    }
    let last = last_pass(db).await?;
    let now = db.now();
    if !is_time(order, last.passed_at, now) {
        return Ok(PassAnswer::NotYet);
    }
    let plans = plans::read(db, order.terms).await?;
    let acts = order.mode != PassMode::PlansOnly;
    let changed = plans::changed(db, &plans.accounts).await?;
    let looks = plans.accounts.iter().any(|account| matches!(account.verdict(None), Verdict::Looked(_)));
    if changed.is_empty() && !(acts && looks) && matches!(order.when, When::Every(_)) {
        // Returns without a transaction: nothing has to be written, and no process woken.
        return Ok(PassAnswer::Made(Vec::new(), plans.troubles));
    }
    if !dry_run {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        if !take_schedule(&mut tx, order).await? {
            return Ok(PassAnswer::Held);
        }
        plans::keep(&mut tx, &changed).await?;
        tx.commit().await?;
    }
    let mut passes = Vec::new();
    let mut last_account = last.account;
    let onlys: Vec<Option<PlanName>> = match (order.when, last.passed_at) {
        // The first pass of a store does not count as the first of a day; it only records its time.
        (When::Daily, None) => Vec::new(),
        (When::Daily, Some(_)) => plans_of_day(now).into_iter().map(Some).collect(),
        _ => vec![order.only.cloned()],
    };
    for only in onlys.into_iter().filter(|_| acts) {
        let pass = Pass { only, limits: plans.limits, dry_run, ..Pass::default() };
        let is_full = queue_is_full(db, plans.limits.queue_depth).await?;
        let mut running = Running { order, plans: &plans, rests, now, last_account, is_full, pass, found: Vec::new() };
        if !serve(db, &mut running).await? {
            return Ok(PassAnswer::Held);
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
        let passed_at = (acts && order.when != When::Now).then_some(now.micros());
        tx.run_quietly(done.bind(passed_at).bind(last_account).bind(order.holder)).await?;
        tx.commit().await?;
    }
    Ok(PassAnswer::Made(passes, plans.troubles))
}

/// Serves the accounts, starting after the last one served. Returns false if the lease was lost on the way.
async fn serve(db: &Database, running: &mut Running<'_>) -> Result<bool> {
    let plans = running.plans;
    let start = plans.accounts.partition_point(|account| account.account.0 <= running.last_account);
    let (before, after) = plans.accounts.split_at(start);
    running.pass.held_back = running.is_full;
    let accounts: Vec<&AccountPlan> = after.iter().chain(before).collect();
    for some in accounts.chunks(LOOKED_AT) {
        let mut due = scan::due(db, running, some).await?;
        for account in some {
            serve_account(running, account, due.remove(&account.account).unwrap_or_default());
            if running.found.len() >= CHUNK && !write_found(db, running).await? {
                return Ok(false);
            }
        }
    }
    write_found(db, running).await
}

/// Takes as many of an account's due documents as the limits allow.
fn serve_account(running: &mut Running<'_>, account: &AccountPlan, mut due: Vec<DocumentId>) {
    let limits = running.plans.limits;
    let verdict = account.verdict(running.pass.only.as_ref());
    let mut served =
        AccountPass { account: account.account, plan: account.name.clone(), verdict, enqueued: 0, stopped_by: None };
    if let Verdict::Looked(cadence) = verdict {
        let (may, left) = running.may();
        if due.len() > may as usize {
            due.truncate(may as usize);
            served.stopped_by = Some(match running.is_full {
                Some(_) => StoppedBy::QueueDepth,
                None if limits.per_account <= left => StoppedBy::AccountLimit,
                None => StoppedBy::TotalLimit,
            });
        }
        served.enqueued = u32::try_from(due.len()).unwrap_or(u32::MAX);
        running.found.extend(due.into_iter().map(|document| (document, cadence)));
        // An account that the limit of the pass has cut short is the first of the next pass.
        if served.enqueued > 0 && served.stopped_by != Some(StoppedBy::TotalLimit) {
            running.last_account = account.account.0;
        }
    }
    running.pass.accounts.push(served);
}

/// Writes jobs for the documents found so far. Returns false if the lease was lost.
async fn write_found(db: &Database, running: &mut Running<'_>) -> Result<bool> {
    let mut found = std::mem::take(&mut running.found);
    if found.is_empty() || running.pass.dry_run {
        return Ok(true);
    }
    found.sort_by_key(|(document, _)| *document);
    for some in found.chunks(CHUNK) {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        if !take_schedule(&mut tx, running.order).await? {
            return Ok(false);
        }
        let ids: Vec<DocumentId> = some.iter().map(|(id, _)| *id).collect();
        jobs::lock_live_of(&mut tx, &ids).await?;
        let mut documents = documents::by_ids(&mut tx, &ids).await?;
        let live = jobs::live_of(&mut tx, &ids).await?;
        let rules: DueRules = running.order.terms.rules;
        let mut new = Vec::with_capacity(some.len());
        for (id, cadence) in some {
            let Some(document) = documents.remove(id).filter(|_| !live.contains_key(id)) else { continue };
            new.push((document, tx.now.plus(draw(running.order.seed, *id, jitter(rules, *cadence)))));
        }
        insert_scheduled(&mut tx, &new).await?;
        tx.commit().await?;
        db.give_way().await;
    }
    Ok(true)
}

/// Returns the number of ready jobs if it exceeds `depth`, else `None`.
async fn queue_is_full(db: &Database, depth: u32) -> Result<Option<u64>> {
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

/// The state that the last pass stored: the account served last, and the time of the pass.
struct LastPass {
    account: i64,
    passed_at: Option<Timestamp>,
}

fn is_time(order: &PassOrder<'_>, passed_at: Option<Timestamp>, now: Timestamp) -> bool {
    match (order.when, passed_at) {
        // The first pass of a store counts as due, so that its time is recorded.
        (When::Now, _) | (When::Every(_) | When::Daily, None) => true,
        // A pass that lies in the future was recorded before a clock was set back.
        (When::Every(span), Some(at)) => at > now || now.since(at) >= span,
        (When::Daily, Some(at)) => is_another_day(at, now),
    }
}

/// Takes or renews the lease of the pass. Returns false if another process has it.
async fn take_schedule(tx: &mut Tx<'_>, order: &PassOrder<'_>) -> Result<bool> {
    // A lease that ends later than a new one would was taken before a clock was set back.
    let take = query(
        "UPDATE @scheduler SET holder = ?1, held_until = ?3 WHERE id = 1 \
         AND (holder IS NULL OR holder = ?1 OR held_until <= ?2 OR held_until > ?3)",
    );
    let until = tx.now.plus(LEASE).micros();
    Ok(tx.run_quietly(take.bind(order.holder).bind(tx.now.micros()).bind(until)).await? > 0)
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
        by: BY,
    };
    let jobs: Vec<_> = documents.iter().zip(new.iter().map(|(_, run_at)| *run_at)).map(waits).collect();
    enqueue::insert(tx, &jobs, Live::Stays).await?;
    enqueue::keep_latest(tx, documents.iter().map(|document| document.id).collect()).await
}
