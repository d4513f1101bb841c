//! What is PostgreSQL's own: connections, the server's clock, locks by which processes are seen to live, and signals
//! between processes.
//!
//! `url` reads the URL and explains what goes wrong there, `pool` keeps connections, `schema` looks at what stands in
//! the database, `migrate` brings ours up to date, `examine` tells of both, `session` holds the one connection of locks and signals.

pub(super) mod error;
pub(super) mod examine;
pub mod migrate;
mod older;
mod pool;
mod schema;
mod session;
mod url;

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Options;
use crate::store::sql::clock::{Clock, SystemClock};
use crate::store::sql::conn::{Conn, Purpose, Row, get};
use crate::store::sql::error::{no_row, reading, writing};
use crate::store::sql::rows::workers::Known;
use crate::store::sql::statement::query;
use crate::store::version::SchemaMismatch;
use crate::store::{Result, StoreError};
use pool::{Pool, Use};
use schema::Standing;
use session::{Session, lock_key};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::Place;

pub(super) use pool::{ANSWER, Lease};

/// A worker that only has leases is dead when its heart has not beaten for so long.
const SILENT: Duration = Duration::from_secs(60);
/// A lock that is seen free is looked at again after this: a connection may have broken and be made anew.
const SECOND_LOOK: Duration = Duration::from_millis(300);
/// The lock under which jobs are moved in the queue; its number is the name of this program in ASCII.
const QUEUE_LOCK: i64 = i64::from_be_bytes(*b"qd-queue");

/// One database.
pub(super) struct Postgres {
    pool: Arc<Pool>,
    session: Session,
    clock: Option<Arc<ServerClock>>,
    standing: Standing,
    /// Ends the runtime that owns the connections.
    ended: CancellationToken,
}

/// The server's clock, as far as it is known between two transactions: the system's, moved by what they last differed.
#[derive(Debug, Default)]
struct ServerClock {
    ahead: AtomicI64,
}

impl Clock for ServerClock {
    fn now(&self) -> Timestamp {
        let here = SystemClock.now().micros();
        Timestamp::from_micros(here.saturating_add(self.ahead.load(Ordering::Relaxed)))
    }
}

impl ServerClock {
    fn set(&self, server: Timestamp) {
        let here = SystemClock.now().micros();
        self.ahead.store(server.micros().saturating_sub(here), Ordering::Relaxed);
    }
}

impl Postgres {
    /// Connects, and looks at what stands there; nothing is changed. Answers with the clock to be used as well.
    pub(super) async fn open(
        url: &str,
        options: &Options,
        changes: &watch::Sender<u64>,
    ) -> Result<(Self, Arc<dyn Clock>)> {
        let (place, connect) = Place::parse(url, options.access)?;
        let ended = CancellationToken::new();
        let guard = ended.clone().drop_guard();
        let runtime = pool::runtime(ended.clone())?;
        let pool = Pool::new(place, connect.clone(), runtime);
        let mut conn = Conn::Postgres(pool.lease(Use::Ordinary).await?);
        let standing = schema::look(&mut conn, pool.place()).await?;
        standing.usable(pool.place(), options.access)?;
        let server = Arc::new(ServerClock::default());
        server.set(server_time(&mut conn).await?);
        drop(conn);
        let (clock, follows): (Arc<dyn Clock>, _) = if options.clock.yields_to_database() {
            (server.clone(), Some(server))
        } else {
            (options.clock.clone(), None)
        };
        let session = Session::start(&pool, connect, changes.clone());
        let ended = guard.disarm();
        Ok((Self { pool, session, clock: follows, standing, ended }, clock))
    }

    /// What the screen calls it.
    pub(super) fn label(&self) -> SafeLine {
        SafeLine::new(&self.pool.place().label())
    }

    /// A connection for readings.
    pub(super) async fn lease(&self) -> Result<Lease> {
        self.pool.lease(Use::Ordinary).await
    }

