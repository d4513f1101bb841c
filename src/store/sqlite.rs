//! SQLite-specific parts of the store: one connection that writes, a few that read, lock files that show which worker
//! processes are alive, and a task that notices commits of other processes.
//!
//! `connect` opens the file or refuses it, `migrate` brings it up to date after `safety_copy` has made a copy and `older`
//! has found no worker of an older program, `compact` writes it anew, `backup` copies it for people and puts a copy in its
//! place, `epoch` begins a new epoch in such a copy, `examine` checks
//! it for `doctor`, `locks` keeps the lock files, `read_connection` stops reads whose caller went away, `watch` watches
//! for commits, `write_lock` finds the process that keeps this one from writing.

pub(super) mod backup;
mod commit_counts;
pub(super) mod compact;
mod connect;
mod epoch;
pub(super) mod error;
pub(super) mod examine;
mod file_copy;
mod file_identity;
mod locks;
mod migrate;
mod older;
mod read_connection;
mod safety_copy;
mod watch;
pub(super) mod write_lock;
mod writer;

use crate::domain::text::SafeLine;
use crate::store::migrations::{SCHEMA_VERSION, pending};
use crate::store::sql::conn::Conn;
use crate::store::sql::error::reading;
use crate::store::sql::topics::Written;
use crate::store::upgrade::{MigrationStep, ON_OPEN, OlderWorker, UpgradeOptions, UpgradeReport};
use crate::store::version::SchemaMismatch;
use crate::store::{Access, ChangeSender, ConnectionCounts, Result, StoreError};
use commit_counts::CountedChanges;
use connect::{Connector, check_header};
use locks::WorkerLocks;
use migrate::FileState;
use read_connection::ReadSource;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Sender;
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;
use write_lock::{LockWait, lock_error, wait_message};

pub(super) use commit_counts::CommitCounts;
pub(super) use read_connection::ReadConnection;
pub(super) use writer::{FromColumn, WriterConnection, WriterRow};

/// Maximum number of connections that read at the same time. A console has at most one query of each kind in progress.
const MAX_READERS: u32 = 4;
/// Pause between the transactions of a bulk change. Longer than SQLite's first retry intervals at a busy lock, so that
/// another process gets the lock.
const YIELD_DELAY: Duration = Duration::from_millis(6);

/// Exclusive access to the one connection that writes, for one transaction. Contains `None` while the transaction owns
/// the connection, before the first transaction, and after one that was dropped midway.
pub(super) type WriterSlot<'s> = MutexGuard<'s, Option<WriterConnection>>;

/// Source of the connections that read.
enum Readers {
    /// Connections that stay open between reads.
    Pool(SqlitePool),
    /// A new connection for each read, for a store that is opened read-only: each read checks whether SQLite's log
    /// beside the file is empty.
    PerRead,
}

impl Readers {
    async fn connection(&self, connect: &Connector) -> Result<ReadSource> {
        Ok(match self {
            Self::Pool(pool) => ReadSource::Pooled(pool.acquire().await.map_err(reading)?),
            Self::PerRead => ReadSource::PerRead(connect.reader().await?),
        })
    }
}

/// An open SQLite file.
pub(super) struct Sqlite {
    connect: Connector,
    /// The upgrade that opening made to an existing store; `None` if there was none.
    pub(super) upgraded: Option<UpgradeReport>,
    writer: Arc<Mutex<Option<WriterConnection>>>,
    readers: Readers,
    locks: WorkerLocks,
    changes: Arc<CountedChanges>,
    lock_wait: LockWait,
}

impl Sqlite {
    /// Opens the file at `path`. Creates it if it is missing and migrates an older one, as far as `access` allows.
    /// `changes` gets the changes of this process and, once they are watched, those of others.
    pub(super) async fn open(path: &Path, access: Access, changes: &ChangeSender) -> Result<Self> {
        let (connect, upgraded) = Connector::prepare(path, access, ON_OPEN).await?;
        let readers =
            if connect.access() == Access::ReadOnly { Readers::PerRead } else { Readers::Pool(pool(&connect)) };
        let locks = WorkerLocks::in_folder(connect.with_suffix(".workers"));
        // Read before anything else is, so that no later commit of another process is missed.
        let counts = CommitCounts::read(readers.connection(&connect).await?.connection()).await?;
        let changes = Arc::new(CountedChanges::new(changes.clone(), counts));
        Ok(Self { connect, upgraded, writer: Arc::default(), readers, locks, changes, lock_wait: LockWait::default() })
    }

