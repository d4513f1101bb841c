//! Where a test's store is: an SQLite file or a PostgreSQL database, and what is done there behind the store's back.

use super::db;
use super::postgres::{self, Database};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row};
use std::path::PathBuf;
use std::str::FromStr;
use tempfile::TempDir;
use tokio::sync::Mutex;

/// The databases on which every case is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Makes a test of each function for each database; a function that is not named here is dead code, which is refused.
/// First, in brackets: how the test's runtime is made.
macro_rules! on_both {
    ($runtime:tt $($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test $runtime]
            async fn $name() {
                super::$name($crate::support::place::Backend::Sqlite).await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test $runtime]
            async fn $name() {
                super::$name($crate::support::place::Backend::Postgres).await;
            })*
        }
    };
}

/// See the module.
pub struct Place {
    folder: TempDir,
    database: Option<(Database, Mutex<Option<PgConnection>>)>,
}

impl Place {
    /// An empty store's place; on PostgreSQL it is set up already.
    pub async fn new(backend: Backend) -> Self {
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some((postgres::store().await, Mutex::new(None))),
        };
        Self { folder: tempfile::tempdir().expect("a folder"), database }
    }

    /// A database that is there.
    pub fn on(database: Database) -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), database: Some((database, Mutex::new(None))) }
    }

    /// An empty store's place where no commit waits for a disk: for tests that make tens of thousands.
    pub async fn in_memory(backend: Backend) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let place = Self::new(backend).await;
        match &place.database {
            Some((database, _)) => {
                let off = format!("ALTER DATABASE {} SET synchronous_commit = off", database.name);
                database.script(&off).await;
                place
            }
            None if memory.is_dir() => Self { folder: tempfile::tempdir_in(memory).expect("a folder"), ..place },
            None => place,
        }
    }

    /// As `--store` takes it.
    pub fn url(&self) -> String {
        match &self.database {
            Some((database, _)) => database.url.clone(),
            None => format!("sqlite:{}", self.file().display()),
        }
    }

    /// The file of a store on SQLite.
    pub fn file(&self) -> PathBuf {
        assert!(self.database.is_none(), "not a file");
        self.folder.path().join("k.db")
    }

    /// A folder that is gone with the place; on SQLite the file lies there.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What is written differently on the two.
    pub fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        if self.database.is_some() { postgres } else { sqlite }
    }

    /// A time of a document's row, as SQL.
    pub fn at(&self, micros: i64) -> String {
        if self.database.is_some() { format!("quarterdeck.stamp({micros})") } else { micros.to_string() }
    }

    /// Runs statements; how many rows the last one touched.
    pub async fn sql(&self, sql: &str) -> u64 {
        let Some((database, conn)) = &self.database else {
            let mut conn = db::connect(&self.file()).await;
            let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await;
            return done.unwrap_or_else(|error| panic!("{error}: {sql}")).rows_affected();
        };
        let mut conn = conn.lock().await;
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(open(database, &mut conn).await).await;
        done.unwrap_or_else(|error| panic!("{error}: {sql}")).rows_affected()
    }

    /// Makes room on the server at once; for tests that need hundreds.
    pub async fn drop_now(self) {
        if let Some((database, conn)) = self.database {
            drop(conn);
            postgres::drop_database(database).await;
        }
    }

    /// Lets nobody write until it ends.
    pub async fn block(&self) -> Blocked {
        if let Some((database, _)) = &self.database {
            let mut conn = None;
            let lock = sqlx::raw_sql("begin; lock table quarterdeck.jobs in exclusive mode");
            lock.execute(open(database, &mut conn).await).await.expect("the lock");
            return Blocked::Postgres(conn.expect("opened"));
        }
        let mut conn = db::connect(&self.file()).await;
        sqlx::query("begin immediate").execute(&mut conn).await.expect("the lock");
        Blocked::Sqlite(conn)
    }

    /// One number.
    pub async fn number(&self, sql: &str) -> Option<i64> {
        let sql = AssertSqlSafe(format!("SELECT CAST(({sql}) AS BIGINT)"));
        let Some((database, conn)) = &self.database else {
            let row = sqlx::query(sql).fetch_one(&mut db::connect(&self.file()).await).await;
            return row.and_then(|row| row.try_get(0)).expect("a number");
        };
        let mut conn = conn.lock().await;
        let row = sqlx::query(sql).fetch_one(open(database, &mut conn).await).await;
        row.and_then(|row| row.try_get(0)).expect("a number")
    }

    /// One text.
    pub async fn text(&self, sql: &str) -> Option<String> {
        let sql = AssertSqlSafe(format!("SELECT CAST(({sql}) AS TEXT)"));
        let Some((database, conn)) = &self.database else {
            let row = sqlx::query(sql).fetch_one(&mut db::connect(&self.file()).await).await;
            return row.and_then(|row| row.try_get(0)).expect("a text");
        };
        let mut conn = conn.lock().await;
        let row = sqlx::query(sql).fetch_one(open(database, &mut conn).await).await;
        row.and_then(|row| row.try_get(0)).expect("a text")
    }
}

/// Another program that lets nobody write.
pub enum Blocked {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Blocked {
    /// It lets go.
    pub async fn end(self) {
        match self {
            Self::Sqlite(mut conn) => sqlx::query("rollback").execute(&mut conn).await.map(drop),
            Self::Postgres(mut conn) => sqlx::query("rollback").execute(&mut conn).await.map(drop),
        }
        .expect("the end of the lock");
    }
}

async fn open<'c>(database: &Database, conn: &'c mut Option<PgConnection>) -> &'c mut PgConnection {
    // The server may have been restarted since.
    if let Some(opened) = conn
        && opened.ping().await.is_err()
    {
        *conn = None;
    }
    if conn.is_none() {
        let options = PgConnectOptions::from_str(&database.url).expect("a URL");
        // Our tables have plain names here, as on SQLite.
        let options = options.options([("search_path", "public,quarterdeck")]);
        *conn = Some(options.connect().await.expect("the server answers"));
    }
    conn.as_mut().expect("just opened")
}
