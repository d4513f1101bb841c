//! The connections that read.

use super::super::{Result, StoreError};
use super::SqliteStore;
use super::connect::Connect;
use super::error::reading;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, Sqlite};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// Readers at a time; a console has one query of each kind under way.
const READERS: u32 = 4;

/// Where readers come from.
pub(super) enum Readers {
    /// Kept open.
    Pool(SqlitePool),
    /// Opened for each reading: the store is open for reading alone, and it is asked each time whether its file is at
    /// rest.
    Fresh,
}

/// A connection for one reading.
pub(super) enum Reader {
    Pooled(PoolConnection<Sqlite>),
    Fresh(SqliteConnection),
}

impl Deref for Reader {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Pooled(conn) => conn,
            Self::Fresh(conn) => conn,
        }
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Pooled(conn) => conn,
            Self::Fresh(conn) => conn,
        }
    }
}

impl Readers {
    pub(super) fn of(connect: &Connect) -> Self {
        if connect.access() == super::super::Access::ReadOnly {
            return Self::Fresh;
        }
        let options = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(10))
            .test_before_acquire(false)
            // A reading that was dropped half way leaves its snapshot open: the next one would read the past.
            .before_acquire(|conn, _| Box::pin(async move { Ok(at_rest(conn)) }));
        Self::Pool(options.connect_lazy_with(connect.reader_options()))
    }

    pub(super) async fn close(&self) {
        if let Self::Pool(pool) = self {
            pool.close().await;
        }
    }
}

/// Whether no transaction is open.
fn at_rest(conn: &SqliteConnection) -> bool {
    !conn.is_in_transaction()
}

impl SqliteStore {
    /// A connection for one reading.
    pub(super) async fn reader(&self) -> Result<Reader> {
        if self.closed.is_cancelled() {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        self.connect.check_place()?;
        match &self.readers {
            Readers::Pool(pool) => Ok(Reader::Pooled(pool.acquire().await.map_err(reading)?)),
            Readers::Fresh => Ok(Reader::Fresh(self.connect.reader().await?)),
        }
    }
}
