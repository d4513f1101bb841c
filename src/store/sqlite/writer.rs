//! The connection that writes. Its statements run on the caller's thread: each takes microseconds, while sqlx hands every
//! statement to a thread of the connection and waits for the answer, which costs more than the statement itself. What
//! waits for the disk or for another process, a flush or the start of a transaction, runs on a thread for blocking work.
//!
//! A commit does not wait for the disk while it has the write lock: SQLite appends it to the log (`synchronous=NORMAL`),
//! gives the lock back, and only then is the log flushed. Whoever commits goes on after the flush, so what was reported
//! survives a power loss, as with `synchronous=FULL`. The log is flushed as a whole, so no commit survives without those
//! before it. Other processes may read a commit some milliseconds before it is on the disk.

use super::connect::BUSY_TIMEOUT;
use crate::fault;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rendered::rendered;
use crate::store::sql::statement::{Statement, Value};
use rusqlite::{CachedStatement, Connection, OpenFlags, ffi};
use sqlx::error::{DatabaseError, ErrorKind};
use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_int;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;

type SqlxResult<T> = Result<T, sqlx::Error>;

/// Reads the version of the store's schema.
const SCHEMA_VERSION: &str = "PRAGMA user_version";
/// Number of prepared statements that are kept.
const STATEMENTS: usize = 200;
/// Number of pages in the log from which they are copied into the file: 16 MB, not SQLite's 4 MB, since many commits
/// change the same pages.
const CHECKPOINT_PAGES: c_int = 4_000;

/// Interval at which the lock is requested while another process has it. A bulk change of that process leaves it free
/// for a few milliseconds at a time.
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(2);

thread_local! {
    /// Number of pages in the log after a commit of this thread.
    static LOGGED_PAGES: Cell<c_int> = const { Cell::new(0) };
}

/// A connection that writes, outside or within a transaction. A drop closes it, which rolls back its transaction.
pub(in crate::store) struct WriterConnection {
    /// `None` only while a thread for blocking work has the connection.
    conn: Option<Connection>,
    /// The columns of the statements that have returned rows, by text.
    columns: HashMap<Arc<str>, Arc<Columns>>,
    /// Path of the log.
    log_path: PathBuf,
    /// The log, once something was committed. SQLite keeps its own handle, and deletes the log only after the last
    /// connection. It has no locks on the log, which a second handle could drop when it is closed.
    log: Option<Arc<File>>,
}

/// A result row, copied from SQLite.
pub(in crate::store) struct WriterRow {
    columns: Arc<Columns>,
    values: Vec<rusqlite::types::Value>,
}

/// Positions of columns by name.
type Columns = HashMap<Box<str>, usize>;

