//! A pass of the schedule: due documents become jobs that wait for their drawn time. One process acts at a time, under
//! a lease in the database; the next pass goes on after the account that was served last, so that a limit that is used
//! up never falls on the same accounts.

use crate::chatwoot::schedule::plans_of_day;
use crate::domain::id::DocumentId;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::plan::{AccountPlan, Cadence, PlanName, Verdict};
use crate::domain::schedule::{AccountPass, DueRules, Pass, StoppedBy, Terms, draw, is_another_day, jitter};
use crate::domain::time::Timestamp;
use crate::store::queue::enqueue::{Live, NewJob};
use crate::store::schedule::plans::Plans;
use crate::store::sql::conn::get;
use crate::store::sql::rows::Document;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::{Purpose, Tx};
use crate::store::sql_store::SqlStore;
use crate::store::{Result, StoreError};
use std::time::Duration;

/// Jobs in one transaction.
const CHUNK: usize = 250;
/// Accounts that are looked at together: few enough that what one pass may not take is seldom read.
const LOOKED_AT: usize = 100;
/// How long a pass stands without a sign of life.
const LEASE: Duration = Duration::from_secs(30);
/// Who asks, in the outcomes.
const BY: &str = "schedule";

/// When a pass is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now,
    /// Unless one was made by anybody within this span.
    Every(Duration),
    /// On the first look of a day, UTC, for the plans of that day, as Chatwoot's trigger does it.
    Daily,
}

/// What a pass does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassMode {
    /// Puts it in the queue.
    Act,
    /// Keeps the plans, by which the status is told; schedules nothing.
    PlansOnly,
    /// Writes nothing.
    DryRun,
}

/// A pass that is asked for.
#[derive(Clone, Debug)]
pub struct PassOrder<'a> {
    /// The settings.
    pub terms: &'a Terms,
    /// For one plan alone.
    pub only: Option<&'a PlanName>,
    /// When.
    pub when: When,
    /// What it does.
    pub mode: PassMode,
    /// Who makes it; no two processes have the same.
    pub holder: &'a str,
    /// A `syncing` row of our own store that has no job is a leftover after this; on a database of Chatwoot, where it
    /// may be Chatwoot's, it is left for two hours.
    pub lease: Duration,
    /// What the times are drawn from.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassAnswer {
    /// Made; one for each plan of the day when it was a daily one. With what could not be read of the plans.
    Made(Vec<Pass>, Vec<String>),
    /// Not the time for it.
    NotYet,
    /// Another process is at it.
    Held,
}

/// A pass on its way.
pub(super) struct Running<'a> {
    pub(super) order: &'a PassOrder<'a>,
    pub(super) plans: &'a Plans,
    pub(super) now: Timestamp,
    /// The account after which the next pass begins.
    pub(super) last_account: i64,
    /// Whether the queue takes anything.
    pub(super) is_full: Option<u64>,
    pub(super) pass: Pass,
    /// Found and not yet written.
    pub(super) found: Vec<(DocumentId, Cadence)>,
}

impl Running<'_> {
    /// How many documents the next account may have, and how many the pass.
    pub(super) fn may(&self) -> (u32, u32) {
        let left = self.plans.limits.total.saturating_sub(self.pass.enqueued());
        let may = if self.is_full.is_some() { 0 } else { self.plans.limits.per_account.min(left) };
        (may, left)
    }
}

