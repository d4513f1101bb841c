//! Which plan each account has: by the settings, or by Chatwoot's own tables on its database (upstream.md 5.2).

use crate::chatwoot::settings::{ChatwootSettings, FEATURE_BIT, NAMES};
use crate::domain::id::AccountId;
use crate::domain::plan::AccountPlan;
use crate::domain::schedule::{PassLimits, Terms};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{PlanSource, Plans, Result, StoreError};
use std::collections::HashMap;

/// What Chatwoot's tables let themselves be asked for.
struct Readable {
    plan_name: bool,
    feature: bool,
    settings: bool,
}

/// Reads the plans of all accounts that have documents.
pub(in crate::store) async fn read(db: &Database, terms: &Terms) -> Result<Plans> {
    let mut reader = db.reader().await?;
    let accounts = accounts(&mut reader).await?;
    if !db.is_chatwoots() || !terms.plans.is_empty() {
        return Ok(Plans {
            source: PlanSource::Settings,
            accounts: accounts.into_iter().map(|account| terms.plans.of(account)).collect(),
            limits: terms.limits(PassLimits::default()),
            troubles: Vec::new(),
        });
    }
    let mut troubles = Vec::new();
    let readable = readable(&mut reader, &mut troubles).await?;
    let installation = if readable.settings { settings(&mut reader).await? } else { ChatwootSettings::default() };
    let known =
        if readable.plan_name && readable.feature { chatwoots(&mut reader, &accounts).await? } else { HashMap::new() };
    let of = |account: AccountId| {
        let (name, feature) = known.get(&account.0).map_or((None, false), |(name, on)| (name.as_deref(), *on));
        installation.of(account, name, feature)
    };
    Ok(Plans {
        source: PlanSource::Chatwoot,
        accounts: accounts.into_iter().map(of).collect(),
        limits: terms.limits(installation.limits()),
        troubles,
    })
}

/// The accounts that have documents. Each step is one look into an index, however many documents an account has.
pub(in crate::store) async fn accounts(reader: &mut Reader) -> Result<Vec<AccountId>> {
    let statement = query(
        "WITH RECURSIVE found(id) AS (SELECT min(account_id) FROM captain_documents UNION ALL \
         SELECT (SELECT min(account_id) FROM captain_documents WHERE account_id > found.id) FROM found \
         WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL",
    );
    reader.all(statement).await?.iter().map(|row| Ok(AccountId(get(row, 0)?))).collect()
}

/// Looks which of Chatwoot's columns are there and may be read; what is not is said.
async fn readable(reader: &mut Reader, troubles: &mut Vec<String>) -> Result<Readable> {
    let statement = query(
        "SELECT t.name, t.field, to_regclass(t.name) IS NOT NULL AS there, a.attname IS NOT NULL AS has, \
         coalesce(has_table_privilege(to_regclass(t.name), 'SELECT'), false) AS may \
         FROM (VALUES ('accounts', 'custom_attributes'), ('accounts', 'feature_flags'), \
          ('installation_configs', 'serialized_value')) AS t(name, field) \
         LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attname = t.field AND NOT a.attisdropped",
    );
    let mut readable = Readable { plan_name: false, feature: false, settings: false };
    for row in reader.all(statement).await? {
        let (table, field): (String, String) = (get(&row, "name")?, get(&row, "field")?);
        let (there, has, may): (bool, bool, bool) = (get(&row, "there")?, get(&row, "has")?, get(&row, "may")?);
        match (there, has, may) {
            (false, ..) => troubles.push(format!(
                "there is no table {table}, so Chatwoot's plans are not known; set plans up under [plans]"
            )),
            (true, false, _) => troubles.push(format!(
                "{table} has no column {field}, so Chatwoot's plans are not known; set plans up under [plans]"
            )),
            (true, true, false) => {
                troubles.push(format!(
                    "this role may not read {table}; GRANT SELECT ON {table} to it, or set plans up under [plans]"
                ));
            }
            (true, true, true) => match field.as_str() {
                "custom_attributes" => readable.plan_name = true,
                "feature_flags" => readable.feature = true,
                _ => readable.settings = true,
            },
        }
    }
    troubles.dedup();
    Ok(readable)
}