impl WriterConnection {
    /// Opens the file at `path`, which exists. `temp_store=MEMORY`: SQLite keeps what it needs to undo a single statement
    /// in memory, not in temporary files, which were half of what it wrote.
    pub(super) async fn open(path: &Path) -> SqlxResult<Self> {
        let path = path.to_owned();
        let mut log_path = path.clone().into_os_string();
        log_path.push("-wal");
        let log_path = PathBuf::from(log_path);
        blocking(move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let conn = Connection::open_with_flags(path, flags).map_err(error)?;
            conn.busy_timeout(BUSY_TIMEOUT).map_err(error)?;
            conn.set_prepared_statement_cache_capacity(STATEMENTS);
            let settings = "PRAGMA foreign_keys = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
                 PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY";
            let until = Instant::now() + BUSY_TIMEOUT;
            // SQLite's own timeout does not cover the moment at which another process switches the file to this mode.
            while let Err(failure) = conn.execute_batch(settings).map_err(error) {
                if !super::error::is_busy(&failure) || Instant::now() >= until {
                    return Err(failure);
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            conn.busy_timeout(Duration::ZERO).map_err(error)?;
            // In place of SQLite's own checkpoints, which would run within a commit, on the caller's thread.
            conn.wal_hook(Some(|_, pages| {
                LOGGED_PAGES.set(pages);
                Ok(())
            }));
            Ok(Self { conn: Some(conn), columns: HashMap::new(), log_path, log: None })
        })
        .await
    }

    /// Begins a write transaction, and returns the schema version read in it. Waits while another process has the lock,
    /// at most [`BUSY_TIMEOUT`]. The lock is requested on the caller's thread: if another thread waited for it, nobody
    /// else could write until the caller goes on.
    pub(super) async fn begin(&mut self) -> SqlxResult<i64> {
        let until = Instant::now() + BUSY_TIMEOUT;
        while let Err(failure) = self.connection()?.execute_batch("BEGIN IMMEDIATE").map_err(error) {
            if !super::error::is_busy(&failure) || Instant::now() >= until {
                return Err(failure);
            }
            blocking(|| {
                std::thread::sleep(LOCK_POLL_INTERVAL);
                Ok(())
            })
            .await?;
        }
        let version = self.connection()?.prepare_cached(SCHEMA_VERSION).map_err(error)?;
        read_first(version)
    }

    /// Begins a transaction that may write, but gets the write lock only by [`acquire_lock`](Self::acquire_lock), and
    /// returns the schema version read in it. Never waits for another process.
    pub(super) fn begin_late(&mut self) -> SqlxResult<i64> {
        let conn = self.connection()?;
        conn.execute_batch("BEGIN").map_err(error)?;
        read_first(conn.prepare_cached(SCHEMA_VERSION).map_err(error)?)
    }

    /// Gets the write lock for a transaction that has only read. Returns false if another process has the lock, or has
    /// written since this transaction first read.
    pub(in crate::store) fn acquire_lock(&mut self) -> SqlxResult<bool> {
        // SQLite gets the lock before it looks for rows.
        let mut nothing = self.connection()?.prepare_cached("UPDATE outcome_seq SET id = id WHERE 0").map_err(error)?;
        match nothing.execute([]).map_err(error) {
            Ok(_) => Ok(true),
            Err(failure) if super::error::is_busy(&failure) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Commits the transaction, and waits until the commit is on the disk. An error after the commit itself leaves it
    /// open whether it survives a power loss; the caller finds it written.
    pub(in crate::store) async fn commit(&mut self) -> SqlxResult<()> {
        fault::point("commit", "");
        LOGGED_PAGES.set(0);
        self.connection()?.execute_batch("COMMIT").map_err(error)?;
        let pages = LOGGED_PAGES.get();
        if pages == 0 {
            return Ok(());
        }
        let log = match &self.log {
            Some(log) => Arc::clone(log),
            None => {
                let log = Arc::new(File::open(&self.log_path).map_err(sqlx::Error::Io)?);
                Arc::clone(self.log.insert(log))
            }
        };
        self.run_blocking(move |conn| {
            fault::point("flush", "");
            log.sync_data().map_err(sqlx::Error::Io)?;
            if pages >= CHECKPOINT_PAGES {
                // As in SQLite's own checkpoints, an error is nobody's: everything is in the log, and the next one copies it.
                let _ = conn.execute_batch("PRAGMA wal_checkpoint(PASSIVE)");
            }
            Ok(())
        })
        .await
    }

    /// Runs a statement and returns the number of affected rows; 0 for one that only reads.
    pub(in crate::store) fn execute(&mut self, statement: &Statement) -> SqlxResult<u64> {
        let text = rendered(Dialect::Sqlite, &statement.text);
        let conn = self.connection()?;
        let mut prepared = conn.prepare_cached(&text).map_err(error)?;
        bind(&mut prepared, &statement.values)?;
        let mut rows = prepared.raw_query();
        while rows.next().map_err(error)?.is_some() {}
        drop(rows);
        Ok(if prepared.readonly() { 0 } else { conn.changes() })
    }

    /// Runs a statement and returns all its rows.
    pub(in crate::store) fn fetch_all(&mut self, statement: &Statement) -> SqlxResult<Vec<WriterRow>> {
        let text = rendered(Dialect::Sqlite, &statement.text);
        let conn = self.conn.as_ref().ok_or_else(gone)?;
        let mut prepared = conn.prepare_cached(&text).map_err(error)?;
        let columns = match self.columns.get(&text) {
            Some(columns) => Arc::clone(columns),
            None => {
                let names = prepared.column_names();
                let columns: Columns = names.into_iter().map(Box::from).zip(0..).collect();
                let columns = Arc::new(columns);
                self.columns.insert(text, Arc::clone(&columns));
                columns
            }
        };
        let width = prepared.column_count();
        bind(&mut prepared, &statement.values)?;
        let mut found = Vec::new();
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(error)? {
            let value = |index| row.get_ref(index).map(rusqlite::types::Value::try_from);
            let mut values = Vec::with_capacity(width);
            for index in 0..width {
                values.push(value(index).map_err(error)?.map_err(|failure| sqlx::Error::Decode(failure.into()))?);
            }
            found.push(WriterRow { columns: Arc::clone(&columns), values });
        }
        Ok(found)
    }

    /// Runs fixed SQL text without values.
    pub(in crate::store) fn script(&mut self, text: &'static str) -> SqlxResult<()> {
        self.connection()?.execute_batch(text).map_err(error)
    }

    /// Closes the connection.
    pub(super) async fn close(mut self) -> SqlxResult<()> {
        match self.conn.take() {
            Some(conn) => blocking(move || conn.close().map_err(|(_, failure)| error(failure))).await,
            None => Ok(()),
        }
    }

    fn connection(&mut self) -> SqlxResult<&mut Connection> {
        self.conn.as_mut().ok_or_else(gone)
    }

    /// Runs `work` on a thread for blocking work. If the caller goes away meanwhile, the connection is closed.
    async fn run_blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Connection) -> SqlxResult<T> + Send + 'static,
    ) -> SqlxResult<T> {
        let mut conn = self.conn.take().ok_or_else(gone)?;
        let (conn, done) = blocking(move || {
            let done = work(&mut conn);
            Ok((conn, done))
        })
        .await?;
        self.conn = Some(conn);
        done
    }
}

fn read_first(mut statement: CachedStatement<'_>) -> SqlxResult<i64> {
    statement.query_row([], |row| row.get(0)).map_err(error)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> SqlxResult<T> + Send + 'static) -> SqlxResult<T> {
    spawn_blocking(work).await.map_err(|_| gone())?
}

/// Returns the error for a connection whose transaction was lost, because the runtime ended or a task panicked.
fn gone() -> sqlx::Error {
    sqlx::Error::WorkerCrashed
}

fn bind(prepared: &mut CachedStatement<'_>, values: &[Value]) -> SqlxResult<()> {
    for (index, value) in (1..).zip(values) {
        match value {
            Value::Int(value) => prepared.raw_bind_parameter(index, value),
            Value::Text(value) => prepared.raw_bind_parameter(index, value),
            Value::Flag(value) => prepared.raw_bind_parameter(index, value),
            Value::Bytes(value) => prepared.raw_bind_parameter(index, value),
            // SQLite has no arrays, so it gets JSON: the debug format of the list.
            Value::Ints(values) => prepared.raw_bind_parameter(index, format!("{values:?}")),
        }
        .map_err(error)?;
    }
    Ok(())
}

/// A type that can be read from a [`WriterRow`].
pub(in crate::store) trait FromColumn<'r>: Sized {
    /// Converts a value; `None` if it has another type.
    fn from_column(value: &'r rusqlite::types::Value) -> Option<Self>;
}

impl FromColumn<'_> for i64 {
    fn from_column(value: &rusqlite::types::Value) -> Option<Self> {
        match value {
            rusqlite::types::Value::Integer(number) => Some(*number),
            _ => None,
        }
    }
}

