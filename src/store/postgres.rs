//! PostgreSQL-specific parts of the store: connections, the server's clock, advisory locks that show which worker
//! processes are alive, and notifications between processes.
//!
//! `url` parses the URL and explains what is wrong with it, `pool` keeps connections, `abandoned` stops reads whose
//! caller went away, `schema` reads what the database contains, `migrate` brings our tables up to date, `older` finds
//! workers of older programs, `examine` checks the database for `doctor`, `session` keeps the one connection that owns
//! the locks and receives notifications.

mod abandoned;
pub(super) mod error;
pub(super) mod examine;
pub mod migrate;
mod older;
mod pool;
mod rights;
mod schema;
mod session;
pub(super) mod url;

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::topic::TopicSet;
use crate::store::Options;
use crate::store::sql::clock::{Clock, SystemClock};
use crate::store::sql::conn::{Conn, Purpose, Row, get};
use crate::store::sql::error::{no_row, reading, writing};
use crate::store::sql::rows::workers::KnownWorker;
use crate::store::sql::statement::query;
use crate::store::version::SchemaMismatch;
use crate::store::{ChangeSender, ConnectionCounts, Result, StoreError};
use pool::{Pool, PoolShare};
use schema::DatabaseState;
use session::{Session, lock_key};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::DatabaseUrl;

pub(super) use pool::{PooledConnection, RESPONSE_TIMEOUT};

/// Time without a heartbeat after which a worker without an advisory lock (behind PgBouncer) counts as dead.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(60);
/// Delay before a free worker lock is checked a second time: its owner's connection may have broken and be about to
/// reconnect.
const LOCK_RECHECK_DELAY: Duration = Duration::from_millis(300);
/// The query for the server's clock and the schema version, run with the beginning of a transaction.
const CLOCK_AND_VERSION: &str = "; SELECT quarterdeck.micros(clock_timestamp() AT TIME ZONE 'UTC'), \
     (SELECT max(version) FROM quarterdeck.migrations)";
/// The advisory lock that serialises transactions which move jobs in the queue; the key is `qd-queue` in ASCII.
pub(super) const QUEUE_LOCK: i64 = i64::from_be_bytes(*b"qd-queue");

/// An open PostgreSQL database.
pub(super) struct Postgres {
    pool: Arc<Pool>,
    session: Session,
    clock: Option<Arc<ServerClock>>,
    schema_state: DatabaseState,
    /// Stops the runtime that owns the connections.
    shutdown: CancellationToken,
}

/// An estimate of the server's clock between transactions: the system's clock plus the difference in microseconds that
/// the last transaction measured.
#[derive(Debug, Default)]
struct ServerClock {
    offset_micros: AtomicI64,
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        let here = SystemClock.now().micros();
        Timestamp::from_micros(here.saturating_add(self.offset_micros.load(Ordering::Relaxed)))
    }
}

impl ServerClock {
    fn set(&self, server: Timestamp) {
        let here = SystemClock.now().micros();
        self.offset_micros.store(server.micros().saturating_sub(here), Ordering::Relaxed);
    }
}

impl Postgres {
    /// Connects to the database at `url` and checks its schema; changes nothing. Also returns the clock that the store
    /// is to use: that of `options` or, if that one yields to the database, the server's.
    pub(super) async fn open(url: &str, options: &Options, changes: &ChangeSender) -> Result<(Self, Arc<dyn Clock>)> {
        let (database_url, connect) = DatabaseUrl::parse(url, options.access)?;
        let shutdown = CancellationToken::new();
        let guard = shutdown.clone().drop_guard();
        let runtime = pool::runtime(shutdown.clone())?;
        let pool = Pool::new(database_url, connect.clone(), runtime);
        let mut conn = Conn::Postgres(pool.acquire(PoolShare::Ordinary).await?);
        let schema_state = schema::read_state(&mut conn, pool.url()).await?;
        schema_state.check_usable(pool.url(), options.access)?;
        let server = Arc::new(ServerClock::default());
        server.set(server_time(&mut conn).await?);
        drop(conn);
        let (clock, follows): (Arc<dyn Clock>, _) = if options.clock.yields_to_database() {
            (server.clone(), Some(server))
        } else {
            (options.clock.clone(), None)
        };
        let session = Session::start(&pool, connect, changes.clone());
        let shutdown = guard.disarm();
        Ok((Self { pool, session, clock: follows, schema_state, shutdown }, clock))
    }

    /// Returns the database's name for display, without secrets.
    pub(super) fn label(&self) -> SafeLine {
        SafeLine::new(&self.pool.url().label())
    }

    /// Returns the state of the pool.
    pub(super) fn connections(&self) -> ConnectionCounts {
        self.pool.counts()
    }

    /// Takes a connection for reads from the pool.
    pub(super) async fn acquire(&self) -> Result<PooledConnection> {
        self.pool.acquire(PoolShare::Ordinary).await
    }

