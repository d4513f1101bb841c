//! Connection pool for PostgreSQL: a few connections, each used by one caller at a time, and closed whenever it is not
//! certain that they are at rest (no statement or transaction under way).
//!
//! Not sqlx's pool: a connection belongs to the runtime that opened it, and the heartbeat, which runs on a separate
//! thread and runtime, must neither open connections there nor wait behind slow reads. The store's own runtime opens
//! all of them.

use super::error::code;
use super::url::{Place, TRANSACTION_SETTINGS};
use crate::domain::backoff::Backoff;
use crate::store::{Result, StoreError};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Error, raw_sql};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Number of ordinary connections: few, since a console and some workers share a server's hundred.
const CONNECTIONS: usize = 6;
/// Number of further connections, for heartbeats and notifications.
const FOR_BEATS: usize = 3;
/// Longest time to open a connection, or to ping an idle one.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest wait for a free connection of the pool.
const TURN: Duration = Duration::from_secs(15);
/// Longest wait for a response. The server gives up earlier (`statement_timeout`), so this is for dead connections.
pub(in crate::store) const ANSWER: Duration = Duration::from_secs(35);
/// A connection that was idle for longer is pinged before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// A connection that was idle for longer is closed.
const TOO_LONG: Duration = Duration::from_secs(300);

/// Share of the pool from which a connection comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Ordinary,
    /// Heartbeats and notifications, which must not wait behind the rest.
    Beat,
}

/// The connections to one database.
pub(super) struct Pool {
    place: Place,
    options: PgConnectOptions,
    runtime: Handle,
    ordinary: Arc<Semaphore>,
    beats: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    resting: Vec<(PgConnection, Instant)>,
    closed: bool,
    backoff: Backoff,
    /// Time before which no connection is attempted, and the reason.
    outage: Option<(Instant, String)>,
}

