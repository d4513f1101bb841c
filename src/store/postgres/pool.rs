//! Connection pool for PostgreSQL. Each connection serves one caller at a time. A connection that may still have a
//! statement or transaction in progress is closed instead of used again.
//!
//! sqlx's pool does not fit, because a connection belongs to the runtime that opened it. Heartbeats run on a separate
//! thread with its own runtime; they must neither open connections on that runtime nor wait for slow reads. This pool
//! opens every connection on one runtime of the store.

use super::abandoned::{self, AbandonedRead};
use super::error::code;
use super::url::{DatabaseUrl, TRANSACTION_SETTINGS};
use crate::domain::backoff::Backoff;
use crate::store::{ConnectionCounts, Result, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, Row, raw_sql};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum number of ordinary connections. It is small, since all consoles and workers share the connections of a
/// server, by default a hundred.
const ORDINARY_CONNECTIONS: usize = 6;
/// Maximum number of further connections, for heartbeats, notifications and polls.
const HEARTBEAT_CONNECTIONS: usize = 3;
/// Longest time to open a connection, or to ping an idle one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a free connection of the pool.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest wait for the response to a statement. Detects dead connections: a live server ends a statement earlier
/// (`statement_timeout`).
pub(in crate::store) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(35);
/// Longest time for which closing waits until abandoned reads are stopped.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);
/// Idle time after which a connection is pinged before it is used.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Idle time after which a connection is closed instead of used.
const MAX_IDLE: Duration = Duration::from_secs(300);

/// Share of the pool from which a connection comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PoolShare {
    Ordinary,
    /// For heartbeats, notifications and polls, which must not wait for other work.
    Heartbeat,
}

/// The connections to one database.
pub(super) struct Pool {
    url: DatabaseUrl,
    options: PgConnectOptions,
    runtime: Handle,
    ordinary: Arc<Semaphore>,
    heartbeat: Arc<Semaphore>,
    idle: Mutex<Idle>,
    /// Tasks that stop abandoned reads.
    stopping: TaskTracker,
}

/// An open connection.
pub(super) struct OpenConnection {
    pub(super) conn: PgConnection,
    /// Process id of the server process that serves the connection. Behind PgBouncer it is known only within a
    /// transaction, because each transaction may run on another server connection.
    pub(super) backend: Option<i32>,
}

#[derive(Default)]
struct Idle {
    connections: Vec<(OpenConnection, Instant)>,
    closed: bool,
    backoff: Backoff,
    /// After a failed connection: the time before which no other one is attempted, and the message of the failure.
    outage: Option<(Instant, String)>,
}