    /// Begins a write transaction and returns its connection, the time (the server's, or that of `clock` if the store
    /// uses the caller's) and the schema version. One statement reads time and version. That statement takes a share
    /// lock on the table of migrations, so that a migration waits until the transaction ends.
    pub(super) async fn begin(&self, purpose: Purpose, clock: &dyn Clock) -> Result<(Conn, Timestamp, i64)> {
        let of = if purpose == Purpose::Heartbeat { PoolShare::Heartbeat } else { PoolShare::Ordinary };
        let mut conn = self.pool.acquire(of).await?;
        let begin = match purpose {
            Purpose::Claim => "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan",
            _ => "BEGIN",
        };
        let lock = match purpose {
            // Acquires the queue lock before it reads the clock, since the lock may take a while.
            Purpose::Queue | Purpose::Claim => format!("; SELECT pg_advisory_xact_lock({QUEUE_LOCK})"),
            Purpose::Rows | Purpose::Heartbeat => String::new(),
        };
        // Everything in one round trip.
        let row = conn.begin(begin, &format!("{lock}{CLOCK_AND_VERSION}")).await.map_err(writing)?;
        let (conn, rows) = (Conn::Postgres(conn), [Row::Postgres(row)]);
        let version = get(&rows[0], 1)?;
        let now = match &self.clock {
            Some(server) => {
                let now = first_time(&rows)?;
                server.set(now);
                now
            }
            None => clock.now(),
        };
        Ok((conn, now, version))
    }

    /// Returns true if optimistic transactions save round trips. Behind PgBouncer each statement needs a transaction of its
    /// own, so they would not.
    pub(super) fn has_optimistic_transactions(&self) -> bool {
        !self.pool.url().pgbouncer
    }

    /// Starts the tasks that notify other processes of commits of this one and poll for commits of others. A read-only
    /// store only polls.
    pub(super) fn watch(&self, read_only: bool, mismatches: watch::Sender<Option<SchemaMismatch>>) {
        self.session.watch(&self.pool, read_only, mismatches);
    }

    /// Notifies other processes that this one has changed data of these topics.
    pub(super) fn notify_others(&self, topics: TopicSet) {
        self.session.notify_others(topics);
    }

    /// Takes the advisory lock that shows that this process's worker is alive; behind PgBouncer there is none. Refuses
    /// an id that could not name a lock file.
    pub(super) async fn acquire_worker_lock(&self, worker: &str) -> Result<()> {
        if worker.is_empty() || worker.starts_with('.') || worker.contains(['/', '\0']) {
            // SQLite uses the ids as file names, so both databases accept the same ids.
            return Err(StoreError::Refused(format!("invalid worker id {worker:?}")));
        }
        self.session.acquire_lock(worker).await
    }

    /// Releases the advisory lock of a worker of this process.
    pub(super) async fn release_worker_lock(&self, worker: &str) {
        self.session.release_lock(worker).await;
    }

    /// Returns true if workers of this process have no advisory lock (behind PgBouncer), so that only their leases and
    /// heartbeats show that they are alive.
    pub(super) fn lease_only(&self) -> bool {
        self.pool.url().pgbouncer
    }

    /// Returns the ids of those of the `known` workers whose process is dead: their advisory lock is free or, for a
    /// worker without one, its heartbeat is older than [`HEARTBEAT_TIMEOUT`]. The result is empty for a few seconds
    /// after this process's session broke: the server may have restarted, and a free lock may belong to a live worker
    /// that has not reconnected.
    pub(super) async fn dead_workers(&self, known: &[KnownWorker], now: Timestamp) -> Result<HashSet<String>> {
        if known.is_empty() || !self.session.trusts_locks() {
            return Ok(HashSet::new());
        }
        let mut conn = Conn::Postgres(self.acquire().await?);
        let lease_only = query("SELECT id FROM @workers WHERE lease_only");
        let lease_only = conn.fetch_all(lease_only).await.map_err(reading)?;
        let lease_only: HashSet<String> = lease_only.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        let locks = session::granted_locks(&mut conn).await?;
        let is_gone = |known: &&KnownWorker| {
            if lease_only.contains(&known.id) {
                known.quiet_for(now) > HEARTBEAT_TIMEOUT
            } else {
                !locks.contains(&lock_key(&known.id))
            }
        };
        Ok(known.iter().filter(is_gone).map(|known| known.id.clone()).collect())
    }

    /// Checks the workers `gone` once more after a delay and returns those that are still dead, sorted.
    pub(super) async fn confirm_dead(
        &self,
        gone: Vec<String>,
        known: &[KnownWorker],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        if gone.is_empty() {
            return Ok(gone);
        }
        sleep(LOCK_RECHECK_DELAY).await;
        let candidates: Vec<KnownWorker> = known.iter().filter(|known| gone.contains(&known.id)).cloned().collect();
        let mut gone: Vec<_> = self.dead_workers(&candidates, now).await?.into_iter().collect();
        gone.sort();
        Ok(gone)
    }

    /// Fails unless the role may add documents.
    pub(super) fn may_add(&self) -> Result<()> {
        self.schema_state.may_add(self.pool.url())
    }

    /// Returns true if this program did not create the table of documents, which is then Chatwoot's.
    pub(super) fn is_chatwoot_database(&self) -> bool {
        !self.schema_state.owns_documents()
    }

    /// Fails unless documents may be removed: only from a table that this program has created.
    pub(super) fn may_remove(&self) -> Result<()> {
        self.schema_state.may_remove(self.pool.url())
    }

    /// Waits until no connection of the pool is in use, and delays further use until the result is dropped.
    pub(super) async fn quiesce(&self) -> impl Send + use<> {
        self.pool.quiesce().await
    }

    /// Ends the session and closes all connections.
    pub(super) async fn close(&self) {
        self.session.close().await;
        self.pool.close().await;
        self.shutdown.cancel();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn server_time(conn: &mut Conn) -> Result<Timestamp> {
    let now = query("SELECT micros(clock_timestamp() AT TIME ZONE 'UTC')");
    first_time(&conn.fetch_all(now).await.map_err(reading)?)
}

fn first_time(rows: &[Row]) -> Result<Timestamp> {
    let row = rows.first().ok_or_else(no_row)?;
    Ok(Timestamp::from_micros(get(row, 0)?))
}