impl Pool {
    /// Creates a pool for `place`. Connections are opened on `runtime` when they are needed.
    pub(super) fn new(place: Place, options: PgConnectOptions, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            place,
            options,
            runtime,
            ordinary: Arc::new(Semaphore::new(CONNECTIONS)),
            beats: Arc::new(Semaphore::new(FOR_BEATS)),
            idle: Mutex::default(),
        })
    }

    /// Returns the address of the database.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Returns the runtime that owns the connections.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // Every change is complete before anything can panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an idle connection, or opens one. Waits up to [`TURN`] while all are in use.
    pub(super) async fn lease(self: &Arc<Self>, of: Use) -> Result<Lease> {
        let permits = if of == Use::Beat { &self.beats } else { &self.ordinary };
        let permit = timeout(TURN, Arc::clone(permits).acquire_owned()).await;
        let permit =
            permit.map_err(|_| StoreError::Unavailable("all connections are busy".into()))?.map_err(|_| closed())?;
        loop {
            let resting = {
                let mut idle = self.idle();
                if idle.closed {
                    return Err(closed());
                }
                idle.resting.pop()
            };
            let Some((mut conn, since)) = resting else { break };
            let alive = since.elapsed() < RESTED
                || (since.elapsed() < TOO_LONG && matches!(timeout(CONNECT, conn.ping()).await, Ok(Ok(()))));
            if alive {
                return Ok(Lease::of(conn, self, permit));
            }
        }
        Ok(Lease::of(self.connect().await?, self, permit))
    }

    /// Opens a connection, unless the back-off after the last failure still runs.
    async fn connect(&self) -> Result<PgConnection> {
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
                // Idle connections lead to a server that is gone.
                idle.resting.clear();
            }
        }
        drop(idle);
        connected
    }

    /// Opens a connection without regard to the back-off.
    pub(super) async fn connect_at_once(&self) -> Result<PgConnection> {
        let options = self.options.clone();
        let connecting = self.runtime.spawn(async move { timeout(CONNECT, options.connect()).await });
        match connecting.await {
            Ok(Ok(Ok(conn))) => Ok(conn),
            Ok(Ok(Err(error))) => Err(self.place.explain(&error)),
            Ok(Err(_)) => Err(StoreError::Unavailable(self.place.says("does not answer within 5 s"))),
            Err(_) => Err(closed()),
        }
    }

    fn put_back(&self, conn: PgConnection) {
        let mut idle = self.idle();
        if !idle.closed {
            idle.resting.push((conn, Instant::now()));
        }
    }

    /// Waits for every connection in use, and blocks further use until the permits are dropped.
    pub(super) async fn at_rest(&self) -> Vec<OwnedSemaphorePermit> {
        let mut all = Vec::new();
        for (permits, count) in [(&self.ordinary, CONNECTIONS), (&self.beats, FOR_BEATS)] {
            // A closed semaphore gives no permits.
            all.extend(Arc::clone(permits).acquire_many_owned(u32::try_from(count).unwrap_or(1)).await.ok());
        }
        all
    }

    /// Closes idle connections; those in use are closed when they come back.
    pub(super) async fn close(&self) {
        let resting = {
            let mut idle = self.idle();
            idle.closed = true;
            std::mem::take(&mut idle.resting)
        };
        for (conn, _) in resting {
            // The connection is at rest, so nothing can be lost.
            let _ = timeout(CONNECT, conn.close()).await;
        }
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

/// A connection of the pool. Dropped at rest it returns to the pool; dropped in the middle of a statement or
/// transaction it is closed.
pub(in crate::store) struct Lease {
    conn: Option<PgConnection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
    /// True while no statement is under way.
    at_rest: bool,
    in_transaction: bool,
}

impl Lease {
    fn of(conn: PgConnection, pool: &Arc<Pool>, permit: OwnedSemaphorePermit) -> Self {
        Self { conn: Some(conn), pool: Arc::clone(pool), _permit: permit, at_rest: true, in_transaction: false }
    }

    /// Returns the connection for one statement, whose response goes to [`answered`](Self::answered). Behind PgBouncer
    /// a statement gets its own transaction, since its parts would otherwise reach different servers; then the second
    /// value is true.
    pub(in crate::store) async fn wire(&mut self) -> std::result::Result<(&mut PgConnection, bool), Error> {
        let alone = self.pool.place.pgbouncer && !self.in_transaction;
        if alone {
            self.script("BEGIN").await?;
        }
        self.at_rest = false;
        Ok((self.conn()?, alone))
    }

    /// Returns true if the server keeps prepared statements; behind PgBouncer they would be on another connection.
    pub(in crate::store) fn keeps_statements(&self) -> bool {
        !self.pool.place.pgbouncer
    }

    fn conn(&mut self) -> std::result::Result<&mut PgConnection, Error> {
        let gone = || Error::Io(std::io::Error::new(std::io::ErrorKind::NotConnected, "the connection is closed"));
        self.conn.as_mut().ok_or_else(gone)
    }

    /// Records the response of one statement, or its timeout. Commits the statement's own transaction if it has one
    /// (`alone`).
    pub(in crate::store) async fn answered<T>(
        &mut self,
        answer: std::result::Result<std::result::Result<T, Error>, Elapsed>,
        alone: bool,
    ) -> std::result::Result<T, Error> {
        let late = |_| Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 35 s"));
        let answer = answer.map_err(late)?;
        // A response of the server, also an error, leaves the connection at rest, unless the server shuts down (57P).
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
        let settings = if begins && self.pool.place.pgbouncer { TRANSACTION_SETTINGS } else { "" };
        self.at_rest = false;
        let script = raw_sql(AssertSqlSafe(format!("{text}{settings}")));
        let answer = timeout(ANSWER, script.execute(self.conn()?)).await;
        Box::pin(self.answered(answer, false)).await?;
        if text == "COMMIT" || text == "ROLLBACK" {
            self.in_transaction = false;
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (true, false, Some(conn)) = (self.at_rest, self.in_transaction, self.conn.take()) {
            self.pool.put_back(conn);
        }
    }
}

/// Starts a thread with a runtime that owns the connections until `ended`. They outlive the caller that needed them
/// first, and are served while the program's other threads are busy.
pub(super) fn runtime(ended: CancellationToken) -> Result<Handle> {
    let cannot = |error: std::io::Error| StoreError::Unavailable(format!("no thread for connections: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(ended.cancelled());
    std::thread::Builder::new().name("postgres".into()).spawn(run).map_err(cannot)?;
    Ok(handle)
}
