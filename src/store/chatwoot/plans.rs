//! Plans of accounts from Chatwoot's own tables `accounts` and `installation_configs`.

use super::optional::{PLANS, SETTINGS, Unreadable, unreadable};
use crate::chatwoot::settings::{ChatwootSettings, FEATURE_BIT, NAMES};
use crate::domain::id::AccountId;
use crate::domain::plan::AccountPlan;
use crate::domain::schedule::ScheduleSettings;
use crate::store::sql::conn::get;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::{PlanSource, Plans, Result, StoreError};
use std::collections::HashMap;

/// Which of Chatwoot's tables can be read, with all their columns that are needed.
struct Readable {
    plans: bool,
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
    let known = if readable.plans { by_account(reader, &accounts).await? } else { HashMap::new() };
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

/// Checks which of Chatwoot's tables can be read; adds messages to `problems` about those that cannot.
async fn readable(reader: &mut Reader, problems: &mut Vec<String>) -> Result<Readable> {
    let [plans, settings] = unreadable(reader, [PLANS, SETTINGS]).await?;
    let readable = Readable { plans: plans.is_none(), settings: settings.is_none() };
    for (reason, (table, _)) in [(plans, PLANS), (settings, SETTINGS)] {
        let Some(reason) = reason else { continue };
        problems.push(match reason {
            Unreadable::Forbidden => {
                format!("{}; GRANT SELECT ON {table} to it, or set up plans under [plans]", reason.describe(table))
            }
            _ => format!("{}, so Chatwoot's plans are not known; set up plans under [plans]", reason.describe(table)),
        });
    }
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
