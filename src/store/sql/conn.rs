//! A connection to either database and the rows that come from it, so that all that is above asks one way.

use crate::domain::politeness::{Hold, HoldKind};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::postgres::{ANSWER, Lease};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::reading;
use crate::store::sql::statement::{Statement, Value};
use crate::store::{Result, StoreError};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Decode, Row as _, Type};
use std::time::Duration;
use tokio::time::timeout;

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

    /// Runs fixed text that binds nothing, such as `BEGIN`.
    pub(in crate::store) async fn script(&mut self, text: &'static str) -> Answer<()> {
        match self {
            Self::Sqlite(conn) => sqlx::raw_sql(text).execute(conn).await.map(drop),
            Self::SqlitePooled(conn) => sqlx::raw_sql(text).execute(&mut **conn).await.map(drop),
            Self::Postgres(lease) => lease.script(text).await,
        }
    }
}

/// A connection for readings. Left in the middle of a snapshot it is closed: the next reading would see the past.
pub(in crate::store) struct Reader {
    conn: Conn,
    in_snapshot: bool,
}

impl Reader {
    /// How the database wants its statements.
    pub(in crate::store) fn dialect(&self) -> Dialect {
        self.conn.dialect()
    }

    /// Reads on `conn`.
    pub(in crate::store) fn on(conn: Conn) -> Self {
        Self { conn, in_snapshot: false }
    }

    /// All rows of a statement.
    pub(in crate::store) async fn all(&mut self, statement: Statement) -> Result<Vec<Row>> {
        self.conn.fetch_all(statement).await.map_err(reading)
    }

    /// The first row of a statement.
    pub(in crate::store) async fn first(&mut self, statement: Statement) -> Result<Option<Row>> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// The only row of a statement that always has one.
    pub(in crate::store) async fn one(&mut self, statement: Statement) -> Result<Row> {
        self.first(statement).await?.ok_or_else(|| reading(sqlx::Error::RowNotFound))
    }

    /// From here to [`leave_snapshot`](Self::leave_snapshot) every reading tells of the same instant.
    pub(in crate::store) async fn enter_snapshot(&mut self) -> Result<()> {
        self.in_snapshot = true;
        let begin = match self.conn.dialect() {
            Dialect::Sqlite => "BEGIN",
            Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.conn.script(begin).await.map_err(reading)
    }

    /// The end of the snapshot.
    pub(in crate::store) async fn leave_snapshot(&mut self) -> Result<()> {
        self.conn.script("ROLLBACK").await.map_err(reading)?;
        self.in_snapshot = false;
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let (true, Conn::SqlitePooled(conn)) = (self.in_snapshot, &mut self.conn) {
            conn.close_on_drop();
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

/// A time that may be missing.
pub(in crate::store) fn time(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_micros))
}

/// A span of time that may be missing.
pub(in crate::store) fn span(row: &Row, column: &str) -> Result<Option<Duration>> {
    let micros: Option<i64> = get(row, column)?;
    Ok(micros.and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros))
}

/// Until when a host is left alone, whose wish that is, and why: the columns `held_until`, `held_kind` and
/// `held_because`, each with `prefix` before it.
pub(in crate::store) fn hold(row: &Row, prefix: &str) -> Result<Option<Hold>> {
    let Some(until) = time(row, &format!("{prefix}held_until"))? else { return Ok(None) };
    // A program that knows no kinds may still write beside this one; what a host did not ask for is the safer guess.
    let kind = word(row, &format!("{prefix}held_kind"), HoldKind::parse)?.unwrap_or(HoldKind::CoolDown);
    let because: Option<String> = get(row, &*format!("{prefix}held_because"))?;
    Ok(Some(Hold { until, kind, because: because.unwrap_or_default() }))
}

/// A line that may be missing.
pub(in crate::store) fn line(row: &Row, column: &str) -> Result<Option<SafeLine>> {
    Ok(get::<Option<&str>>(row, column)?.map(SafeLine::new))
}

/// A small number that may be missing.
pub(in crate::store) fn small<N: TryFrom<i64>>(row: &Row, column: &str) -> Result<Option<N>> {
    get::<Option<i64>>(row, column)?.map(|number| N::try_from(number).map_err(|_| corrupt(column))).transpose()
}

/// A number that is always there.
pub(in crate::store) fn number<N: TryFrom<i64>>(row: &Row, column: &str) -> Result<N> {
    N::try_from(get::<i64>(row, column)?).map_err(|_| corrupt(column))
}

/// A word that must be known when it is there.
pub(in crate::store) fn word<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
    match get::<Option<&str>>(row, column)? {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| corrupt(column)),
    }
}

/// A code that must be known when it is there.
pub(in crate::store) fn code<T>(row: &Row, column: &str, parse: impl Fn(i64) -> Option<T>) -> Result<Option<T>> {
    match get::<Option<i64>>(row, column)? {
        None => Ok(None),
        Some(code) => parse(code).map(Some).ok_or_else(|| corrupt(column)),
    }
}

/// An unreadable column.
pub(in crate::store) fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(format!("column {column}"))
}
