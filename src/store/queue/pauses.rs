//! Pauses: durable rows that the claims of every process respect.

use crate::domain::pause::{Pause, PauseScope};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::corrupt;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;

/// SQL condition that is true if no pause stops everything or the class of a row `n`.
pub(in crate::store) const CLASS_NOT_PAUSED: &str = "NOT EXISTS (SELECT 1 FROM @pauses WHERE scope = 'all') \
     AND n.class NOT IN (SELECT CASE key WHEN 'manual' THEN 0 WHEN 'retry' THEN 1 ELSE 2 END FROM @pauses \
      WHERE scope = 'class')";
/// SQL condition that is true if no pause stops the account or the host of a row `n`. The few pauses are read once per
/// statement, so each row costs a lookup in two small sets.
pub(in crate::store) const LANE_NOT_PAUSED: &str = "n.account_id NOT IN (SELECT CAST(key AS BIGINT) FROM @pauses WHERE scope = 'account') \
     AND n.host NOT IN (SELECT key FROM @pauses WHERE scope = 'host')";

/// SQL condition that is true unless row `n` is an automatic job, or a later try of one, outside of the window of its
/// account's plan. `?1` is the time.
pub(in crate::store) const WINDOW_OPEN: &str =
    "(n.class = 0 OR n.account_id NOT IN (SELECT account_id FROM @accounts_sched WHERE opens_at > ?1))";

/// Stops claims of `scope`; running jobs continue. Returns false if `scope` was paused already; the earlier pause then
/// stays, with its time and the name of its person.
pub(in crate::store) async fn pause(db: &Database, scope: &PauseScope, by: &SafeLine) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let now = tx.now.micros();
    let statement = query(
        "INSERT INTO @pauses (scope, key, since, paused_by) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING \
         RETURNING since",
    );
    let statement = statement.bind(scope.kind()).bind(scope.key()).bind(now).bind(by.as_str());
    let new = tx.first(statement).await?.is_some();
    tx.commit().await?;
    Ok(new)
}

/// Ends the pause of exactly `scope`. Returns false if `scope` was not paused.
pub(in crate::store) async fn resume(db: &Database, scope: &PauseScope) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let statement = query("DELETE FROM @pauses WHERE scope = ? AND key = ? RETURNING since");
    let ended = tx.first(statement.bind(scope.kind()).bind(scope.key())).await?.is_some();
    tx.commit().await?;
    Ok(ended)
}

/// Returns the pauses: the pause of everything first, then the others by kind and key.
pub(in crate::store) async fn list(db: &Database) -> Result<Vec<Pause>> {
    let mut reader = db.reader().await?;
    let rows = reader.all(query("SELECT scope, key, since, paused_by FROM @pauses")).await?;
    let mut pauses = Vec::new();
    for row in rows {
        let (kind, key): (String, String) = (get(&row, "scope")?, get(&row, "key")?);
        pauses.push(Pause {
            scope: PauseScope::parse(&kind, &key).ok_or_else(|| corrupt("scope"))?,
            since: Timestamp::from_micros(get(&row, "since")?),
            by: SafeLine::new(&get::<String>(&row, "paused_by")?),
        });
    }
    pauses.sort_by(|a, b| a.scope.cmp(&b.scope));
    Ok(pauses)
}