impl FromColumn<'_> for bool {
    fn from_column(value: &rusqlite::types::Value) -> Option<Self> {
        i64::from_column(value).map(|number| number != 0)
    }
}

impl<'r> FromColumn<'r> for &'r str {
    fn from_column(value: &'r rusqlite::types::Value) -> Option<Self> {
        match value {
            rusqlite::types::Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromColumn<'_> for Vec<u8> {
    fn from_column(value: &rusqlite::types::Value) -> Option<Self> {
        match value {
            rusqlite::types::Value::Blob(bytes) => Some(bytes.clone()),
            _ => None,
        }
    }
}

impl FromColumn<'_> for String {
    fn from_column(value: &rusqlite::types::Value) -> Option<Self> {
        <&str>::from_column(value).map(str::to_owned)
    }
}

impl<'r, T: FromColumn<'r>> FromColumn<'r> for Option<T> {
    fn from_column(value: &'r rusqlite::types::Value) -> Option<Self> {
        match value {
            rusqlite::types::Value::Null => Some(None),
            value => T::from_column(value).map(Some),
        }
    }
}

impl WriterRow {
    /// Reads the column at `index`.
    pub(in crate::store) fn at<'r, T: FromColumn<'r>>(&'r self, index: usize) -> SqlxResult<T> {
        let value = self.values.get(index).ok_or_else(|| sqlx::Error::ColumnNotFound(index.to_string()))?;
        T::from_column(value)
            .ok_or_else(|| sqlx::Error::Decode(format!("column {index} has the type {}", value.data_type()).into()))
    }

    /// Reads the column with this name.
    pub(in crate::store) fn named<'r, T: FromColumn<'r>>(&'r self, name: &str) -> SqlxResult<T> {
        let index = self.columns.get(name).ok_or_else(|| sqlx::Error::ColumnNotFound(name.to_owned()))?;
        self.at(*index)
    }
}

/// Converts an error to that of sqlx, so that all errors of the store are classified in one place.
fn error(failure: rusqlite::Error) -> sqlx::Error {
    match failure {
        rusqlite::Error::SqliteFailure(code, message) => {
            let message = message.unwrap_or_else(|| ffi::code_to_str(code.extended_code).to_owned());
            sqlx::Error::Database(Box::new(WriterError { code: code.extended_code, message }))
        }
        other => sqlx::Error::Decode(Box::new(other)),
    }
}

/// An error that SQLite returned to the writer.
#[derive(Debug)]
struct WriterError {
    /// The extended result code.
    code: i32,
    message: String,
}

impl fmt::Display for WriterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.code, self.message)
    }
}

impl std::error::Error for WriterError {}

impl DatabaseError for WriterError {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn std::error::Error + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn std::error::Error + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}
