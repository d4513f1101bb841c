//! The migrations of a store of ours: embedded files, applied in order within one transaction, so that a kill between
//! two statements leaves nothing behind and two processes that start at once do not meet.

use super::connect::take_turn;
use crate::store::sql::error::{reading, writing};
use crate::store::{Result, StoreError};
use sqlx::{AssertSqlSafe, Row, SqliteConnection, query, raw_sql};

/// Every migration, oldest first; a database's `user_version` says how many it has had.
const SQLITE: &[&str] = &[
    include_str!("../../../assets/migrations/sqlite/0001_store.sql"),
    include_str!("../../../assets/migrations/sqlite/0002_locks.sql"),
    include_str!("../../../assets/migrations/sqlite/0003_outbox.sql"),
    include_str!("../../../assets/migrations/sqlite/0004_schedule.sql"),
    include_str!("../../../assets/migrations/sqlite/0005_pauses.sql"),
    include_str!("../../../assets/migrations/sqlite/0006_hosts.sql"),
    include_str!("../../../assets/migrations/sqlite/0007_contents.sql"),
    include_str!("../../../assets/migrations/sqlite/0008_holds.sql"),
];

/// What stands in a file before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing in it yet.
    Empty,
    /// Ours, with so many migrations.
    Ours(usize),
}

/// Looks without touching. Newer databases and those of other programs are refused.
pub(super) async fn standing(conn: &mut SqliteConnection) -> Result<Standing> {
    let version: i64 = query("PRAGMA user_version").fetch_one(&mut *conn).await.map_err(reading)?.get(0);
    let tables: Vec<String> =
        query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
            .fetch_all(&mut *conn)
            .await
            .map_err(reading)?
            .iter()
            .map(|row| row.get(0))
            .collect();
    if tables.is_empty() && version == 0 {
        return Ok(Standing::Empty);
    }
    if !tables.iter().any(|table| table == "outcome_seq") {
        return Err(StoreError::Unusable(
            "this SQLite database belongs to another program and was not touched; name a file of its own".into(),
        ));
    }
    match usize::try_from(version) {
        Ok(version) if version <= SQLITE.len() => Ok(Standing::Ours(version)),
        _ => Err(StoreError::Unusable(format!(
            "this store is newer (version {version}) than this program (version {}); use a newer quarterdeck",
            SQLITE.len()
        ))),
    }
}

/// Whether a store that stands so needs no migration.
pub(super) fn is_current(standing: Standing) -> bool {
    standing == Standing::Ours(SQLITE.len())
}

/// Brings the database up to date.
pub(super) async fn migrate(conn: &mut SqliteConnection) -> Result<()> {
    if is_current(standing(conn).await?) {
        return Ok(());
    }
    take_turn(conn).await?;
    // Looked at again: another process may have done it while this one waited for the lock.
    let done = match standing(conn).await? {
        Standing::Empty => 0,
        Standing::Ours(done) => done,
    };
    for migration in &SQLITE[done..] {
        raw_sql(*migration).execute(&mut *conn).await.map_err(writing)?;
    }
    let version = format!("PRAGMA user_version = {}", SQLITE.len());
    query(AssertSqlSafe(version)).execute(&mut *conn).await.map_err(writing)?;
    query("COMMIT").execute(&mut *conn).await.map_err(writing)?;
    Ok(())
}