    /// Returns the state of the connections: those that read, and the one that writes.
    pub(super) fn connections(&self) -> ConnectionCounts {
        let reading = match &self.readers {
            Readers::Pool(pool) => u64::from(pool.size()).saturating_sub(pool.num_idle() as u64),
            Readers::PerRead => 0,
        };
        let writing = u64::from(self.writer.try_lock().is_err());
        ConnectionCounts { busy: reading + writing, max: u64::from(MAX_READERS) + 1 }
    }

    /// Returns the database's name for display: `sqlite` and the file name.
    pub(super) fn label(&self) -> SafeLine {
        let name = self.connect.path().file_name().unwrap_or_default();
        SafeLine::new(&format!("sqlite {}", name.to_string_lossy()))
    }

    /// Publishes a commit of this process, which wrote the counters `counts`.
    pub(super) fn publish_commit(&self, written: Written, counts: CommitCounts) {
        self.changes.committed(written, counts);
    }

    /// Returns the task that publishes changes by other processes, and sets `mismatches` when one has migrated the
    /// store; cancelling `stop` ends it.
    pub(super) fn watch(
        &self,
        mismatches: Sender<Option<SchemaMismatch>>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        watch::other_processes(self.connect.clone(), Arc::clone(&self.changes), mismatches, stop)
    }

    /// Waits for exclusive access to the connection that writes.
    pub(super) async fn writer(&self) -> WriterSlot<'_> {
        self.writer.lock().await
    }

    /// Takes the connection from `slot`, or opens one, begins a write transaction on it, and returns the connection and
    /// the schema version. No other process writes until the transaction ends.
    pub(super) async fn begin(&self, slot: &mut Option<WriterConnection>) -> Result<(WriterConnection, i64)> {
        self.connect.check_identity()?;
        let path = self.connect.path();
        let since = self.lock_wait.begin();
        let named = |error: sqlx::Error| lock_error(error, path, since);
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => WriterConnection::open(path).await.map_err(named)?,
        };
        let version = conn.begin().await.map_err(named)?;
        self.lock_wait.end();
        Ok((conn, version))
    }

    /// Does what [`begin`](Self::begin) does, except that other processes may write until the transaction first writes.
    pub(super) async fn begin_late(&self, slot: &mut Option<WriterConnection>) -> Result<(WriterConnection, i64)> {
        self.connect.check_identity()?;
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => WriterConnection::open(self.connect.path()).await.map_err(reading)?,
        };
        let version = conn.begin_late().map_err(reading)?;
        Ok((conn, version))
    }

    /// Returns a message that names the process for whose write lock this process has been waiting; `None` if it does
    /// not wait.
    pub(super) fn lock_wait_message(&self) -> Option<String> {
        wait_message(self.connect.path(), self.lock_wait.duration()?)
    }

    /// Pauses between the transactions of a bulk change, so that another process can write.
    pub(super) async fn yield_to_writers(&self) {
        tokio::time::sleep(YIELD_DELAY).await;
    }

    /// Returns a connection for one read.
    pub(super) async fn reader(&self) -> Result<Conn> {
        self.connect.check_identity()?;
        Ok(Conn::SqliteReader(ReadConnection::new(self.readers.connection(&self.connect).await?).await?))
    }

    /// Locks the file that shows that this process's worker is alive.
    pub(super) fn acquire_worker_lock(&self, worker: &str) -> Result<()> {
        self.locks.acquire(worker)
    }

    /// Releases the lock of a worker of this process, and removes the lock file.
    pub(super) fn release_worker_lock(&self, worker: &str) {
        self.locks.release(worker);
    }

    /// Returns true if the process of `worker` is dead: its lock file is not locked or does not exist.
    pub(super) fn process_is_gone(&self, worker: &str) -> bool {
        self.locks.process_is_gone(worker)
    }

    /// Removes the lock files of the workers `dead`, and old lock files that no process has locked.
    pub(super) fn remove_stray_locks(&self, dead: &[String]) {
        self.locks.remove_stray(dead);
    }

    /// Waits until this process has no write in progress, and delays further writes until the result is dropped.
    pub(super) async fn quiesce(&self) -> OwnedMutexGuard<Option<WriterConnection>> {
        Arc::clone(&self.writer).lock_owned().await
    }

    /// Closes the connections, the writing one last, and releases the locks of this process's workers. If no other
    /// process has the file open, SQLite then removes its log file.
    pub(super) async fn close(&self) {
        if let Readers::Pool(pool) = &self.readers {
            pool.close().await;
        }
        if let Some(conn) = self.writer.lock().await.take() {
            // Everything was committed before, so an error here loses nothing.
            let _ = conn.close().await;
        }
        self.locks.release_all();
    }
}

