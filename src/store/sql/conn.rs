//! A connection to either database and the rows that come from it, so that all that is above asks one way.

use crate::store::Result;
use crate::store::postgres::{ANSWER, Lease};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::reading;
use crate::store::sql::statement::{Statement, Value};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Row as _, Type};
use tokio::time::timeout;

/// The use that a transaction makes of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    /// Move jobs in the queue: one at a time, so that caps are exact and lanes agree with their jobs.
    Queue,
    /// The same for a claim. Its statements are large and always alike: PostgreSQL plans them once and not every time,
    /// which takes it a fifth of a claim.
    Claim,
    /// End attempts, add documents, and what else stays within its own rows.
    Rows,
    /// A heartbeat: must not wait behind other work of this process.
    Beat,
}

/// A connection, for as long as it is needed.
pub(in crate::store) enum Conn {
    /// One of our own.
    Sqlite(SqliteConnection),
    /// One of several that read.
    SqlitePooled(PoolConnection<Sqlite>),
    /// One of the pool's.
    Postgres(Lease),
}

/// A row of either database.
pub(in crate::store) enum Row {
    /// SQLite's.
    Sqlite(SqliteRow),
    /// PostgreSQL's.
    Postgres(PgRow),
}

/// The statement as sqlx wants it, for one database.
macro_rules! prepared {
    ($database:ident, $statement:expr) => {{
        let Statement { text, values } = $statement;
        let mut prepared = sqlx::query::<$database>(AssertSqlSafe(Dialect::$database.render(&text)));
        for value in values {
            prepared = match value {
                Value::Int(value) => prepared.bind(value),
                Value::Text(value) => prepared.bind(value),
                Value::Flag(value) => prepared.bind(value),
                Value::Ints(values) => bind_ints!($database, prepared, values),
            };
        }
        prepared
    }};
}

/// SQLite knows no lists; what is printed here is JSON.
macro_rules! bind_ints {
    (Sqlite, $prepared:expr, $values:expr) => {
        $prepared.bind(format!("{:?}", $values))
    };
    (Postgres, $prepared:expr, $values:expr) => {
        $prepared.bind($values)
    };
}

type Answer<T> = std::result::Result<T, sqlx::Error>;

impl Conn {
    /// How it wants its statements.
    pub(in crate::store) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) | Self::SqlitePooled(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; how many rows it touched.
    pub(in crate::store) async fn execute(&mut self, statement: Statement) -> Answer<u64> {
        match self {
            Self::Sqlite(conn) => Ok(prepared!(Sqlite, statement).execute(conn).await?.rows_affected()),
            Self::SqlitePooled(conn) => Ok(prepared!(Sqlite, statement).execute(&mut **conn).await?.rows_affected()),
            Self::Postgres(lease) => {
                let prepared = prepared!(Postgres, statement).persistent(lease.keeps_statements());
                let (conn, alone) = lease.wire().await?;
                let answer = timeout(ANSWER, prepared.execute(conn)).await;
                Ok(lease.answered(answer, alone).await?.rows_affected())
            }
        }
    }

    /// All rows of a statement.
    pub(in crate::store) async fn fetch_all(&mut self, statement: Statement) -> Answer<Vec<Row>> {
        let rows = match self {
            Self::Sqlite(conn) => prepared!(Sqlite, statement).fetch_all(conn).await?,
            Self::SqlitePooled(conn) => prepared!(Sqlite, statement).fetch_all(&mut **conn).await?,
            Self::Postgres(lease) => {
                let prepared = prepared!(Postgres, statement).persistent(lease.keeps_statements());
                let (conn, alone) = lease.wire().await?;
                let answer = timeout(ANSWER, prepared.fetch_all(conn)).await;
                let rows = lease.answered(answer, alone).await?;
                return Ok(rows.into_iter().map(Row::Postgres).collect());
            }
        };
        Ok(rows.into_iter().map(Row::Sqlite).collect())
    }

    /// Closes a connection of several that read instead of giving it back; the others are closed when they are dropped
    /// in the middle of anything.
    pub(in crate::store) fn close_on_drop(&mut self) {
        if let Self::SqlitePooled(conn) = self {
            conn.close_on_drop();
        }
    }

    /// Runs fixed text that binds nothing, such as `BEGIN`.
    pub(in crate::store) async fn script(&mut self, text: &'static str) -> Answer<()> {
        match self {
            Self::Sqlite(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop),
            Self::SqlitePooled(conn) => sqlx::raw_sql(text).execute(&mut **conn).await.map(drop),
            Self::Postgres(lease) => lease.script(text).await,
        }
    }
}

/// A column by its name or its place.
pub(in crate::store) trait Column: Copy {
    /// Reads it.
    fn of<'r, T>(self, row: &'r Row) -> Answer<T>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>;
}

macro_rules! column {
    ($($of:ty),*) => {$(
        impl Column for $of {
            fn of<'r, T>(self, row: &'r Row) -> Answer<T>
            where
                T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
            {
                match row {
                    Row::Sqlite(row) => row.try_get(self),
                    Row::Postgres(row) => row.try_get(self),
                }
            }
        }
    )*};
}
column!(&str, usize);

/// One column, or what is wrong with it.
pub(in crate::store) fn get<'r, T>(row: &'r Row, column: impl Column) -> Result<T>
where
    T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
{
    column.of(row).map_err(reading)
}
