//! What is SQLite's own: one connection that writes, a few that read, lock files by which processes are seen to live,
//! and a task that watches for what other processes commit.
//!
//! `connect` opens and refuses, `migrate` brings up to date once `backup` has made a copy and no worker is too `older`,
//! `examine` only looks, `locks` keeps the lock files, `watch` watches.

mod backup;
mod connect;
pub(super) mod error;
pub(super) mod examine;
mod file_identity;
mod locks;
mod migrate;
mod older;
mod watch;

use crate::domain::text::SafeLine;
use crate::store::migrations::{VERSION, missing};
use crate::store::sql::conn::Conn;
use crate::store::sql::error::reading;
use crate::store::upgrade::{AT_OPENING, Migration, OlderWorker, Upgrade, Upgraded};
use crate::store::version::SchemaMismatch;
use crate::store::{Access, Result, StoreError};
use connect::{BUSY, Connect, check_header, take_turn};
use locks::Locks;
use migrate::Standing;
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch::Sender;
use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};
use tokio_util::sync::CancellationToken;

/// Readers at a time; a console has one query of each kind under way.
const READERS: u32 = 4;
/// Longer than the pauses with which SQLite's first looks at a busy lock are spaced.
const GIVE_WAY: Duration = Duration::from_millis(6);

/// The place of the one connection that writes, taken for a transaction. It is empty while the transaction has the
/// connection.
pub(super) type WriterSlot<'s> = MutexGuard<'s, Option<SqliteConnection>>;

/// Where readers come from.
enum Readers {
    /// Kept open.
    Pool(SqlitePool),
    /// Opened for each reading: the store is open for reading alone, and it is asked each time whether its file is at
    /// rest.
    Fresh,
}

/// One file.
pub(super) struct Sqlite {
    connect: Connect,
    /// What opening it has done to a store that was there.
    pub(super) upgraded: Option<Upgraded>,
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    readers: Readers,
    locks: Locks,
}

impl Sqlite {
    /// Opens the file at `path`, and makes it when it may.
    pub(super) async fn open(path: &Path, access: Access) -> Result<Self> {
        let (connect, upgraded) = Connect::prepare(path, access, AT_OPENING).await?;
        let readers = if access == Access::ReadOnly { Readers::Fresh } else { Readers::Pool(pool(&connect)) };
        let locks = Locks::in_folder(connect.beside(".workers"));
        Ok(Self { connect, upgraded, writer: Arc::default(), readers, locks })
    }

    /// What the screen calls it.
    pub(super) fn label(&self) -> SafeLine {
        let name = self.connect.path().file_name().unwrap_or_default();
        SafeLine::new(&format!("sqlite {}", name.to_string_lossy()))
    }

    /// Returns the task that counts up `changes` when another process has committed, and sets `mismatches` when one has
    /// migrated; it ends with `stop`.
    pub(super) fn watch(
        &self,
        changes: Sender<u64>,
        mismatches: Sender<Option<SchemaMismatch>>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        watch::other_processes(self.connect.clone(), changes, mismatches, stop)
    }

