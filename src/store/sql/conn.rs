//! Connections and result rows, with one interface for both databases.

use crate::store::Result;
use crate::store::postgres::{PooledConnection, RESPONSE_TIMEOUT};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::reading;
use crate::store::sql::rendered::rendered;
use crate::store::sql::statement::{Statement, Value};
use crate::store::sqlite::{FromColumn, ReadConnection, WriterConnection, WriterRow};
use futures_util::{Stream, StreamExt as _};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Row as _, Type};
use tokio::time::timeout;

/// The purpose of a transaction, which determines the locks and the connection of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    /// Moves jobs in the queue. One transaction of this purpose or of `Claim` runs at a time, so that caps are exact
    /// and lanes (the queues of one account, host and class) agree with their jobs.
    Queue,
    /// Moves jobs like `Queue`, for a claim. A claim's statements are large and always the same, so PostgreSQL plans
    /// them once instead of every time, which would take a fifth of the claim's time.
    Claim,
    /// Ends attempts, adds documents, or does other work that changes no lane.
    Rows,
    /// Records a heartbeat. On PostgreSQL it uses connections that are kept free for this, so that it does not wait for
    /// other work of this process.
    Heartbeat,
}

/// A connection in use. A drop closes the connection or returns it to its pool.
pub(in crate::store) enum Conn {
    /// The connection that writes.
    SqliteWriter(WriterConnection),
    /// A connection that only reads.
    SqliteReader(ReadConnection),
    Postgres(PooledConnection),
}

/// A result row of either database.
pub(in crate::store) enum Row {
    /// Of a read.
    Sqlite(SqliteRow),
    /// Of a transaction that writes.
    SqliteWriter(WriterRow),
    Postgres(PgRow),
}

/// Converts a statement to sqlx's query for one database.
macro_rules! prepared {
    ($database:ident, $statement:expr) => {{
        let Statement { text, values } = $statement;
        let mut prepared = sqlx::query::<$database>(AssertSqlSafe(rendered(Dialect::$database, &text)));
        for value in values {
            prepared = match value {
                Value::Int(value) => prepared.bind(value),
                Value::Text(value) => prepared.bind(value),
                Value::Flag(value) => prepared.bind(value),
                Value::Bytes(value) => prepared.bind(value),
                Value::Ints(values) => bind_ints!($database, prepared, values),
            };
        }
        prepared
    }};
}

/// Binds a list of numbers. SQLite has no arrays, so it gets JSON: the debug format of the list.
macro_rules! bind_ints {
    (Sqlite, $prepared:expr, $values:expr) => {
        $prepared.bind(format!("{:?}", $values))
    };
    (Postgres, $prepared:expr, $values:expr) => {
        $prepared.bind($values)
    };
}

type SqlxResult<T> = std::result::Result<T, sqlx::Error>;

