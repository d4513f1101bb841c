//! Plans of accounts from Chatwoot's own tables `accounts` and `installation_configs`.

use crate::chatwoot::settings::{ChatwootSettings, FEATURE_BIT, NAMES};
use crate::domain::id::AccountId;
use crate::domain::plan::AccountPlan;
use crate::domain::schedule::ScheduleSettings;
use crate::store::sql::conn::get;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::{PlanSource, Plans, Result, StoreError};
use std::collections::HashMap;

/// Readability of three columns of Chatwoot's tables; each field is true if its column exists and this role may read
/// it.
struct Readable {
    plan_name: bool,
    feature: bool,
    settings: bool,
}

/// Reads the plans of `accounts` from Chatwoot's tables; limits that `terms` sets take precedence over Chatwoot's.
pub(in crate::store) async fn read(
    reader: &mut Reader,
    accounts: Vec<AccountId>,
    terms: &ScheduleSettings,
) -> Result<Plans> {
    let mut problems = Vec::new();
    let readable = readable(reader, &mut problems).await?;
    let installation = if readable.settings { settings(reader).await? } else { ChatwootSettings::default() };
    let known =
        if readable.plan_name && readable.feature { by_account(reader, &accounts).await? } else { HashMap::new() };
    let of = |account: AccountId| -> AccountPlan {
        let (name, feature) = known.get(&account.0).map_or((None, false), |(name, on)| (name.as_deref(), *on));
        installation.of(account, name, feature)
    };
    Ok(Plans {
        source: PlanSource::Chatwoot,
        accounts: accounts.into_iter().map(of).collect(),
        limits: terms.limits(installation.limits()),
        problems,
    })
}

/// Checks which of Chatwoot's columns exist and are readable; adds messages to `problems` about those that are not.
async fn readable(reader: &mut Reader, problems: &mut Vec<String>) -> Result<Readable> {
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
            (false, ..) => problems.push(format!(
                "there is no table {table}, so Chatwoot's plans are not known; set up plans under [plans]"
            )),
            (true, false, _) => problems.push(format!(
                "{table} has no column {field}, so Chatwoot's plans are not known; set up plans under [plans]"
            )),
            (true, true, false) => {
                problems.push(format!(
                    "this role may not read {table}; GRANT SELECT ON {table} to it, or set up plans under [plans]"
                ));
            }
            (true, true, true) => match field.as_str() {
                "custom_attributes" => readable.plan_name = true,
                "feature_flags" => readable.feature = true,
                _ => readable.settings = true,
            },
        }
    }
    problems.dedup();
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

/// Reads the plan name of each account, and whether the feature bit for automatic syncs is set. Returns nothing if a
/// column has an unexpected type.
async fn by_account(reader: &mut Reader, accounts: &[AccountId]) -> Result<HashMap<i64, (Option<String>, bool)>> {
    let statement = query(
        "SELECT id::bigint AS id, custom_attributes ->> 'plan_name' AS plan, \
         (coalesce(feature_flags, 0)::bigint & ?) <> 0 AS feature FROM accounts WHERE id IN (SELECT each(?))",
    );
    let ids: Vec<i64> = accounts.iter().map(|account| account.0).collect();
    let rows = match reader.all(statement.bind(FEATURE_BIT).bind(ids)).await {
        // A column has a type that no version of Chatwoot has had. This is not an error, since the caller reports
        // accounts without a plan.
        Err(StoreError::Corrupt(_)) => return Ok(HashMap::new()),
        rows => rows?,
    };
    rows.iter().map(|row| Ok((get(row, "id")?, (get(row, "plan")?, get(row, "feature")?)))).collect()
}