impl SqlStore {
    pub(in crate::store) async fn make_pass(&self, order: &PassOrder<'_>) -> Result<PassAnswer> {
        let dry_run = order.mode == PassMode::DryRun;
        if !dry_run {
            self.writable()?;
        }
        let last = self.last_pass().await?;
        let now = self.clock.now();
        if !is_time(order, last.passed_at, now) {
            return Ok(PassAnswer::NotYet);
        }
        let plans = self.read_plans(order.terms).await?;
        let acts = order.mode != PassMode::PlansOnly;
        let changed = self.changed_plans(&plans.accounts).await?;
        let looks = plans.accounts.iter().any(|account| matches!(account.verdict(None), Verdict::Looked(_)));
        if changed.is_empty() && !(acts && looks) && matches!(order.when, When::Every(_)) {
            // Nothing to write, and nobody to be woken for it.
            return Ok(PassAnswer::Made(Vec::new(), plans.troubles));
        }
        if !dry_run {
            let mut tx = self.begin(Purpose::Rows).await?;
            if !tx.take_schedule(order).await? {
                return Ok(PassAnswer::Held);
            }
            tx.keep_plans(&changed).await?;
            tx.commit().await?;
        }
        let mut passes = Vec::new();
        let mut last_account = last.account;
        let onlys: Vec<Option<PlanName>> = match (order.when, last.passed_at) {
            // The first look of all is not a day's first.
            (When::Daily, None) => Vec::new(),
            (When::Daily, Some(_)) => plans_of_day(now).into_iter().map(Some).collect(),
            _ => vec![order.only.cloned()],
        };
        for only in onlys.into_iter().filter(|_| acts) {
            let pass = Pass { only, limits: plans.limits, dry_run, ..Pass::default() };
            let is_full = self.queue_is_full(plans.limits.queue_depth).await?;
            let mut running = Running { order, plans: &plans, now, last_account, is_full, pass, found: Vec::new() };
            if !self.serve(&mut running).await? {
                return Ok(PassAnswer::Held);
            }
            last_account = running.last_account;
            passes.push(running.pass);
        }
        if !dry_run {
            let mut tx = self.begin(Purpose::Rows).await?;
            let done = query(
                "UPDATE @scheduler SET holder = NULL, held_until = 0, passed_at = coalesce(?, passed_at), \
                 last_account = ? WHERE id = 1 AND holder = ?",
            );
            // What a person does now does not take the place of the pass that is due.
            let passed_at = (acts && order.when != When::Now).then_some(now.micros());
            tx.run_quietly(done.bind(passed_at).bind(last_account).bind(order.holder)).await?;
            tx.commit().await?;
        }
        Ok(PassAnswer::Made(passes, plans.troubles))
    }

    /// Goes through the accounts, from after the last one served. Whether the lease stood all the time.
    async fn serve(&self, running: &mut Running<'_>) -> Result<bool> {
        let plans = running.plans;
        let start = plans.accounts.partition_point(|account| account.account.0 <= running.last_account);
        let (before, after) = plans.accounts.split_at(start);
        running.pass.held_back = running.is_full;
        let accounts: Vec<&AccountPlan> = after.iter().chain(before).collect();
        for some in accounts.chunks(LOOKED_AT) {
            let mut due = self.look_at(running, some).await?;
            for account in some {
                self.serve_account(running, account, due.remove(&account.account).unwrap_or_default());
                if running.found.len() >= CHUNK && !self.write_found(running).await? {
                    return Ok(false);
                }
            }
        }
        self.write_found(running).await
    }

    /// Takes of the due documents of an account what may be taken.
    fn serve_account(&self, running: &mut Running<'_>, account: &AccountPlan, mut due: Vec<DocumentId>) {
        let limits = running.plans.limits;
        let verdict = account.verdict(running.pass.only.as_ref());
        let mut served = AccountPass {
            account: account.account,
            plan: account.name.clone(),
            verdict,
            enqueued: 0,
            stopped_by: None,
        };
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
            // One that the pass's own limit has cut short is the next pass's first.
            if served.enqueued > 0 && served.stopped_by != Some(StoppedBy::TotalLimit) {
                running.last_account = account.account.0;
            }
        }
        running.pass.accounts.push(served);
    }

    /// Writes what was found; whether the lease stood.
    async fn write_found(&self, running: &mut Running<'_>) -> Result<bool> {
        let mut found = std::mem::take(&mut running.found);
        if found.is_empty() || running.pass.dry_run {
            return Ok(true);
        }
        found.sort_by_key(|(document, _)| *document);
        for some in found.chunks(CHUNK) {
            let mut tx = self.begin(Purpose::Queue).await?;
            if !tx.take_schedule(running.order).await? {
                return Ok(false);
            }
            let ids: Vec<DocumentId> = some.iter().map(|(id, _)| *id).collect();
            tx.lock_documents(&ids).await?;
            let mut documents = tx.documents(&ids).await?;
            let live = tx.live_jobs(&ids).await?;
            let rules: DueRules = running.order.terms.rules;
            let mut new = Vec::with_capacity(some.len());
            for (id, cadence) in some {
                let Some(document) = documents.remove(id).filter(|_| !live.contains_key(id)) else { continue };
                new.push((document, tx.now.plus(draw(running.order.seed, *id, jitter(rules, *cadence)))));
            }
            tx.insert_scheduled(&new).await?;
            tx.commit().await?;
            self.give_way().await;
        }
        Ok(true)
    }

    /// How deep the queue is, when it is deeper than `depth`.
    async fn queue_is_full(&self, depth: u32) -> Result<Option<u64>> {
        let mut reader = self.reader().await?;
        let ready: i64 = get(&reader.one(query("SELECT count(*) FROM @jobs WHERE state = 'ready'")).await?, 0)?;
        Ok(u64::try_from(ready).ok().filter(|ready| *ready > u64::from(depth)))
    }

    async fn last_pass(&self) -> Result<LastPass> {
        let mut reader = self.reader().await?;
        let row = reader.one(query("SELECT last_account, passed_at FROM @scheduler WHERE id = 1")).await?;
        Ok(LastPass {
            account: get(&row, "last_account")?,
            passed_at: get::<Option<i64>>(&row, "passed_at")?.map(Timestamp::from_micros),
        })
    }
}