impl Pool {
    /// Creates a pool for `url`. Connections are opened on `runtime` when they are needed.
    pub(super) fn new(url: DatabaseUrl, options: PgConnectOptions, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            url,
            options,
            runtime,
            ordinary: Arc::new(Semaphore::new(ORDINARY_CONNECTIONS)),
            heartbeat: Arc::new(Semaphore::new(HEARTBEAT_CONNECTIONS)),
            idle: Mutex::default(),
            stopping: TaskTracker::new(),
        })
    }

    /// Returns the address of the database.
    pub(super) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Returns the number of ordinary connections that are in use.
    pub(super) fn counts(&self) -> ConnectionCounts {
        let busy = ORDINARY_CONNECTIONS.saturating_sub(self.ordinary.available_permits());
        ConnectionCounts { busy: busy as u64, max: ORDINARY_CONNECTIONS as u64 }
    }

    /// Returns the runtime that owns the connections.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // Every change is complete before anything can panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an idle connection, or opens one. Waits up to [`ACQUIRE_TIMEOUT`] while all connections of the share
    /// `of` are in use.
    pub(super) async fn acquire(self: &Arc<Self>, of: PoolShare) -> Result<PooledConnection> {
        let permits = if of == PoolShare::Heartbeat { &self.heartbeat } else { &self.ordinary };
        let permit = timeout(ACQUIRE_TIMEOUT, Arc::clone(permits).acquire_owned()).await;
        let permit =
            permit.map_err(|_| StoreError::Unavailable("all connections are busy".into()))?.map_err(|_| closed())?;
        loop {
            let resting = {
                let mut idle = self.idle();
                if idle.closed {
                    return Err(closed());
                }
                idle.connections.pop()
            };
            let Some((mut open, since)) = resting else { break };
            let alive = since.elapsed() < PING_AFTER_IDLE
                || (since.elapsed() < MAX_IDLE
                    && matches!(timeout(CONNECT_TIMEOUT, open.conn.ping()).await, Ok(Ok(()))));
            if alive {
                return Ok(PooledConnection::new(open, self, permit));
            }
        }
        Ok(PooledConnection::new(self.connect().await?, self, permit))
    }

    /// Opens a connection. Fails at once during the back-off after a failed connection.
    async fn connect(&self) -> Result<OpenConnection> {
        if let Some((until, why)) = &self.idle().outage
            && Instant::now() < *until
        {
            return Err(StoreError::Unavailable(why.clone()));
        }
        let connected = self.connect_at_once().await;
        let mut idle = self.idle();
        match &connected {
            Ok(_) => {
                idle.backoff.reset();
                idle.outage = None;
            }
            Err(error) => {
                let wait = idle.backoff.wait();
                idle.outage = Some((Instant::now() + wait, error.to_string()));
                // The server is gone, so the idle connections are useless.
                idle.connections.clear();
            }
        }
        drop(idle);
        connected
    }

    /// Opens a connection without regard to the back-off.
    async fn connect_at_once(&self) -> Result<OpenConnection> {
        let (options, pgbouncer) = (self.options.clone(), self.url.pgbouncer);
        let connecting = async move {
            let mut conn = options.connect().await?;
            let backend = if pgbouncer { None } else { Some(backend_of(&mut conn).await?) };
            Ok(OpenConnection { conn, backend })
        };
        let connecting = self.runtime.spawn(timeout(CONNECT_TIMEOUT, connecting));
        match connecting.await {
            Ok(Ok(Ok(open))) => Ok(open),
            Ok(Ok(Err(error))) => Err(self.url.explain(&error)),
            Ok(Err(_)) => Err(StoreError::Unavailable(self.url.describe("does not answer within 5 s"))),
            Err(_) => Err(closed()),
        }
    }

    /// Returns a connection without a statement or transaction in progress to the pool.
    pub(super) fn put_back(&self, open: OpenConnection) {
        let mut idle = self.idle();
        if !idle.closed {
            idle.connections.push((open, Instant::now()));
        }
    }

    /// Waits until no connection is in use, and blocks further use until the returned permits are dropped.
    pub(super) async fn quiesce(&self) -> Vec<OwnedSemaphorePermit> {
        let mut all = Vec::new();
        for (permits, count) in [(&self.ordinary, ORDINARY_CONNECTIONS), (&self.heartbeat, HEARTBEAT_CONNECTIONS)] {
            // A closed semaphore gives no permits.
            all.extend(Arc::clone(permits).acquire_many_owned(u32::try_from(count).unwrap_or(1)).await.ok());
        }
        all
    }

    /// Closes the idle connections and refuses further use. A connection in use is closed when its caller drops it.
    pub(super) async fn close(&self) {
        self.stopping.close();
        // The time limit keeps a server that does not answer from blocking the process.
        let _ = timeout(STOP_TIMEOUT, self.stopping.wait()).await;
        let resting = {
            let mut idle = self.idle();
            idle.closed = true;
            std::mem::take(&mut idle.connections)
        };
        for (open, _) in resting {
            // The connection is idle, so nothing can be lost.
            let _ = timeout(CONNECT_TIMEOUT, open.conn.close()).await;
        }
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

/// A connection of the pool. A drop returns it to the pool or, in the middle of a statement or transaction, closes it.
pub(in crate::store) struct PooledConnection {
    /// Connection and permit; `None` once the read on it was abandoned.
    leased: Option<(OpenConnection, OwnedSemaphorePermit)>,
    pool: Arc<Pool>,
    /// True while no statement is in progress.
    at_rest: bool,
    in_transaction: bool,
}

impl PooledConnection {
    fn new(open: OpenConnection, pool: &Arc<Pool>, permit: OwnedSemaphorePermit) -> Self {
        Self { leased: Some((open, permit)), pool: Arc::clone(pool), at_rest: true, in_transaction: false }
    }

    /// Returns the connection for one statement; the caller passes the statement's result to
    /// [`end_statement`](Self::end_statement). Behind PgBouncer, a statement outside a transaction gets its own
    /// transaction, since the parts of the statement (parsing, execution) could otherwise reach different server
    /// connections. The second value is true in that case.
    pub(in crate::store) async fn begin_statement(&mut self) -> std::result::Result<(&mut PgConnection, bool), Error> {
        let alone = self.pool.url.pgbouncer && !self.in_transaction;
        if alone {
            self.script("BEGIN").await?;
        }
        self.at_rest = false;
        Ok((&mut self.open()?.conn, alone))
    }

    /// Returns true if prepared statements can be used again. Behind PgBouncer the next statement may run on another
    /// server connection, which does not have them.
    pub(in crate::store) fn keeps_statements(&self) -> bool {
        !self.pool.url.pgbouncer
    }

    fn open(&mut self) -> std::result::Result<&mut OpenConnection, Error> {
        let gone = || Error::Io(std::io::Error::new(std::io::ErrorKind::NotConnected, "the connection is closed"));
        self.leased.as_mut().map(|(open, _)| open).ok_or_else(gone)
    }

    /// Records the response of one statement, or its timeout, and returns it. If the statement succeeded in its own
    /// transaction (`alone`), commits that.
    pub(in crate::store) async fn end_statement<T>(
        &mut self,
        answer: std::result::Result<std::result::Result<T, Error>, Elapsed>,
        alone: bool,
    ) -> std::result::Result<T, Error> {
        let late = |_| Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 35 s"));
        let answer = answer.map_err(late)?;
        // After a response of the server, even an error, no statement is in progress, unless the server shuts down
        // (57P).
        self.at_rest = match &answer {
            Ok(_) => true,
            Err(error @ Error::Database(_)) => !code(error).is_some_and(|code| code.starts_with("57P")),
            Err(_) => false,
        };
        if alone && answer.is_ok() {
            self.script("COMMIT").await?;
        }
        answer
    }

    /// Runs fixed SQL text, and tracks where transactions begin and end.
    pub(in crate::store) async fn script(&mut self, text: &'static str) -> std::result::Result<(), Error> {
        let begins = text.starts_with("BEGIN");
        self.in_transaction |= begins;
        let pgbouncer = self.pool.url.pgbouncer;
        let settings = if begins && pgbouncer { TRANSACTION_SETTINGS } else { "" };
        self.at_rest = false;
        let script = raw_sql(AssertSqlSafe(format!("{text}{settings}")));
        let answer = timeout(RESPONSE_TIMEOUT, script.fetch_all(&mut self.open()?.conn)).await;
        let rows = Box::pin(self.end_statement(answer, false)).await?;
        let ends = text.ends_with("COMMIT") || text == "ROLLBACK";
        self.in_transaction &= !ends;
        if pgbouncer && (begins || ends) {
            self.open()?.backend = rows.last().map(|row| row.try_get(0)).transpose()?;
        }
        Ok(())
    }

    /// Begins a transaction by the fixed text `begin`, runs `query`, the fixed text of queries that begins with `; `, in
    /// the same round trip, and returns the last row.
    pub(in crate::store) async fn begin(&mut self, begin: &str, query: &str) -> std::result::Result<PgRow, Error> {
        self.in_transaction = true;
        let pgbouncer = self.pool.url.pgbouncer;
        let settings = if pgbouncer { TRANSACTION_SETTINGS } else { "" };
        self.at_rest = false;
        let script = raw_sql(AssertSqlSafe(format!("{begin}{settings}{query}")));
        let answer = timeout(RESPONSE_TIMEOUT, script.fetch_all(&mut self.open()?.conn)).await;
        let mut rows = Box::pin(self.end_statement(answer, false)).await?;
        if pgbouncer {
            self.open()?.backend = rows.first().map(|row| row.try_get(0)).transpose()?;
        }
        rows.pop().ok_or(Error::RowNotFound)
    }

    /// Stops the statement in progress on the server, a read whose result nobody awaits any more, and takes the
    /// connection from this caller. The pool gets the connection back once the statement has ended.
    pub(in crate::store) fn abandon_read(&mut self) {
        if let Some((open, permit)) = self.leased.take() {
            let read = AbandonedRead { open, in_transaction: self.in_transaction, permit };
            self.pool.stopping.spawn_on(abandoned::stop(Arc::clone(&self.pool), read), &self.pool.runtime);
        }
    }
}

impl Drop for PooledConnection {
    fn drop(&mut self) {
        if let (true, false, Some((open, _))) = (self.at_rest, self.in_transaction, self.leased.take()) {
            self.pool.put_back(open);
        }
    }
}

/// Returns the process id of the server process that serves a connection.
async fn backend_of(conn: &mut PgConnection) -> std::result::Result<i32, Error> {
    raw_sql("SELECT pg_backend_pid()").fetch_one(conn).await?.try_get(0)
}

/// Starts a thread with a runtime that owns the connections until `ended` is cancelled. The connections outlive the
/// caller that needed them first, and are served even while the program's other threads are busy.
pub(super) fn runtime(ended: CancellationToken) -> Result<Handle> {
    let cannot = |error: std::io::Error| StoreError::Unavailable(format!("no thread for connections: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(ended.cancelled());
    std::thread::Builder::new().name("postgres".into()).spawn(run).map_err(cannot)?;
    Ok(handle)
}
