//! The plan of each account: from the settings or, on a Chatwoot database without plans in the settings, from
//! Chatwoot's own tables `accounts` and `installation_configs`.

use crate::domain::id::AccountId;
use crate::domain::plan::AccountPlan;
use crate::domain::schedule::{PassLimits, ScheduleSettings};
use crate::domain::time::Timestamp;
use crate::store::chatwoot;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{PlanSource, Plans, Result};
use std::collections::HashMap;

/// Number of documents whose statuses one transaction changes, if no account has more: about 20 ms on SQLite.
const STATUSES_PER_TRANSACTION: i64 = 2_000;

/// Reads the plans of all accounts that have documents.
pub(in crate::store) async fn read(db: &Database, terms: &ScheduleSettings) -> Result<Plans> {
    let mut reader = db.reader().await?;
    let accounts = accounts(&mut reader).await?;
    if !db.is_chatwoot_database() || !terms.plans.is_empty() {
        return Ok(Plans {
            source: PlanSource::Settings,
            accounts: accounts.into_iter().map(|account| terms.plans.of(account)).collect(),
            limits: terms.limits(PassLimits::default()),
            problems: Vec::new(),
        });
    }
    chatwoot::plans::read(&mut reader, accounts, terms).await
}

/// Returns the accounts that have documents, in id order. Costs one index lookup per account, however many documents it
/// has.
pub(in crate::store) async fn accounts(reader: &mut Reader) -> Result<Vec<AccountId>> {
    let statement = query(
        "WITH RECURSIVE found(id) AS (SELECT min(account_id) FROM captain_documents UNION ALL \
         SELECT (SELECT min(account_id) FROM captain_documents WHERE account_id > found.id) FROM found \
         WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL",
    );
    reader.all(statement).await?.iter().map(|row| Ok(AccountId(get(row, 0)?))).collect()
}

/// The stored plan of an account (`accounts_sched`), which status queries and claims read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct StoredPlan {
    account: i64,
    plan: Option<String>,
    cadence: Option<i64>,
    weight: i64,
    max_running: Option<i64>,
    /// Time until which automatic syncs wait, by the plan's window.
    opens_at: Option<i64>,
    at_rule: Option<String>,
    /// The window with its zone, if it has one.
    day_window: Option<String>,
}

/// Returns the plans in `accounts` that differ from the stored ones, in the form in which they are stored; usually
/// none.
pub(in crate::store) async fn changed_plans(
    db: &Database,
    accounts: &[AccountPlan],
    now: Timestamp,
) -> Result<Vec<StoredPlan>> {
    let statement = query(
        "SELECT account_id, plan, cadence, weight, max_running, opens_at, at_rule, day_window FROM @accounts_sched",
    );
    let mut known = HashMap::new();
    for row in db.reader().await?.all(statement).await? {
        let kept = StoredPlan {
            account: get(&row, "account_id")?,
            plan: get(&row, "plan")?,
            cadence: get(&row, "cadence")?,
            weight: get(&row, "weight")?,
            max_running: get(&row, "max_running")?,
            opens_at: get(&row, "opens_at")?,
            at_rule: get(&row, "at_rule")?,
            day_window: get(&row, "day_window")?,
        };
        known.insert(kept.account, kept);
    }
    let mut changed = Vec::new();
    for account in accounts {
        let id = account.account.0;
        let before = known.remove(&id).unwrap_or(StoredPlan { account: id, weight: 1, ..StoredPlan::default() });
        // Without a cadence an account's documents never become stale, as it should be while its automatic syncs are
        // off.
        let cadence = account.cadence.filter(|_| account.feature);
        // Where the source sets no weight, the stored weight and limit stay.
        let (weight, max_running) = match account.weight {
            Some(weight) => (i64::from(weight), account.max_running.map(i64::from)),
            None => (before.weight, before.max_running),
        };
        let after = StoredPlan {
            account: id,
            plan: account.name.as_ref().map(|name| name.as_str().to_owned()),
            cadence: cadence.map(|cadence| i64::try_from(cadence.interval().as_micros()).unwrap_or(i64::MAX)),
            weight,
            max_running,
            opens_at: account.opens_at(now).map(Timestamp::micros),
            at_rule: account.at.as_ref().map(ToString::to_string),
            day_window: account.between.as_ref().map(ToString::to_string),
        };
        if after != before {
            changed.push(after);
        }
    }
    Ok(changed)
}

/// Divides plans into groups, one for each transaction: a changed interval changes when each document of the account
/// becomes stale, and a transaction of many documents would make other writers wait.
pub(in crate::store) async fn in_steps(db: &Database, changed: Vec<StoredPlan>) -> Result<Vec<Vec<StoredPlan>>> {
    let mut documents = HashMap::new();
    if !changed.is_empty() {
        let counts =
            query("SELECT account_id, CAST(sum(documents) AS BIGINT) FROM @document_counts GROUP BY account_id");
        for row in db.reader().await?.all(counts).await? {
            documents.insert(get(&row, 0)?, get(&row, 1)?);
        }
    }
    Ok(grouped(changed, &documents))
}

/// Divides plans into groups of accounts that have at most [`STATUSES_PER_TRANSACTION`] documents together, or of one
/// account that has more. `documents` has the number of documents by account.
fn grouped(changed: Vec<StoredPlan>, documents: &HashMap<i64, i64>) -> Vec<Vec<StoredPlan>> {
    let mut groups: Vec<Vec<StoredPlan>> = Vec::new();
    let mut size = 0;
    for plan in changed {
        // The plan's own row counts as well: there may be many accounts without documents.
        let more = 1 + documents.get(&plan.account).copied().unwrap_or(0);
        size += more;
        match groups.last_mut() {
            Some(group) if size <= STATUSES_PER_TRANSACTION => group.push(plan),
            _ => {
                groups.push(vec![plan]);
                size = more;
            }
        }
    }
    groups
}

/// Stores changed plans.
pub(in crate::store) async fn store_plans(tx: &mut Tx<'_>, changed: &[StoredPlan]) -> Result<()> {
    for kept in changed {
        let upsert = query(
            "INSERT INTO @accounts_sched (account_id, plan, cadence, weight, max_running, opens_at, at_rule, day_window) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id) DO UPDATE SET plan = excluded.plan, \
             cadence = excluded.cadence, weight = excluded.weight, max_running = excluded.max_running, \
             opens_at = excluded.opens_at, at_rule = excluded.at_rule, day_window = excluded.day_window",
        );
        let upsert = upsert.bind(kept.account).bind(&kept.plan).bind(kept.cadence);
        let upsert = upsert.bind(kept.weight).bind(kept.max_running).bind(kept.opens_at);
        tx.run(upsert.bind(&kept.at_rule).bind(&kept.day_window)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_changes_few_documents_or_one_account() {
        let plan = |account| StoredPlan { account, cadence: Some(1), weight: 1, ..StoredPlan::default() };
        let documents = HashMap::from([(1, 1_500), (2, 400), (3, 200), (4, 9_000), (5, 1)]);
        let groups = grouped((1..=6).map(plan).collect(), &documents);
        let accounts: Vec<Vec<i64>> =
            groups.iter().map(|group| group.iter().map(|plan| plan.account).collect()).collect();
        assert_eq!(accounts, [vec![1, 2], vec![3], vec![4], vec![5, 6]]);
        assert!(grouped(Vec::new(), &documents).is_empty());
        let many = grouped((10..10_010).map(plan).collect(), &documents);
        assert_eq!(many.iter().map(Vec::len).collect::<Vec<_>>(), [2_000; 5]);
    }
}