/// Returns the steps that would create the file at `path` or bring it up to date; none if it is up to date. Changes
/// nothing.
pub(super) async fn plan(path: &Path) -> Result<Vec<MigrationStep>> {
    let versions = |done| pending(done).map(|(version, _)| MigrationStep::Version(version));
    let Some(mut existing) = ExistingStore::open(path).await? else { return Ok(versions(0).collect()) };
    let mut steps = Vec::new();
    let mut done = 0;
    if let FileState::Store(version) = existing.schema_state {
        done = version;
        if !migrate::is_current(existing.schema_state) && migrate::holds_anything(&mut existing.conn).await? {
            steps.push(MigrationStep::Copy);
        }
    }
    existing.close().await;
    steps.extend(versions(done));
    Ok(steps)
}

/// Returns the live workers whose program could not use the file at `path` after an upgrade; none if there is nothing
/// to upgrade.
pub(super) async fn older_workers(path: &Path) -> Result<Vec<OlderWorker>> {
    let Some(mut existing) = ExistingStore::open(path).await? else { return Ok(Vec::new()) };
    let older = match existing.schema_state {
        FileState::Store(version) if version < SCHEMA_VERSION => {
            older::workers(&existing.connect, &mut existing.conn).await?
        }
        _ => Vec::new(),
    };
    existing.close().await;
    Ok(older)
}

/// Creates the file at `path` or brings it up to date. Returns `None` if the file is new or was up to date.
pub(super) async fn upgrade(path: &Path, how: UpgradeOptions) -> Result<Option<UpgradeReport>> {
    let (_, upgraded) = Connector::prepare(path, Access::Create, how).await?;
    Ok(upgraded)
}

/// An existing store file with a connection that only reads it.
struct ExistingStore {
    connect: Connector,
    conn: SqliteConnection,
    schema_state: FileState,
}

impl ExistingStore {
    /// Opens the file at `path`; `None` if it does not exist.
    async fn open(path: &Path) -> Result<Option<Self>> {
        let connect = Connector::for_inspection(path)?;
        let unusable = |why: String| StoreError::Unusable(format!("{}: {why}", connect.path().display()));
        if !connect.path().exists() {
            return Ok(None);
        }
        check_header(connect.path()).map_err(unusable)?;
        let mut conn = connect.reader().await?;
        let state = match migrate::file_state(&mut conn).await {
            Err(StoreError::Unusable(why) | StoreError::Corrupt(why)) => return Err(unusable(why)),
            state => state?,
        };
        Ok(Some(Self { connect, conn, schema_state: state }))
    }

    /// Closes the connection. Must happen before another connection writes: SQLite removes its log file when the last
    /// connection closes, and that connection must be one that writes.
    async fn close(self) {
        // This connection only read, so an error loses nothing.
        let _ = self.conn.close().await;
    }
}

fn pool(connect: &Connector) -> SqlitePool {
    let options = SqlitePoolOptions::new()
        .max_connections(MAX_READERS)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        // A read that was dropped midway leaves its snapshot open; the next read would see old data.
        .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }));
    options.connect_lazy_with(connect.reader_options())
}
