//! Connections to PostgreSQL: a few, given out one at a time, closed whenever it is not certain that they are at rest.
//!
//! Not sqlx's pool: a connection belongs to the runtime that opened it, and the heartbeat (a thread and a runtime of its
//! own) must neither open connections there nor wait behind slow readings. All are opened on the store's own runtime.

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

/// Connections at a time: few, since a console and some workers share a server's hundred.
const CONNECTIONS: usize = 6;
/// Beside them, for heartbeats and signals.
const FOR_BEATS: usize = 3;
/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);
/// How long somebody waits for one of ours to be free.
const TURN: Duration = Duration::from_secs(15);
/// How long an answer may take; the server gives up before (`statement_timeout`), so this is for lines that are dead.
pub(in crate::store) const ANSWER: Duration = Duration::from_secs(35);
/// A connection that rested longer is asked whether it is alive before it is used.
const RESTED: Duration = Duration::from_secs(1);
/// One that rested longer is closed.
const TOO_LONG: Duration = Duration::from_secs(300);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Anything.
    Ordinary,
    /// A heartbeat, which must not wait behind the rest.
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
    /// Nobody tries to connect before this; and why.
    outage: Option<(Instant, String)>,
}

impl Pool {
    /// Connections to `place`, opened on `runtime` when they are needed.
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

    /// Where it leads.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The runtime of its connections.
    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        // Every change is whole before anything can panic.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection.
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

    /// A new connection, unless the last failure is too fresh.
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
                // What rests was connected to what is gone.
                idle.resting.clear();
            }
        }
        drop(idle);
        connected
    }

    /// A new connection, whatever happened before.
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

    /// Waits for every connection that is out, and keeps them all in.
    pub(super) async fn at_rest(&self) -> Vec<OwnedSemaphorePermit> {
        let mut all = Vec::new();
        for (permits, count) in [(&self.ordinary, CONNECTIONS), (&self.beats, FOR_BEATS)] {
            // A semaphore that is closed gives nothing out any more.
            all.extend(Arc::clone(permits).acquire_many_owned(u32::try_from(count).unwrap_or(1)).await.ok());
        }
        all
    }

    /// Closes what rests; what is out is closed when it comes back.
    pub(super) async fn close(&self) {
        let resting = {
            let mut idle = self.idle();
            idle.closed = true;
            std::mem::take(&mut idle.resting)
        };
        for (conn, _) in resting {
            // It is at rest: nothing can be lost.
            let _ = timeout(CONNECT, conn.close()).await;
        }
    }
}

pub(super) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

/// A connection that goes back when it is dropped at rest, and is closed when it is dropped in the middle of anything.
pub(in crate::store) struct Lease {
    conn: Option<PgConnection>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
    /// Nothing is under way on the wire.
    at_rest: bool,
    in_transaction: bool,
}

impl Lease {
    fn of(conn: PgConnection, pool: &Arc<Pool>, permit: OwnedSemaphorePermit) -> Self {
        Self { conn: Some(conn), pool: Arc::clone(pool), _permit: permit, at_rest: true, in_transaction: false }
    }

    /// The wire, for one statement; what it answers goes to [`answered`](Self::answered). Behind PgBouncer a statement
    /// is a transaction of its own: its parts would else reach different servers.
    pub(in crate::store) async fn wire(&mut self) -> std::result::Result<(&mut PgConnection, bool), Error> {
        let alone = self.pool.place.pgbouncer && !self.in_transaction;
        if alone {
            self.script("BEGIN").await?;
        }
        self.at_rest = false;
        Ok((self.conn()?, alone))
    }

    /// Whether the server keeps prepared statements; behind PgBouncer they would be found on another connection.
    pub(in crate::store) fn keeps_statements(&self) -> bool {
        !self.pool.place.pgbouncer
    }

    fn conn(&mut self) -> std::result::Result<&mut PgConnection, Error> {
        let gone = || Error::Io(std::io::Error::new(std::io::ErrorKind::NotConnected, "the connection is closed"));
        self.conn.as_mut().ok_or_else(gone)
    }

    /// Takes the answer of one statement, or that there was none in time.
    pub(in crate::store) async fn answered<T>(
        &mut self,
        answer: std::result::Result<std::result::Result<T, Error>, Elapsed>,
        alone: bool,
    ) -> std::result::Result<T, Error> {
        let late = |_| Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 35 s"));
        let answer = answer.map_err(late)?;
        // An answer of the server, good or bad, leaves the wire at rest; unless it says that it goes down.
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

    /// Runs fixed text; keeps account of where transactions begin and end.
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

/// A thread with a runtime that owns the connections until `ended`: they outlive whoever asked for them first, and are
/// served while the program's own threads are busy.
pub(super) fn runtime(ended: CancellationToken) -> Result<Handle> {
    let cannot = |error: std::io::Error| StoreError::Unavailable(format!("no thread for connections: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(ended.cancelled());
    std::thread::Builder::new().name("postgres".into()).spawn(run).map_err(cannot)?;
    Ok(handle)
}
