//! The store that a copy fills: empty at first, then marked until the copy is complete.

use super::state::{StorePosition, StoreState};
use super::tables::{COPIED, ColumnKind};
use crate::fault;
use crate::store::queries::workers;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use crate::store::unfinished_copy::TABLE;
use crate::store::{Result, StoreError, WorkerHealth};

/// Number of rows that are removed at a time, if a copy begins anew.
const REMOVED_AT_ONCE: i64 = 2_000;

/// State of the target when a copy begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetState {
    /// It is empty, and marked now.
    Empty,
    /// An earlier copy of the same store was interrupted.
    Interrupted,
    /// It is the copied store, as its id and epoch say, and neither has gone on since.
    Complete,
}

/// Marks an empty target as one that is filled from the store `source`, whose address for people is `address`, or
/// finds the mark of an earlier run. Errors: [`StoreError::Unusable`] if the target has something of its own.
pub(super) async fn begin(db: &Database, source: &StoreState, address: &str) -> Result<TargetState> {
    let unusable = |why: String| Err(StoreError::Unusable(format!("{}: {why}", db.label())));
    let mut reader = db.reader().await?;
    if let Some(of) = marked(&mut reader).await? {
        return match of == source.id {
            true => Ok(TargetState::Interrupted),
            false => unusable("a copy of another store into this one is not complete; name that store".into()),
        };
    }
    let own = StoreState::read(&mut reader, db.now()).await?;
    let is_same = (&own.id, own.epoch) == (&source.id, source.epoch);
    for table in COPIED.iter().map(|table| table.name).chain(["@jobs"]) {
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1 AS one FROM ");
        sql.push(table).push(" LIMIT 1) r");
        if get::<i64>(&reader.one(sql.query()).await?, 0)? > 0 {
            if is_same && own.position() == source.position() {
                return Ok(TargetState::Complete);
            }
            if is_same {
                return unusable(diverged(source.position(), own.position()));
            }
            let table = table.trim_start_matches('@');
            return unusable(format!("this store is not empty (table {table}); a copy needs an empty store"));
        }
    }
    drop(reader);
    if let Some(worker) = workers::workers(db).await?.iter().find(|worker| worker.health != WorkerHealth::Gone) {
        return unusable(format!("the worker {} uses this store; stop it first", worker.name));
    }
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    tx.run(query("CREATE TABLE @copy_progress (store TEXT NOT NULL, source TEXT NOT NULL)")).await?;
    let mark = query("INSERT INTO @copy_progress (store, source) VALUES (?, ?)");
    tx.run(mark.bind(&source.id).bind(address)).await?;
    tx.commit().await?;
    fault::point("copy", "begun");
    Ok(TargetState::Empty)
}

/// Returns why a copy is not brought up to date: rows that both stores have may differ by now.
fn diverged(source: StorePosition, target: StorePosition) -> String {
    let of = |at: StorePosition| format!("{} outcomes and {} documents", at.last_outcome, at.last_document);
    format!(
        "this store is a copy already, and one of the two has gone on since: the numbers are at {} in the store to copy, \
         at {} here; a copy needs an empty store",
        of(source),
        of(target)
    )
}

/// Returns the id of the store of which a copy was interrupted; `None` without the mark of one.
async fn marked(reader: &mut Reader) -> Result<Option<String>> {
    let tables = match reader.dialect() {
        Dialect::Sqlite => "SELECT count(*) FROM sqlite_master WHERE name = ?",
        Dialect::Postgres => "SELECT count(*) FROM pg_tables WHERE schemaname = 'quarterdeck' AND tablename = ?",
    };
    if get::<i64>(&reader.one(query(tables).bind(TABLE)).await?, 0)? == 0 {
        return Ok(None);
    }
    let row = reader.first(query("SELECT store FROM @copy_progress")).await?;
    row.map(|row| get(&row, 0)).transpose()
}

/// Removes the rows of an interrupted copy whose source has changed since.
pub(super) async fn clear(db: &Database) -> Result<()> {
    for table in COPIED.iter().rev() {
        loop {
            let push_key = |sql: &mut Sql| {
                for (index, column) in table.key_columns().iter().enumerate() {
                    sql.push(if index > 0 { ", " } else { "" }).push(column.name);
                }
            };
            debug_assert!(
                table.key_columns().iter().all(|column| matches!(column.kind, ColumnKind::Int | ColumnKind::Text))
            );
            let mut sql = Sql::new("DELETE FROM ");
            sql.push(table.name).push(" WHERE (");
            push_key(&mut sql);
            sql.push(") IN (SELECT ");
            push_key(&mut sql);
            sql.push(" FROM ").push(table.name).push(" LIMIT ").bind(REMOVED_AT_ONCE).push(")");
            let mut tx = Tx::begin(db, Purpose::Rows).await?;
            let removed = tx.run(sql.query()).await?;
            tx.commit().await?;
            if removed == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Gives the target the state of the copied store, and removes the mark, in one transaction.
pub(super) async fn complete(db: &Database, state: &StoreState) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    state.write(&mut tx).await?;
    tx.run(query("DROP TABLE @copy_progress")).await?;
    fault::point("copy", "completing");
    tx.commit().await?;
    fault::point("copy", "complete");
    Ok(())
}