    /// The place of the one connection that writes.
    pub(super) async fn writer(&self) -> WriterSlot<'_> {
        self.writer.lock().await
    }

    /// Begins a transaction on it, and reads the version of the schema in it; nobody else writes until it ends.
    pub(super) async fn begin(&self, slot: &mut Option<SqliteConnection>) -> Result<(SqliteConnection, i64)> {
        self.connect.check_place()?;
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => self.connect.writer().await?,
        };
        let version = take_turn(&mut conn, BUSY).await?;
        Ok((conn, version))
    }

    /// Between the transactions of a long bulk.
    pub(super) async fn give_way(&self) {
        tokio::time::sleep(GIVE_WAY).await;
    }

    /// A connection for one reading.
    pub(super) async fn reader(&self) -> Result<Conn> {
        self.connect.check_place()?;
        Ok(match &self.readers {
            Readers::Pool(pool) => Conn::SqlitePooled(pool.acquire().await.map_err(reading)?),
            Readers::Fresh => Conn::Sqlite(self.connect.reader().await?),
        })
    }

    /// A worker of this process takes its lock.
    pub(super) fn hold_lock(&self, worker: &str) -> Result<()> {
        self.locks.hold(worker)
    }

    /// It lets go of it.
    pub(super) fn let_go(&self, worker: &str) {
        self.locks.let_go(worker);
    }

    /// Whether the process of a worker is gone: its lock can be taken.
    pub(super) fn process_is_gone(&self, worker: &str) -> bool {
        self.locks.process_is_gone(worker)
    }

    /// Removes lock files of the dead.
    pub(super) fn remove_stray_locks(&self, dead: &[String]) {
        self.locks.remove_stray(dead);
    }

    /// Nobody of this process writes until the answer is dropped.
    pub(super) async fn at_rest(&self) -> OwnedMutexGuard<Option<SqliteConnection>> {
        Arc::clone(&self.writer).lock_owned().await
    }

    /// Closes its connections, the one that writes last: SQLite takes its log away with it.
    pub(super) async fn close(&self) {
        if let Readers::Pool(pool) = &self.readers {
            pool.close().await;
        }
        if let Some(conn) = self.writer.lock().await.take() {
            // What can be lost was committed; an error here loses nothing.
            let _ = conn.close().await;
        }
        self.locks.leave();
    }
}

/// The steps by which the file at `path` is brought up to date or made.
pub(super) async fn plan(path: &Path) -> Result<Vec<Migration>> {
    let versions = |done| missing(done).map(|(version, _)| Migration::Version(version));
    let Some(mut looked) = Looked::at(path).await? else { return Ok(versions(0).collect()) };
    let mut steps = Vec::new();
    let mut done = 0;
    if let Standing::Ours(version) = looked.standing {
        done = version;
        if !migrate::is_current(looked.standing) && migrate::holds_anything(&mut looked.conn).await? {
            steps.push(Migration::Copy);
        }
    }
    looked.close().await;
    steps.extend(versions(done));
    Ok(steps)
}

/// The live workers that bringing the file at `path` up to date would leave behind.
pub(super) async fn older_workers(path: &Path) -> Result<Vec<OlderWorker>> {
    let Some(mut looked) = Looked::at(path).await? else { return Ok(Vec::new()) };
    let older = match looked.standing {
        Standing::Ours(version) if version < VERSION => older::workers(&looked.connect, &mut looked.conn).await?,
        _ => Vec::new(),
    };
    looked.close().await;
    Ok(older)
}

/// Brings the file at `path` up to date, or makes it.
pub(super) async fn upgrade(path: &Path, how: Upgrade) -> Result<Option<Upgraded>> {
    let (_, upgraded) = Connect::prepare(path, Access::Create, how).await?;
    Ok(upgraded)
}

/// A file that is there, and a connection that only reads it.
struct Looked {
    connect: Connect,
    conn: SqliteConnection,
    standing: Standing,
}

impl Looked {
    /// The file at `path`; `None` when there is none.
    async fn at(path: &Path) -> Result<Option<Self>> {
        let connect = Connect::to_look(path)?;
        let unusable = |why: String| StoreError::Unusable(format!("{}: {why}", connect.path().display()));
        if !connect.path().exists() {
            return Ok(None);
        }
        check_header(connect.path()).map_err(unusable)?;
        let mut conn = connect.reader().await?;
        let standing = match migrate::standing(&mut conn).await {
            Err(StoreError::Unusable(why) | StoreError::Corrupt(why)) => return Err(unusable(why)),
            standing => standing?,
        };
        Ok(Some(Self { connect, conn, standing }))
    }

    /// Closes the connection before another one writes: SQLite's log goes with the last one, which must be that.
    async fn close(self) {
        // It only read.
        let _ = self.conn.close().await;
    }
}

fn pool(connect: &Connect) -> SqlitePool {
    let options = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        // A reading that was dropped half way leaves its snapshot open: the next one would read the past.
        .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }));
    options.connect_lazy_with(connect.reader_options())
}
