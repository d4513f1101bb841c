//! The scan of a pass for due documents, and a record of idle accounts. An account is idle if a scan found nothing due.
//! Passes skip it until its next synced document becomes due, but at most for a few minutes, so that other changes are
//! found.

use crate::domain::id::{AccountId, DocumentId};
use crate::domain::link::Link;
use crate::domain::plan::{AccountDecision, AccountPlan, Cadence};
use crate::domain::schedule::{DueRules, FOREIGN_SYNC_TIMEOUT, Pass, SkippedRow};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::schedule::due;
use crate::store::schedule::due::DueQuery;
use crate::store::sql::conn::Purpose;
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{PassMode, PassRequest, PassTrigger, Plans, Result, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longest time for which an idle account is skipped. Documents that are added, jobs that are dropped and rows that
/// another program writes in that time are found when it ends.
const MAX_IDLE: Duration = Duration::from_secs(300);
/// An idle account is skipped for at most its cadence divided by this.
const IDLE_CADENCE_DIVISOR: u32 = 20;

/// Accounts in which this process has found nothing due, each with the time of its next scan.
#[derive(Default)]
pub(in crate::store) struct IdleAccounts(Mutex<HashMap<AccountId, IdleSpan>>);

struct IdleSpan {
    cadence: Cadence,
    since: Timestamp,
    until: Timestamp,
}

impl IdleAccounts {
    /// Returns true if a periodic pass at `now` skips this account.
    fn is_idle(&self, account: AccountId, cadence: Cadence, now: Timestamp) -> bool {
        let idle_accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // An entry that lies in the future was made before the clock was set back, and does not count.
        idle_accounts.get(&account).is_some_and(|span| span.cadence == cadence && span.since <= now && now < span.until)
    }

    fn set(&self, account: AccountId, span: IdleSpan) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account, span);
    }
}

/// The state of a pass in progress.
pub(super) struct RunningPass<'a> {
    pub(super) order: &'a PassRequest<'a>,
    pub(super) plans: &'a Plans,
    /// Accounts that need no scan yet.
    pub(super) idle_accounts: &'a IdleAccounts,
    pub(super) now: Timestamp,
    /// The account that was served last; the next pass begins after it.
    pub(super) last_account: i64,
    /// Number of ready jobs, if they are too many for the pass to add any.
    pub(super) full_queue_depth: Option<u64>,
    pub(super) pass: Pass,
    /// Due documents that are found and not yet written as jobs, each with the longest delay of its job.
    pub(super) found: Vec<(DocumentId, Duration)>,
}

impl RunningPass<'_> {
    /// Returns the maximum number of documents that the next account may get, and the number that the pass's total
    /// limit still allows.
    pub(super) fn capacity(&self) -> (u32, u32) {
        let left = self.plans.limits.total.saturating_sub(self.pass.enqueued());
        let may = if self.full_queue_depth.is_some() { 0 } else { self.plans.limits.per_account.min(left) };
        (may, left)
    }
}

/// Returns true if a pass skips accounts that earlier passes found idle. Only a periodic pass over all plans by this
/// program's own rules does; a pass on a person's request scans every account.
fn skips_idle_accounts(order: &PassRequest<'_>) -> bool {
    matches!(order.trigger, PassTrigger::Interval(_))
        && order.only_plan.is_none()
        && order.mode == PassMode::Enqueue
        && order.terms.rules == DueRules::Continuous
}

/// Marks accounts as idle until their next synced document becomes due, or until `next_time` of their plan, within the limits of [`MAX_IDLE`] and
/// [`IDLE_CADENCE_DIVISOR`].
async fn mark_idle(
    db: &Database,
    idle_accounts: &IdleAccounts,
    accounts: &[AccountId],
    cadence: Cadence,
    next_time: Option<Timestamp>,
    now: Timestamp,
) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    let longest = now.plus(MAX_IDLE.min(cadence.interval() / IDLE_CADENCE_DIVISOR));
    if let Some(next_time) = next_time {
        for account in accounts {
            idle_accounts.set(*account, IdleSpan { cadence, since: now, until: longest.min(next_time) });
        }
        return Ok(());
    }
    let before = DueRules::Continuous.synced_before(cadence, now);
    let mut reader = db.reader().await?;
    let next = due::next_synced(&mut reader, accounts, before).await?;
    for account in accounts {
        let next = next.get(account).map(|synced_at| synced_at.plus(cadence.interval()));
        let until = next.map_or(longest, |next| next.min(longest));
        idle_accounts.set(*account, IdleSpan { cadence, since: now, until });
    }
    Ok(())
}

/// Accounts whose documents are due by the same rule.
struct Group {
    cadence: Cadence,
    /// For a plan with times: the last one and the next one.
    fired: Option<Timestamp>,
    next_time: Option<Timestamp>,
    accounts: Vec<AccountId>,
}

