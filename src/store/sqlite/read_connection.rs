//! Connections for reads. A read whose caller goes away is stopped inside SQLite: sqlx runs statements on a thread of
//! the connection, where a statement would otherwise run to its end although nobody awaits its result.

use crate::store::Result;
use crate::store::sql::error::reading;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{Sqlite, SqliteConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Number of instructions of SQLite's virtual machine between two checks whether the read was abandoned: some
/// microseconds of work, of which the checks are less than a hundredth.
const CHECK_INTERVAL: i32 = 1_000;

/// A connection for one read. Only reads have such connections, so that no write can be stopped.
pub(in crate::store) struct ReadConnection {
    source: ReadSource,
    /// Checked by the connection's thread while a statement runs; true stops the statement.
    abandoned: Arc<AtomicBool>,
}

/// The source of a connection, which determines what its drop does.
pub(super) enum ReadSource {
    /// A connection of the pool, which gets it back.
    Pooled(PoolConnection<Sqlite>),
    /// A connection of this read alone, which is closed.
    PerRead(SqliteConnection),
}

impl ReadConnection {
    /// Prepares a connection for one read. The flag of an earlier read on the connection has no effect any more.
    pub(super) async fn new(mut source: ReadSource) -> Result<Self> {
        let abandoned = Arc::new(AtomicBool::new(false));
        let checked = Arc::clone(&abandoned);
        let mut handle = source.connection().lock_handle().await.map_err(reading)?;
        handle.set_progress_handler(CHECK_INTERVAL, move || !checked.load(Ordering::Relaxed));
        drop(handle);
        Ok(Self { source, abandoned })
    }

    /// Returns the connection.
    pub(in crate::store) fn connection(&mut self) -> &mut SqliteConnection {
        self.source.connection()
    }

    /// Stops the statement in progress, whose result nobody awaits any more. The pool gets the connection back once the
    /// statement has ended.
    pub(in crate::store) fn abandon_statement(&mut self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// Lets the drop of a pooled connection close it instead of returning it to the pool.
    pub(in crate::store) fn close_on_drop(&mut self) {
        if let ReadSource::Pooled(conn) = &mut self.source {
            conn.close_on_drop();
        }
    }
}

impl ReadSource {
    /// Returns the connection.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Pooled(conn) => conn,
            Self::PerRead(conn) => conn,
        }
    }
}
