//! Claiming: due jobs become ready, `choose` merges the lanes (the queues of one account, host, class and risk) in the
//! order of class and virtual time (a job's position in the fair order of accounts), and the chosen jobs are marked as
//! running.
//!
//! All jobs of a round are read and written together: on a server each statement is a round trip, and a claim blocks
//! every other change of the queue.

mod choose;
mod read;
mod write;

use crate::domain::content::PriorResponse;
use crate::domain::id::{AccountId, Token, WorkerId};
use crate::domain::job::QueueClass;
use crate::domain::site_rule::Unfetchable;
use crate::store::queue::apply::TransitionData;
use crate::store::queue::lanes::LaneKey;
use crate::store::queue::pauses::{CLASS_NOT_PAUSED, LANE_NOT_PAUSED, WINDOW_OPEN};
use crate::store::queue::{host_backoff, lanes, tries, unfetchable};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::attempts::{self, AttemptRow};
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use crate::store::{ClaimLimits, ClaimedJob, JobLease, Result, StoreError};
use choose::ClaimCapacity;
use read::ClaimRead;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use write::Claimer;

/// Maximum number of due jobs that one claim makes ready. The rest becomes ready in later claims, so that no
/// transaction blocks other writers for long.
const PROMOTION_LIMIT: i64 = 1_000;

/// Claims jobs for `worker`, which leaves out what it cannot fetch. `expects_work` is false if the last claim found nothing: a cheap read then comes first.
pub(in crate::store) async fn claim(
    db: &Database,
    worker: &WorkerId,
    limits: ClaimLimits,
    unfetchable: Arc<Unfetchable>,
    expects_work: bool,
) -> Result<Vec<ClaimedJob>> {
    if limits.slots == 0 || !expects_work && !is_work_waiting(db, &unfetchable).await? {
        return Ok(Vec::new());
    }
    let mut claim = Claim::new(worker, limits, &unfetchable);
    if let Some(mut tx) = Tx::optimistic(db).await? {
        let ended = claim.run(&mut tx).await;
        tx.publish();
        match ended {
            Ok(()) => return Ok(claim.claimed),
            // Another process changes the queue, or more has to be done than to claim jobs.
            Err(StoreError::Conflict) => {}
            // What was claimed before is claimed, so the caller must get it.
            Err(_) if !claim.claimed.is_empty() => return Ok(claim.claimed),
            Err(error) => return Err(error),
        }
    }
    let claimed_before = claim.claimed.len();
    let mut tx = Tx::begin_late(db, Purpose::Claim).await?;
    let mut run = claim.run(&mut tx).await;
    if let Err(StoreError::Conflict) = run {
        tx.abandon().await?;
        tx = Tx::begin(db, Purpose::Claim).await?;
        // Only SQLite has such conflicts, and it has no optimistic transactions that could have claimed something.
        claim = Claim::new(worker, limits, &unfetchable);
        run = claim.run(&mut tx).await;
    }
    let written = match run {
        Ok(()) => tx.commit().await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        claim.claimed.truncate(claimed_before);
        if claim.claimed.is_empty() {
            return Err(error);
        }
    }
    Ok(claim.claimed)
}

/// Returns true if a claim may find a job. Reads without the write lock, since most claims of an idle worker find
/// nothing.
async fn is_work_waiting(db: &Database, unfetchable: &Unfetchable) -> Result<bool> {
    db.ensure_writable()?;
    let mut reader = db.reader().await?;
    let mut statement = Sql::default();
    statement.add_value(db.now().micros());
    statement.push(
        "SELECT EXISTS (SELECT 1 FROM @lanes n LEFT JOIN @hosts_sched h ON h.host = n.host \
          WHERE coalesce(h.held_until, 0) <= ?1 AND coalesce(h.spaced_until, 0) <= ?1 AND ",
    );
    statement.push(CLASS_NOT_PAUSED).push(" AND ").push(LANE_NOT_PAUSED).push(" AND ").push(WINDOW_OPEN);
    unfetchable::push_hosts(&mut statement, unfetchable);
    statement.push(") OR EXISTS (SELECT 1 FROM @jobs WHERE state = 'scheduled' AND run_at <= ?1)");
    get(&reader.one(statement.query()).await?, 0)
}

/// A claim in progress.
struct Claim<'a> {
    worker: &'a WorkerId,
    limits: ClaimLimits,
    budget: ClaimCapacity,
    claimed: Vec<ClaimedJob>,
}

impl<'a> Claim<'a> {
    /// Creates a claim that has nothing yet.
    fn new(worker: &'a WorkerId, limits: ClaimLimits, unfetchable: &Arc<Unfetchable>) -> Self {
        let budget = ClaimCapacity {
            slots: limits.slots as usize,
            per_host: i64::from(limits.per_host),
            per_account: limits.per_account.map_or(i64::MAX, i64::from),
            spacing: Some(limits.host_interval).filter(|interval| !interval.is_zero()),
            spaced_hosts: BTreeSet::new(),
            may_take_risky: true,
            unfetchable: Arc::clone(unfetchable),
            passed_over: 0,
            served_vtime: [0; 3],
        };
        Self { worker, limits, budget, claimed: Vec::new() }
    }