/// Returns the due documents of `accounts`, searched in groups of the same cadence. A periodic pass skips idle
/// accounts.
pub(super) async fn due(
    db: &Database,
    running: &mut RunningPass<'_>,
    accounts: &[&AccountPlan],
) -> Result<HashMap<AccountId, Vec<DocumentId>>> {
    let skips_idle = skips_idle_accounts(running.order);
    let mut groups = BTreeMap::<(Duration, Option<Timestamp>), Group>::new();
    for account in accounts {
        if let AccountDecision::Scheduled(cadence) = account.decision(running.pass.only.as_ref())
            && !(skips_idle && running.idle_accounts.is_idle(account.account, cadence, running.now))
        {
            let fired = account.at.as_ref().and_then(|at| at.last(running.now));
            let next_time = account.at.as_ref().and_then(|at| at.after(running.now));
            let new = Group { cadence, fired, next_time, accounts: Vec::new() };
            groups.entry((cadence.interval(), fired)).or_insert(new).accounts.push(account.account);
        }
    }
    let mut due = HashMap::new();
    for group in groups.into_values() {
        // One more than the limit shows whether there are more.
        let limit = running.capacity().0.saturating_add(1);
        due_of_group(db, running, &group, limit, &mut due).await?;
        if skips_idle {
            let idle = group.accounts.iter().filter(|id| due.get(id).is_none_or(Vec::is_empty));
            let idle: Vec<_> = idle.copied().collect();
            mark_idle(db, running.idle_accounts, &idle, group.cadence, group.next_time, running.now).await?;
        }
    }
    Ok(due)
}

/// Adds the due documents of a group to `due`. Documents whose link is not a valid address do
/// not count towards the limit; except in a dry run, they are marked.
async fn due_of_group(
    db: &Database,
    running: &mut RunningPass<'_>,
    group: &Group,
    limit: u32,
    due: &mut HashMap<AccountId, Vec<DocumentId>>,
) -> Result<()> {
    let foreign_sync_timeout = if db.is_chatwoot_database() { FOREIGN_SYNC_TIMEOUT } else { running.order.lease };
    let rules = running.order.terms.rules;
    let Group { cadence, fired, .. } = *group;
    let (accounts, now) = (group.accounts.clone(), running.now);
    let mut due_query = DueQuery { accounts, cadence, rules, fired, foreign_sync_timeout, now, limit };
    loop {
        let mut reader = db.reader().await?;
        let found = due::documents(&mut reader, &due_query).await?;
        drop(reader);
        due_query.accounts.clear();
        let (mut all_unfit, mut most_unfit) = (Vec::new(), 0);
        for (account, found) in found {
            let is_cut_off = found.len() >= due_query.limit as usize;
            let (mut fit, mut unfit) = (Vec::with_capacity(found.len()), 0);
            for one in found {
                let Err(error) = Link::parse(&one.link) else {
                    fit.push(one.id);
                    continue;
                };
                if !running.pass.skipped.iter().any(|row| row.document == one.id) {
                    let reason = SafeLine::new(&format!("its link is not a valid page URL: {error}"));
                    running.pass.skipped.push(SkippedRow { document: one.id, account, reason });
                }
                all_unfit.push(one.id);
                unfit += 1;
            }
            // Documents beyond the limit may replace those with invalid links, so the account is read again.
            if unfit > 0 && is_cut_off && fit.len() < limit as usize {
                due_query.accounts.push(account);
                most_unfit = most_unfit.max(unfit);
            } else {
                due.insert(account, fit);
            }
        }
        if !all_unfit.is_empty() && !running.pass.dry_run {
            // Marked in the store, so that the same rows do not come first in every pass.
            let mut tx = Tx::begin(db, Purpose::Rows).await?;
            mark_unfit(&mut tx, &all_unfit).await?;
            tx.commit().await?;
        }
        if due_query.accounts.is_empty() {
            return Ok(());
        }
        if running.pass.dry_run {
            // A dry run marks nothing, so it raises the limit to read past the documents with invalid links.
            due_query.limit = due_query.limit.saturating_add(most_unfit);
        }
    }
}

/// Marks documents whose link is not a valid address, which excludes them from passes until the link changes.
async fn mark_unfit(tx: &mut Tx<'_>, unfit: &[DocumentId]) -> Result<()> {
    let documents: Vec<Document> = documents::by_ids(tx, unfit).await?.into_values().collect();
    documents::ensure_states(tx, &documents).await?;
    let mark = query(
        "UPDATE @document_state SET unfit_link = (SELECT d.external_link FROM captain_documents d \
         WHERE d.id = document_state.document_id) WHERE document_id IN (SELECT each(?))",
    );
    let marked = tx.run(mark.bind(unfit.iter().map(|id| id.0).collect::<Vec<_>>())).await?;
    if marked == 0 {
        return Err(StoreError::Unavailable("the documents were removed".into()));
    }
    Ok(())
}
