//! What is SQLite's own: one connection that writes, a few that read, lock files by which processes are seen to live,
//! and a task that watches for what other processes commit.
//!
//! `connect` opens and refuses, `migrate` brings up to date, `examine` only looks, `locks` keeps the lock files, `watch` watches.

mod connect;
pub(super) mod error;
pub(super) mod examine;
mod file_identity;
mod locks;
mod migrate;
mod watch;

use crate::domain::text::SafeLine;
use crate::store::Access;
use crate::store::Result;
use crate::store::sql::conn::Conn;
use crate::store::sql::error::reading;
use connect::{Connect, take_turn};
use locks::Locks;
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
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    readers: Readers,
    locks: Locks,
}

impl Sqlite {
    /// Opens the file at `path`, and makes it when it may.
    pub(super) async fn open(path: &Path, access: Access) -> Result<Self> {
        let connect = Connect::prepare(path, access).await?;
        let readers = if access == Access::ReadOnly { Readers::Fresh } else { Readers::Pool(pool(&connect)) };
        let locks = Locks::in_folder(connect.beside(".workers"));
        Ok(Self { connect, writer: Arc::default(), readers, locks })
    }

    /// What the screen calls it.
    pub(super) fn label(&self) -> SafeLine {
        let name = self.connect.path().file_name().unwrap_or_default();
        SafeLine::new(&format!("sqlite {}", name.to_string_lossy()))
    }

    /// The task that counts up `changes` when another process has committed; it ends with `stop`.
    pub(super) fn watch(
        &self,
        changes: Sender<u64>,
        stop: CancellationToken,
    ) -> impl Future<Output = ()> + Send + use<> {
        watch::other_processes(self.connect.clone(), changes, stop)
    }

    /// The place of the one connection that writes.
    pub(super) async fn writer(&self) -> WriterSlot<'_> {
        self.writer.lock().await
    }

    /// Begins a transaction on it; nobody else writes until it ends.
    pub(super) async fn begin(&self, slot: &mut Option<SqliteConnection>) -> Result<SqliteConnection> {
        self.connect.check_place()?;
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => self.connect.writer().await?,
        };
        take_turn(&mut conn).await?;
        Ok(conn)
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

fn pool(connect: &Connect) -> SqlitePool {
    let options = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        // A reading that was dropped half way leaves its snapshot open: the next one would read the past.
        .before_acquire(|conn, _| Box::pin(async move { Ok(!conn.is_in_transaction()) }));
    options.connect_lazy_with(connect.reader_options())
}
