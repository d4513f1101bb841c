//! The looks of a pass at what is due, and which accounts need none: where nothing was found, nothing can be due before
//! the first of the synced documents is, and everything else is no matter of seconds.

use crate::domain::id::{AccountId, DocumentId};
use crate::domain::link::Link;
use crate::domain::plan::{AccountPlan, Cadence, Verdict};
use crate::domain::schedule::{DueRules, LEFT_TO_OTHERS, Pass, SkippedRow};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::schedule::due;
use crate::store::schedule::due::Look;
use crate::store::sql::conn::Purpose;
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{PassMode, PassOrder, Plans, Result, StoreError, When};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// No account is left without a look for longer: documents that are added, jobs that are dropped and rows that another
/// program writes are seen then.
const LONGEST_REST: Duration = Duration::from_secs(300);
/// Nor for a larger part of its cadence.
const REST_PART: u32 = 20;

/// Accounts with nothing due, as this process saw them last.
#[derive(Default)]
pub(in crate::store) struct Rests(Mutex<HashMap<AccountId, Rest>>);

struct Rest {
    cadence: Cadence,
    since: Timestamp,
    until: Timestamp,
}

impl Rests {
    /// Whether nothing of this account can be due yet.
    fn is_resting(&self, account: AccountId, cadence: Cadence, now: Timestamp) -> bool {
        let rests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back is believed, not the memory.
        rests.get(&account).is_some_and(|rest| rest.cadence == cadence && rest.since <= now && now < rest.until)
    }

    fn set(&self, account: AccountId, rest: Rest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account, rest);
    }
}

/// A pass on its way.
pub(super) struct Running<'a> {
    pub(super) order: &'a PassOrder<'a>,
    pub(super) plans: &'a Plans,
    /// Accounts that need no look yet.
    pub(super) rests: &'a Rests,
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

/// Whether a pass goes by what passes before it saw: one that comes every few seconds does, what a person asks for
/// looks at everything.
fn remembers(order: &PassOrder<'_>) -> bool {
    matches!(order.when, When::Every(_))
        && order.only.is_none()
        && order.mode == PassMode::Act
        && order.terms.rules == DueRules::Continuous
}

/// These accounts have nothing due: until when that is certain enough.
async fn let_rest(
    db: &Database,
    rests: &Rests,
    accounts: &[AccountId],
    cadence: Cadence,
    now: Timestamp,
) -> Result<()> {
    if accounts.is_empty() {
        return Ok(());
    }
    let longest = now.plus(LONGEST_REST.min(cadence.every() / REST_PART));
    let before = DueRules::Continuous.synced_before(cadence, now);
    let mut reader = db.reader().await?;
    let next = due::next_synced(&mut reader, accounts, before).await?;
    for account in accounts {
        let next = next.get(account).map(|synced_at| synced_at.plus(cadence.every()));
        let until = next.map_or(longest, |next| next.min(longest));
        rests.set(*account, Rest { cadence, since: now, until });
    }
    Ok(())
}

/// Due documents of some accounts, those of the same cadence together.
pub(super) async fn due(
    db: &Database,
    running: &mut Running<'_>,
    accounts: &[&AccountPlan],
) -> Result<HashMap<AccountId, Vec<DocumentId>>> {
    let remembers = remembers(running.order);
    let mut groups = BTreeMap::<Duration, (Cadence, Vec<AccountId>)>::new();
    for account in accounts {
        if let Verdict::Looked(cadence) = account.verdict(running.pass.only.as_ref())
            && !(remembers && running.rests.is_resting(account.account, cadence, running.now))
        {
            groups.entry(cadence.every()).or_insert((cadence, Vec::new())).1.push(account.account);
        }
    }
    let mut due = HashMap::new();
    for (cadence, accounts) in groups.into_values() {
        // One more than may be: whether there is more is worth knowing.
        let limit = running.may().0.saturating_add(1);
        due_with(db, running, accounts.clone(), cadence, limit, &mut due).await?;
        if remembers {
            let idle: Vec<_> = accounts.into_iter().filter(|id| due.get(id).is_none_or(Vec::is_empty)).collect();
            let_rest(db, running.rests, &idle, cadence, running.now).await?;
        }
    }
    Ok(due)
}

/// Due documents of accounts; links that are no page's address are put aside without using up a limit.
async fn due_with(
    db: &Database,
    running: &mut Running<'_>,
    accounts: Vec<AccountId>,
    cadence: Cadence,
    limit: u32,
    due: &mut HashMap<AccountId, Vec<DocumentId>>,
) -> Result<()> {
    let left_to_others = if db.is_chatwoots() { LEFT_TO_OTHERS } else { running.order.lease };
    let rules = running.order.terms.rules;
    let mut look = Look { accounts, cadence, rules, left_to_others, now: running.now, limit };
    loop {
        let mut reader = db.reader().await?;
        let found = due::documents(&mut reader, &look).await?;
        drop(reader);
        look.accounts.clear();
        let (mut all_unfit, mut most_unfit) = (Vec::new(), 0);
        for (account, found) in found {
            let is_cut_off = found.len() >= look.limit as usize;
            let (mut fit, mut unfit) = (Vec::with_capacity(found.len()), 0);
            for one in found {
                let Err(error) = Link::parse(&one.link) else {
                    fit.push(one.id);
                    continue;
                };
                if !running.pass.skipped.iter().any(|row| row.document == one.id) {
                    let reason = SafeLine::new(&format!("its link is no page's address: {error}"));
                    running.pass.skipped.push(SkippedRow { document: one.id, account, reason });
                }
                all_unfit.push(one.id);
                unfit += 1;
            }
            // Some of what was cut off may stand in the place of the unfit.
            if unfit > 0 && is_cut_off && fit.len() < limit as usize {
                look.accounts.push(account);
                most_unfit = most_unfit.max(unfit);
            } else {
                due.insert(account, fit);
            }
        }
        if !all_unfit.is_empty() && !running.pass.dry_run {
            // Put aside for good, so that the same rows do not stand at the head of every pass.
            let mut tx = Tx::begin(db, Purpose::Rows).await?;
            put_aside(&mut tx, &all_unfit).await?;
            tx.commit().await?;
        }
        if look.accounts.is_empty() {
            return Ok(());
        }
        if running.pass.dry_run {
            // Looked past instead.
            look.limit = look.limit.saturating_add(most_unfit);
        }
    }
}

/// Puts documents aside whose link is no page's address, until the link is another one.
async fn put_aside(tx: &mut Tx<'_>, unfit: &[DocumentId]) -> Result<()> {
    let documents: Vec<Document> = documents::by_ids(tx, unfit).await?.into_values().collect();
    documents::ensure_states(tx, &documents).await?;
    let mark = query(
        "UPDATE @document_state SET unfit_link = (SELECT d.external_link FROM captain_documents d \
         WHERE d.id = document_state.document_id) WHERE document_id IN (SELECT each(?))",
    );
    let marked = tx.run(mark.bind(unfit.iter().map(|id| id.0).collect::<Vec<_>>())).await?;
    if marked == 0 {
        return Err(StoreError::Unavailable("the documents are gone".into()));
    }
    Ok(())
}
