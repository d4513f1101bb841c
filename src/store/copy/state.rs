//! What a store has once: the numbers that its rows continue, and who it is.

use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::queries::outcomes;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::no_row;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;

/// Tables of one row, each with the columns that are carried. Leases of passes are not.
const SINGLE_ROWS: [(&str, &[&str]); 4] = [
    ("@outcome_seq", &["last"]),
    ("@sched_clock", &["passed_over", "vclock_manual", "vclock_retry", "vclock_auto"]),
    ("@scheduler", &["last_account", "passed_at"]),
    ("@retention", &["pruned_up_to", "swept_at"]),
];

/// Tables that number their rows: the names on SQLite and on PostgreSQL.
const NUMBERED: [(&str, &str); 5] = [
    ("captain_documents", "captain_documents"),
    ("jobs", "quarterdeck.jobs"),
    ("outbox", "quarterdeck.outbox"),
    ("sources", "quarterdeck.sources"),
    ("proposals", "quarterdeck.proposals"),
];

/// State of a store, without its rows.
pub(super) struct StoreState {
    /// The store's id and epoch, which the copy keeps.
    pub(super) id: String,
    pub(super) epoch: i64,
    last_outcome: i64,
    /// Values of the columns in [`SINGLE_ROWS`].
    single: Vec<Vec<Option<i64>>>,
    /// The last numbers of the tables in [`NUMBERED`], and of leases.
    last_numbers: Vec<i64>,
}

/// Numbers that grow with a store: two copies of one store with the same numbers have not gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StorePosition {
    pub(super) last_outcome: i64,
    pub(super) last_document: i64,
}

impl StoreState {
    pub(super) fn position(&self) -> StorePosition {
        StorePosition { last_outcome: self.last_outcome, last_document: self.last_numbers[0] }
    }

    /// Reads the state; `now` is the epoch of a copy of a backup, whose store may go on in another file.
    pub(super) async fn read(reader: &mut Reader, now: Timestamp) -> Result<Self> {
        let history = outcomes::history_of(reader).await?;
        let mut epoch = history.epoch.0;
        if reader.dialect() == Dialect::Sqlite {
            let is_backup = reader.one(query("SELECT is_copy FROM store_identity")).await?;
            if get::<i64>(&is_backup, 0)? != 0 {
                epoch = (epoch + 1).max(now.micros() / 1_000);
            }
        }
        let mut single = Vec::new();
        for (table, columns) in SINGLE_ROWS {
            let mut sql = Sql::new("SELECT ");
            for (index, column) in columns.iter().enumerate() {
                sql.push(if index > 0 { ", " } else { "" }).push(column);
            }
            sql.push(" FROM ").push(table);
            let row = reader.one(sql.query()).await?;
            single.push((0..columns.len()).map(|index| get(&row, index)).collect::<Result<_>>()?);
        }
        let last_numbers = last_numbers(reader).await?;
        Ok(Self { id: history.store.0, epoch, last_outcome: history.last.0, single, last_numbers })
    }

    /// Writes the state over that of an empty store.
    pub(super) async fn write(&self, tx: &mut Tx<'_>) -> Result<()> {
        for ((table, columns), values) in SINGLE_ROWS.iter().zip(&self.single) {
            let mut sql = Sql::new("UPDATE ");
            sql.push(table).push(" SET ");
            for (index, (column, value)) in columns.iter().zip(values).enumerate() {
                sql.push(if index > 0 { ", " } else { "" }).push(column).push(" = ").bind(*value);
            }
            tx.run(sql.query()).await?;
        }
        write_numbers(tx, &self.last_numbers).await?;
        let identity = match tx.dialect() {
            Dialect::Sqlite => "UPDATE store_identity SET uuid = ?, epoch = ?, is_copy = 0",
            Dialect::Postgres => {
                "UPDATE @store_identity SET uuid = ?, epoch = ?, \
                 made_as = CAST(CAST(CAST('quarterdeck.outcomes' AS regclass) AS oid) AS bigint)"
            }
        };
        tx.run(query(identity).bind(&self.id).bind(self.epoch)).await?;
        Ok(())
    }
}

/// Returns the last numbers of the tables in [`NUMBERED`], then the last number of a lease.
async fn last_numbers(reader: &mut Reader) -> Result<Vec<i64>> {
    let dialect = reader.dialect();
    let mut numbers = Vec::new();
    for (sqlite, postgres) in NUMBERED {
        let last = match dialect {
            Dialect::Sqlite => {
                query("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = ?), 0)").bind(sqlite)
            }
            Dialect::Postgres => {
                query("SELECT coalesce(pg_sequence_last_value(CAST(pg_get_serial_sequence(?, 'id') AS regclass)), 0)")
                    .bind(postgres)
            }
        };
        numbers.push(first(reader.first(last).await?)?);
    }
    let fence = match dialect {
        Dialect::Sqlite => "SELECT fence FROM sched_clock",
        Dialect::Postgres => "SELECT coalesce(pg_sequence_last_value(CAST('quarterdeck.fence' AS regclass)), 0)",
    };
    numbers.push(first(reader.first(query(fence)).await?)?);
    Ok(numbers)
}

fn first(row: Option<Row>) -> Result<i64> {
    get(&row.ok_or_else(no_row)?, 0)
}

/// Lets the numbers of a store go on after `last`, which [`last_numbers`] has read.
async fn write_numbers(tx: &mut Tx<'_>, last: &[i64]) -> Result<()> {
    for ((sqlite, postgres), last) in NUMBERED.iter().zip(last) {
        match tx.dialect() {
            Dialect::Sqlite => {
                tx.run(query("DELETE FROM sqlite_sequence WHERE name = ?").bind(*sqlite)).await?;
                tx.run(query("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)").bind(*sqlite).bind(*last))
                    .await?;
            }
            // A sequence begins with 1.
            Dialect::Postgres if *last > 0 => {
                let set = query("SELECT setval(CAST(pg_get_serial_sequence(?, 'id') AS regclass), ?)");
                tx.all(set.bind(*postgres).bind(*last)).await?;
            }
            Dialect::Postgres => {}
        }
    }
    let fence = last.last().copied().unwrap_or_default();
    match tx.dialect() {
        Dialect::Sqlite => drop(tx.run(query("UPDATE sched_clock SET fence = ?").bind(fence)).await?),
        Dialect::Postgres if fence > 0 => {
            drop(tx.all(query("SELECT setval(CAST('quarterdeck.fence' AS regclass), ?)").bind(fence)).await?);
        }
        Dialect::Postgres => {}
    }
    Ok(())
}