    /// Claims in rounds until no slot is free or no job can be claimed. Slots may be left after a round, because a limit
    /// was reached or a chosen job ended at once; lanes that the round did not read may fill them. In an optimistic
    /// transaction each round is committed by itself.
    async fn run(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let mut read = read::read(tx, self.worker, &self.budget).await?;
        if read.context.has_due {
            tx.ensure_locks()?;
            promote_due(tx).await?;
            read = read::read(tx, self.worker, &self.budget).await?;
        }
        self.budget.may_take_risky = !read.context.runs_risky;
        let passed_over = read.context.passed_over;
        self.budget.passed_over = passed_over;
        let claimed_before = self.claimed.len();
        while self.round(tx, read).await? && self.budget.slots > 0 {
            read = read::read(tx, self.worker, &self.budget).await?;
        }
        let has_moved = self.claimed.len() > claimed_before || self.budget.passed_over != passed_over;
        if has_moved && tx.dialect() == Dialect::Sqlite {
            self.write_clocks(tx).await?;
        }
        match self.budget.spacing {
            Some(interval) if has_moved => host_backoff::write_spacing(tx, &self.budget.spaced_hosts, interval).await,
            _ => Ok(()),
        }
    }

    /// Claims jobs from the lanes in one round. Returns true if another round may find more.
    async fn round(&mut self, tx: &mut Tx<'_>, read: ClaimRead) -> Result<bool> {
        let ClaimRead { context, servable, mut attempts } = read;
        if self.budget.spacing.is_some() {
            // The spacing of hosts is written by statements of its own.
            tx.ensure_locks()?;
        }
        let passed_over = self.budget.passed_over;
        let mut choice = choose::choose(servable, &mut self.budget);
        if choice.jobs.is_empty() && choice.emptied_lanes.is_empty() && self.budget.passed_over == passed_over {
            return Ok(choice.more_possible);
        }
        if tx.dialect() == Dialect::Sqlite && !choice.jobs.is_empty() {
            attempts = attempts::lock(tx, choice.jobs.iter().map(|id| id.0).collect()).await?;
        }
        let (mut taken, mut documents) = (Vec::new(), Vec::new());
        for AttemptRow { job, document, .. } in choice.jobs.iter().filter_map(|id| attempts.remove(id)) {
            match tries::document_to_sync(tx, &job, document, TransitionData::default()).await? {
                Some(document) => {
                    taken.push(job);
                    documents.push(document);
                }
                // The job has ended, and its slot is free for another one.
                None => choice.more_possible = true,
            }
        }
        documents::ensure_states(tx, &documents).await?;
        for row in &taken {
            let served = match row.job.class {
                QueueClass::Manual => 0,
                QueueClass::Retry => 1,
                QueueClass::Auto => 2,
            };
            self.budget.served_vtime[served] = row.vtime.max(self.budget.served_vtime[served]);
        }
        let claimer = Claimer { worker: self.worker, name: &context.name, version: context.version };
        let tokens = write::write(tx, &claimer, &taken, &choice, self.limits, &self.budget).await?;
        for (row, document) in taken.iter().zip(&documents) {
            let Some(token) = tokens.get(&row.job.id) else { continue };
            self.claimed.push(claimed_job(tx, row, document, *token));
            self.budget.slots = self.budget.slots.saturating_sub(1);
            self.budget.may_take_risky &= !row.job.counters.runs_alone();
            if self.budget.spacing.is_some() {
                self.budget.spaced_hosts.insert(row.host.clone());
            }
        }
        Ok(choice.more_possible)
    }

    /// Advances the virtual clock of each class.
    async fn write_clocks(&self, tx: &mut Tx<'_>) -> Result<()> {
        let [manual, retry, auto] = self.budget.served_vtime;
        let clocks = query(
            "UPDATE @sched_clock SET passed_over = ?1, \
             vclock_manual = CASE WHEN vclock_manual < ?2 THEN ?2 ELSE vclock_manual END, \
             vclock_retry = CASE WHEN vclock_retry < ?3 THEN ?3 ELSE vclock_retry END, \
             vclock_auto = CASE WHEN vclock_auto < ?4 THEN ?4 ELSE vclock_auto END WHERE id = 1",
        );
        tx.run(clocks.bind(self.budget.passed_over).bind(manual).bind(retry).bind(auto)).await?;
        Ok(())
    }
}

/// Returns a claimed job in the form in which its worker gets it.
fn claimed_job(tx: &Tx<'_>, row: &JobRow, document: &Document, token: i64) -> ClaimedJob {
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
        fetched_whole_at: document.fetched_whole_at(),
        host_template: document.host_template,
        started_at: tx.now,
    }
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