impl Conn {
    /// Returns the dialect of the database.
    pub(in crate::store) fn dialect(&self) -> Dialect {
        match self {
            Self::SqliteWriter(_) | Self::SqliteReader(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement and returns the number of affected rows.
    pub(in crate::store) async fn execute(&mut self, statement: Statement) -> SqlxResult<u64> {
        match self {
            Self::SqliteWriter(conn) => conn.execute(&statement),
            Self::SqliteReader(reader) => {
                Ok(prepared!(Sqlite, statement).execute(reader.connection()).await?.rows_affected())
            }
            Self::Postgres(lease) => {
                let prepared = prepared!(Postgres, statement).persistent(lease.keeps_statements());
                let (conn, alone) = lease.begin_statement().await?;
                let answer = timeout(RESPONSE_TIMEOUT, prepared.execute(conn)).await;
                Ok(lease.end_statement(answer, alone).await?.rows_affected())
            }
        }
    }

    /// Runs a statement and returns all its rows.
    pub(in crate::store) async fn fetch_all(&mut self, statement: Statement) -> SqlxResult<Vec<Row>> {
        let rows = match self {
            Self::SqliteWriter(conn) => {
                return Ok(conn.fetch_all(&statement)?.into_iter().map(Row::SqliteWriter).collect());
            }
            Self::SqliteReader(reader) => prepared!(Sqlite, statement).fetch_all(reader.connection()).await?,
            Self::Postgres(lease) => {
                let prepared = prepared!(Postgres, statement).persistent(lease.keeps_statements());
                let (conn, alone) = lease.begin_statement().await?;
                let answer = timeout(RESPONSE_TIMEOUT, prepared.fetch_all(conn)).await;
                let rows = lease.end_statement(answer, alone).await?;
                return Ok(rows.into_iter().map(Row::Postgres).collect());
            }
        };
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }

    /// Runs a statement and calls `take` with each row as it arrives, so that a long result need not fit into memory. An
    /// error of `take` ends the reading and is the inner result.
    pub(in crate::store) async fn each(
        &mut self,
        statement: Statement,
        take: impl FnMut(&Row) -> Result<()>,
    ) -> SqlxResult<Result<()>> {
        match self {
            // Transactions that write read few rows.
            Self::SqliteWriter(conn) => {
                Ok(conn.fetch_all(&statement)?.into_iter().map(Row::SqliteWriter).try_for_each({
                    let mut take = take;
                    move |row| take(&row)
                }))
            }
            Self::SqliteReader(reader) => {
                each_row(prepared!(Sqlite, statement).fetch(reader.connection()), Row::Sqlite, take).await
            }
            Self::Postgres(lease) => {
                let prepared = prepared!(Postgres, statement).persistent(lease.keeps_statements());
                let (conn, alone) = lease.begin_statement().await?;
                let answer = timeout(RESPONSE_TIMEOUT, each_row(prepared.fetch(conn), Row::Postgres, take)).await;
                lease.end_statement(answer, alone).await
            }
        }
    }

    /// Lets the drop of a pooled SQLite connection close it instead of returning it to the pool. Connections of the
    /// other kinds close anyway if they are dropped within a transaction.
    pub(in crate::store) fn close_on_drop(&mut self) {
        if let Self::SqliteReader(reader) = self {
            reader.close_on_drop();
        }
    }

    /// Stops the statement in progress, a read whose result nobody awaits any more. Never called for a write.
    pub(in crate::store) fn abandon_read(&mut self) {
        match self {
            // Only reads are stopped, and they have another kind of connection.
            Self::SqliteWriter(_) => {}
            Self::SqliteReader(reader) => reader.abandon_statement(),
            Self::Postgres(lease) => lease.abandon_read(),
        }
    }

    /// Runs fixed SQL text without values: one statement or several, such as `BEGIN`.
    pub(in crate::store) async fn script(&mut self, text: &'static str) -> SqlxResult<()> {
        match self {
            Self::SqliteWriter(conn) if text == "COMMIT" => conn.commit().await,
            Self::SqliteWriter(conn) => conn.script(text),
            Self::SqliteReader(reader) => sqlx::raw_sql(text).execute(reader.connection()).await.map(drop),
            Self::Postgres(lease) => lease.script(text).await,
        }
    }
}

async fn each_row<R>(
    mut rows: impl Stream<Item = SqlxResult<R>> + Unpin,
    row: impl Fn(R) -> Row,
    mut take: impl FnMut(&Row) -> Result<()>,
) -> SqlxResult<Result<()>> {
    while let Some(next) = rows.next().await {
        if let Err(error) = take(&row(next?)) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// A type that a column can have, on either database.
pub(in crate::store) trait Column<'r>:
    Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres> + FromColumn<'r>
{
}

impl<'r, T> Column<'r> for T where
    T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres> + FromColumn<'r>
{
}

/// The name or the index of a column.
pub(in crate::store) trait ColumnIndex: Copy {
    /// Reads this column of `row`.
    fn of<'r, T: Column<'r>>(self, row: &'r Row) -> SqlxResult<T>;
}

macro_rules! column {
    ($($of:ty: $read:ident),*) => {$(
        impl ColumnIndex for $of {
            fn of<'r, T: Column<'r>>(self, row: &'r Row) -> SqlxResult<T> {
                match row {
                    Row::Sqlite(row) => row.try_get(self),
                    Row::SqliteWriter(row) => row.$read(self),
                    Row::Postgres(row) => row.try_get(self),
                }
            }
        }
    )*};
}
column!(&str: named, usize: at);

/// Reads a column of a row. Fails with [`StoreError::Corrupt`](crate::store::StoreError::Corrupt) if the column is
/// missing or has another type.
pub(in crate::store) fn get<'r, T: Column<'r>>(row: &'r Row, column: impl ColumnIndex) -> Result<T> {
    column.of(row).map_err(reading)
}