async fn settings(reader: &mut Reader) -> Result<ChatwootSettings> {
    let statement = query(
        "SELECT name::text AS name, serialized_value::text AS value FROM installation_configs \
         WHERE name IN (?, ?, ?, ?, ?) AND serialized_value IS NOT NULL",
    );
    let statement = NAMES.iter().fold(statement, |statement, name| statement.bind(*name));
    let rows = reader.all(statement).await?;
    let rows: Vec<(String, String)> =
        rows.iter().map(|row| Ok((get(row, "name")?, get(row, "value")?))).collect::<Result<_>>()?;
    Ok(ChatwootSettings::read(rows.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
}

/// Plan names and feature bits, by account.
async fn chatwoots(reader: &mut Reader, accounts: &[AccountId]) -> Result<HashMap<i64, (Option<String>, bool)>> {
    let statement = query(
        "SELECT id::bigint AS id, custom_attributes ->> 'plan_name' AS plan, \
         (coalesce(feature_flags, 0)::bigint & ?) <> 0 AS feature FROM accounts WHERE id IN (SELECT each(?))",
    );
    let ids: Vec<i64> = accounts.iter().map(|account| account.0).collect();
    let rows = match reader.all(statement.bind(FEATURE_BIT).bind(ids)).await {
        // Types that no Chatwoot has had: said by whoever asks, not a reason to end.
        Err(StoreError::Corrupt(_)) => return Ok(HashMap::new()),
        rows => rows?,
    };
    rows.iter().map(|row| Ok((get(row, "id")?, (get(row, "plan")?, get(row, "feature")?)))).collect()
}

/// What stands of an account where the status and the claim find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) struct Kept {
    account: i64,
    plan: Option<String>,
    cadence: Option<i64>,
    weight: i64,
    max_running: Option<i64>,
}

/// What has to be written for these accounts; most of the time nothing.
pub(in crate::store) async fn changed(db: &Database, accounts: &[AccountPlan]) -> Result<Vec<Kept>> {
    let statement = query("SELECT account_id, plan, cadence, weight, max_running FROM @accounts_sched");
    let mut known = HashMap::new();
    for row in db.reader().await?.all(statement).await? {
        let kept = Kept {
            account: get(&row, "account_id")?,
            plan: get(&row, "plan")?,
            cadence: get(&row, "cadence")?,
            weight: get(&row, "weight")?,
            max_running: get(&row, "max_running")?,
        };
        known.insert(kept.account, kept);
    }
    let mut changed = Vec::new();
    for account in accounts {
        let id = account.account.0;
        let nothing = Kept { account: id, plan: None, cadence: None, weight: 1, max_running: None };
        let before = known.remove(&id).unwrap_or(nothing);
        // An account for which automatic syncs are off is never stale.
        let cadence = account.cadence.filter(|_| account.feature);
        // Where the source says nothing of shares, whatever stands stays.
        let (weight, max_running) = match account.weight {
            Some(weight) => (i64::from(weight), account.max_running.map(i64::from)),
            None => (before.weight, before.max_running),
        };
        let now = Kept {
            account: id,
            plan: account.name.as_ref().map(|name| name.as_str().to_owned()),
            cadence: cadence.map(|cadence| i64::try_from(cadence.every().as_micros()).unwrap_or(i64::MAX)),
            weight,
            max_running,
        };
        if now != before {
            changed.push(now);
        }
    }
    Ok(changed)
}

/// Keeps what the accounts have.
pub(in crate::store) async fn keep(tx: &mut Tx<'_>, changed: &[Kept]) -> Result<()> {
    for kept in changed {
        let upsert = query(
            "INSERT INTO @accounts_sched (account_id, plan, cadence, weight, max_running) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT (account_id) DO UPDATE SET plan = excluded.plan, cadence = excluded.cadence, \
             weight = excluded.weight, max_running = excluded.max_running",
        );
        let upsert = upsert.bind(kept.account).bind(&kept.plan).bind(kept.cadence);
        tx.run(upsert.bind(kept.weight).bind(kept.max_running)).await?;
    }
    Ok(())
}