/// What the last pass has left.
struct LastPass {
    account: i64,
    passed_at: Option<Timestamp>,
}

fn is_time(order: &PassOrder<'_>, passed_at: Option<Timestamp>, now: Timestamp) -> bool {
    match (order.when, passed_at) {
        // Of a first look at all it is remembered that it was.
        (When::Now, _) | (When::Every(_) | When::Daily, None) => true,
        // A pass in the future was made before a clock was set back.
        (When::Every(span), Some(at)) => at > now || now.since(at) >= span,
        (When::Daily, Some(at)) => is_another_day(at, now),
    }
}

impl Tx<'_> {
    /// Takes the lease, or renews it; whether nobody else has it.
    async fn take_schedule(&mut self, order: &PassOrder<'_>) -> Result<bool> {
        // A lease that ends later than one can was taken before a clock was set back.
        let take = query(
            "UPDATE @scheduler SET holder = ?1, held_until = ?3 WHERE id = 1 \
             AND (holder IS NULL OR holder = ?1 OR held_until <= ?2 OR held_until > ?3)",
        );
        let until = self.now.plus(LEASE).micros();
        Ok(self.run_quietly(take.bind(order.holder).bind(self.now.micros()).bind(until)).await? > 0)
    }

    /// Puts jobs in the queue that wait for their times; whoever has got a live job in the meantime is left alone.
    async fn insert_scheduled(&mut self, new: &[(Document, Timestamp)]) -> Result<()> {
        let documents: Vec<Document> = new.iter().map(|(document, _)| document.clone()).collect();
        self.ensure_states(&documents).await?;
        let waits = |(document, run_at)| NewJob {
            document,
            class: QueueClass::Auto,
            state: JobState::Scheduled,
            run_at,
            vtime: 0,
            by: BY,
        };
        let jobs: Vec<_> = documents.iter().zip(new.iter().map(|(_, run_at)| *run_at)).map(waits).collect();
        self.insert_rows(&jobs, Live::Stays).await?;
        self.keep_latest(documents.iter().map(|document| document.id).collect()).await
    }

    pub(super) async fn put_aside(&mut self, unfit: &[DocumentId]) -> Result<()> {
        let documents: Vec<Document> = self.documents(unfit).await?.into_values().collect();
        self.ensure_states(&documents).await?;
        let mark = query(
            "UPDATE @document_state SET unfit_link = (SELECT d.external_link FROM captain_documents d \
             WHERE d.id = document_state.document_id) WHERE document_id IN (SELECT each(?))",
        );
        let marked = self.run(mark.bind(unfit.iter().map(|id| id.0).collect::<Vec<_>>())).await?;
        if marked == 0 {
            return Err(StoreError::Unavailable("the documents are gone".into()));
        }
        Ok(())
    }
}
