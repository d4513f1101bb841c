//! The database of a test's store: an SQLite file or a PostgreSQL database, and direct access that bypasses the store.

use super::db;
use super::postgres::{self, Database};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tempfile::TempDir;
use tokio::sync::Mutex;

/// The databases on which every case runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// Makes a test of each function for each database; a function that is not listed is dead code, which the build
/// refuses. The first argument, in brackets, creates the test's runtime. Tests after `only by command:` are ignored
/// unless `tests/chaos/run --full` runs them.
macro_rules! on_both {
    ($runtime:tt $($name:ident),* $(,)? $(; only by command: $($large:ident),* $(,)?)?) => {
        mod on_sqlite {
            $(#[tokio::test $runtime]
            async fn $name() {
                super::$name($crate::support::place::Backend::Sqlite).await;
            })*
            $($(#[tokio::test $runtime]
            #[ignore = "tests/chaos/run --full runs it"]
            async fn $large() {
                super::$large($crate::support::place::Backend::Sqlite).await;
            })*)?
        }
        mod on_postgres {
            $(#[tokio::test $runtime]
            async fn $name() {
                super::$name($crate::support::place::Backend::Postgres).await;
            })*
            $($(#[tokio::test $runtime]
            #[ignore = "tests/chaos/run --full runs it"]
            async fn $large() {
                super::$large($crate::support::place::Backend::Postgres).await;
            })*)?
        }
    };
}

/// A database, as the module describes.
pub struct Place {
    folder: TempDir,
    /// The file of a store on SQLite.
    file: PathBuf,
    database: Option<(Database, Mutex<Option<PgConnection>>)>,
}

impl Place {
    /// Makes the database of an empty store; on PostgreSQL it is set up already.
    pub async fn new(backend: Backend) -> Self {
        let database = match backend {
            Backend::Sqlite => None,
            Backend::Postgres => Some((postgres::store().await, Mutex::new(None))),
        };
        Self::in_folder(tempfile::tempdir().expect("a folder"), database)
    }

    fn in_folder(folder: TempDir, database: Option<(Database, Mutex<Option<PgConnection>>)>) -> Self {
        Self { file: folder.path().join("k.db"), folder, database }
    }

    /// Uses an existing database.
    pub fn on(database: Database) -> Self {
        Self::in_folder(tempfile::tempdir().expect("a folder"), Some((database, Mutex::new(None))))
    }

    /// Uses an existing file.
    pub fn of_file(file: &Path) -> Self {
        Self { file: file.to_owned(), ..Self::in_folder(tempfile::tempdir().expect("a folder"), None) }
    }

    /// Makes the database of an empty store in which no commit waits for a disk: for tests with tens of thousands of
    /// commits.
    pub async fn in_memory(backend: Backend) -> Self {
        let memory = Path::new("/dev/shm");
        let place = Self::new(backend).await;
        match &place.database {
            Some((database, _)) => {
                let off = format!("ALTER DATABASE {} SET synchronous_commit = off", database.name);
                database.script(&off).await;
                place
            }
            None if memory.is_dir() => Self::in_folder(tempfile::tempdir_in(memory).expect("a folder"), None),
            None => place,
        }
    }

    /// Returns the URL as `--store` takes it.
    pub fn url(&self) -> String {
        match &self.database {
            Some((database, _)) => database.url.clone(),
            None => format!("sqlite:{}", self.file().display()),
        }
    }

    /// Returns the file of a store on SQLite.
    pub fn file(&self) -> PathBuf {
        assert!(self.database.is_none(), "not a file");
        self.file.clone()
    }

    /// Returns a temporary folder, removed with the value; on SQLite it contains the file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the text for this test's database.
    pub fn either<'a>(&self, sqlite: &'a str, postgres: &'a str) -> &'a str {
        if self.database.is_some() { postgres } else { sqlite }
    }

    /// Returns a time of a document's row, as SQL.
    pub fn at(&self, micros: i64) -> String {
        if self.database.is_some() { format!("quarterdeck.stamp({micros})") } else { micros.to_string() }
    }

    /// Runs statements; returns the number of rows that the last one affected.
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

    /// Drops the PostgreSQL database at once; for tests that need hundreds.
    pub async fn drop_now(self) {
        if let Some((database, conn)) = self.database {
            drop(conn);
            postgres::drop_database(database).await;
        }
    }

    /// Blocks all writers until the returned lock ends.
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

    /// Returns one number.
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

    /// Returns one text.
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

/// Another program's lock that blocks all writers.
pub enum Blocked {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Blocked {
    /// Releases the lock.
    pub async fn end(self) {
        match self {
            Self::Sqlite(mut conn) => sqlx::query("rollback").execute(&mut conn).await.map(drop),
            Self::Postgres(mut conn) => sqlx::query("rollback").execute(&mut conn).await.map(drop),
        }
        .expect("the end of the lock");
    }
}

async fn open<'c>(database: &Database, conn: &'c mut Option<PgConnection>) -> &'c mut PgConnection {
    // The server may have been restarted since the last call.
    if let Some(opened) = conn
        && opened.ping().await.is_err()
    {
        *conn = None;
    }
    if conn.is_none() {
        let options = PgConnectOptions::from_str(&database.url).expect("a URL");
        // The program's tables have plain names here, as on SQLite.
        let options = options.options([("search_path", "public,quarterdeck")]);
        *conn = Some(options.connect().await.expect("the server answers"));
    }
    conn.as_mut().expect("just opened")
}
