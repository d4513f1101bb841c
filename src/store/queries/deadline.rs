//! The next time at which time alone changes the status of a document.

use crate::domain::document::STUCK_AFTER;
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::queue::shadow;
use crate::store::schedule::{due, plans};
use crate::store::sql::columns::time;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use std::collections::BTreeMap;
use std::time::Duration;

/// A status holds up to and including its last moment.
const JUST_AFTER: Duration = Duration::from_micros(1);

/// Returns the next time at which `syncing` becomes `stuck` or `synced` becomes `stale`: the first entry of an index where
/// statuses are stored; else the cost depends on the number of accounts and assistants.
pub(in crate::store) async fn next_status_change(db: &Database) -> Result<Option<Timestamp>> {
    let now = db.now();
    let mut reader = db.reader().await?;
    if shadow::source(db, &mut reader).await?.is_stored() {
        // Statuses that expired before `now` and are not written yet have been read as what they are.
        let next =
            query("SELECT min(status_until) AS until FROM @document_status WHERE status_until >= ?").bind(now.micros());
        return Ok(time(&reader.one(next).await?, "until")?.map(|at| at.plus(JUST_AFTER)));
    }
    let accounts = plans::accounts(&mut reader).await?;
    if accounts.is_empty() {
        return Ok(None);
    }
    let attempted = due::next_attempted(&mut reader, &accounts, now.minus(STUCK_AFTER)).await?;
    let mut moments: Vec<Timestamp> = attempted.into_values().map(|at| at.plus(STUCK_AFTER)).collect();
    for (cadence, accounts) in by_cadence(&mut reader).await? {
        let synced = due::next_synced(&mut reader, &accounts, now.minus(cadence)).await?;
        moments.extend(synced.into_values().map(|at| at.plus(cadence)));
    }
    Ok(moments.into_iter().min().map(|at| at.plus(JUST_AFTER)))
}

/// Returns the accounts whose documents become stale, by the time after which they do.
async fn by_cadence(reader: &mut Reader) -> Result<BTreeMap<Duration, Vec<AccountId>>> {
    let statement = query("SELECT account_id, cadence FROM @accounts_sched WHERE cadence IS NOT NULL");
    let mut accounts = BTreeMap::<Duration, Vec<AccountId>>::new();
    for row in reader.all(statement).await? {
        let cadence = Duration::from_micros(u64::try_from(get::<i64>(&row, 1)?).unwrap_or_default());
        accounts.entry(cadence).or_default().push(AccountId(get(&row, 0)?));
    }
    Ok(accounts)
}