    /// Begins a write transaction, and reads the clock and the version of the schema in it: in one round trip. Its share of
    /// the table of migrations keeps a migration waiting until it ends.
    pub(super) async fn begin(&self, purpose: Purpose, clock: &dyn Clock) -> Result<(Conn, Timestamp, i64)> {
        let of = if purpose == Purpose::Beat { Use::Beat } else { Use::Ordinary };
        let mut conn = Conn::Postgres(self.pool.lease(of).await?);
        let begin = match purpose {
            Purpose::Claim => "BEGIN; SET LOCAL plan_cache_mode = force_generic_plan",
            _ => "BEGIN",
        };
        conn.script(begin).await.map_err(writing)?;
        let look = match purpose {
            // The turn comes first, then the clock is read.
            Purpose::Queue | Purpose::Claim => query(
                "WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(?) AS taken) \
                 SELECT micros(clock_timestamp() AT TIME ZONE 'UTC'), (SELECT max(version) FROM @migrations), taken \
                 FROM turn",
            )
            .bind(QUEUE_LOCK),
            Purpose::Rows | Purpose::Beat => {
                query("SELECT micros(clock_timestamp() AT TIME ZONE 'UTC'), (SELECT max(version) FROM @migrations)")
            }
        };
        let rows = conn.fetch_all(look).await.map_err(writing)?;
        let version = get(rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?, 1)?;
        let now = match &self.clock {
            Some(server) => {
                let now = the_time(&rows)?;
                server.set(now);
                now
            }
            None => clock.now(),
        };
        Ok((conn, now, version))
    }

    /// Starts the tasks that tell other processes and hear from them.
    pub(super) fn watch(&self, read_only: bool, mismatches: watch::Sender<Option<SchemaMismatch>>) {
        self.session.watch(&self.pool, read_only, mismatches);
    }

    /// Something was committed: others look, too.
    pub(super) fn tell_others(&self) {
        self.session.tell_others();
    }

    /// A worker of this process takes its lock.
    pub(super) async fn hold_lock(&self, worker: &str) -> Result<()> {
        if worker.is_empty() || worker.starts_with('.') || worker.contains(['/', '\0']) {
            // The same ids as on SQLite, where they name files.
            return Err(StoreError::Refused(format!("worker id {worker:?}")));
        }
        self.session.hold(worker).await
    }

    /// It lets go of it.
    pub(super) async fn let_go(&self, worker: &str) {
        self.session.let_go(worker).await;
    }

    /// Whether workers of this process hold no lock.
    pub(super) fn lease_only(&self) -> bool {
        self.pool.place().pgbouncer
    }

    /// Of these, the workers whose process is gone: whose lock nobody holds.
    pub(super) async fn gone(&self, known: &[Known], now: Timestamp) -> Result<HashSet<String>> {
        if known.is_empty() || !self.session.trusts_locks() {
            return Ok(HashSet::new());
        }
        let mut conn = Conn::Postgres(self.lease().await?);
        let lease_only = query("SELECT id FROM @workers WHERE lease_only");
        let lease_only = conn.fetch_all(lease_only).await.map_err(reading)?;
        let lease_only: HashSet<String> = lease_only.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        let locks = session::held_locks(&mut conn).await?;
        let is_gone = |known: &&Known| {
            if lease_only.contains(&known.id) {
                now.since(known.heartbeat_at) > SILENT
            } else {
                !locks.contains(&lock_key(&known.id))
            }
        };
        Ok(known.iter().filter(is_gone).map(|known| known.id.clone()).collect())
    }

    /// Of the workers that were seen to be gone, those that still are.
    pub(super) async fn gone_for_sure(
        &self,
        gone: Vec<String>,
        known: &[Known],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        if gone.is_empty() {
            return Ok(gone);
        }
        sleep(SECOND_LOOK).await;
        let again: Vec<Known> = known.iter().filter(|known| gone.contains(&known.id)).cloned().collect();
        let mut gone: Vec<_> = self.gone(&again, now).await?.into_iter().collect();
        gone.sort();
        Ok(gone)
    }

    /// Whether documents may be added.
    pub(super) fn may_add(&self) -> Result<()> {
        self.standing.may_add(self.pool.place())
    }

    /// Whether the documents are Chatwoot's, not ours.
    pub(super) fn is_chatwoots(&self) -> bool {
        !self.standing.is_made()
    }

    /// Whether documents may be removed: only from a table that is ours.
    pub(super) fn may_remove(&self) -> Result<()> {
        self.standing.may_remove(self.pool.place())
    }

    /// No connection of this process is in use until the answer is dropped.
    pub(super) async fn at_rest(&self) -> impl Send + use<> {
        self.pool.at_rest().await
    }

    /// Closes its connections.
    pub(super) async fn close(&self) {
        self.session.close().await;
        self.pool.close().await;
        self.ended.cancel();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

async fn server_time(conn: &mut Conn) -> Result<Timestamp> {
    let now = query("SELECT micros(clock_timestamp() AT TIME ZONE 'UTC')");
    the_time(&conn.fetch_all(now).await.map_err(reading)?)
}

fn the_time(rows: &[Row]) -> Result<Timestamp> {
    let row = rows.first().ok_or_else(no_row)?;
    Ok(Timestamp::from_micros(get(row, 0)?))
}
