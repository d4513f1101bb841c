//! The session: one connection of this process that has the advisory locks of the process's workers and listens for
//! commits of other processes. Other processes see by these locks that the workers are alive. The session runs no long
//! query: during a query the server does not notice that the process was killed, and would free the locks late.

use super::pool::{Pool, PoolShare, closed};
use crate::domain::backoff::Backoff;
use crate::domain::topic::{Topic, TopicSet};
use crate::store::sql::conn::{Conn, get};
use crate::store::sql::error::reading;
use crate::store::sql::statement::{Sql, query};
use crate::store::version::{self, SchemaMismatch};
use crate::store::{ChangeSender, Result, StoreError};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPool, PgPoolOptions};
use sqlx::{Executor, Row as _};
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Channel on which processes notify each other of commits.
const CHANNEL: &str = "quarterdeck";
/// Minimum time between two notifications of this process.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(20);
/// Interval between polls for changes. Most commits whose notification was lost are noticed after at most this time.
/// Behind PgBouncer, which delivers no notifications, this applies to all commits of other processes.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Time for which a process, after its session broke, does not take a free lock as proof of a dead worker. The server
/// may have restarted, and the other processes need time to reconnect.
const LOCK_DISTRUST: Duration = Duration::from_secs(5);
/// Longest wait for the session to acquire or release a lock.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for which closing waits for the session to free its locks.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

enum Command {
    AcquireLock(String, oneshot::Sender<Result<()>>),
    ReleaseLock(String, oneshot::Sender<()>),
}

/// Handle of the session's tasks.
pub(super) struct Session {
    shared: Arc<Shared>,
    commands: mpsc::Sender<Command>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct Shared {
    /// True behind PgBouncer, where there is no session.
    disabled: bool,
    /// Sender id by which this process recognises its own notifications.
    sender_id: String,
    changes: ChangeSender,
    /// Topics of commits of which the other processes have not been notified yet.
    pending: Mutex<TopicSet>,
    /// Wakes the task that sends notifications.
    committed: Notify,
    broke_at: Mutex<Option<Instant>>,
}

/// Returns the key of a worker's advisory lock, derived from the worker's id.
pub(super) fn lock_key(worker: &str) -> i64 {
    let digest = Sha256::digest(format!("quarterdeck worker {worker}"));
    digest.iter().take(8).fold(0, |key, byte| (key << 8) | i64::from(*byte))
}

/// Returns the keys of the advisory locks that are granted in this database, which include those of live workers.
pub(super) async fn granted_locks(conn: &mut Conn) -> Result<HashSet<i64>> {
    let locks = query(
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted \
         AND objsubid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    conn.fetch_all(locks).await.map_err(reading)?.iter().map(|row| get(row, 0)).collect()
}

impl Session {
    /// Starts the session's task on the pool's runtime; behind PgBouncer there is no session.
    pub(super) fn start(pool: &Pool, options: PgConnectOptions, changes: ChangeSender) -> Self {
        let (commands, received) = mpsc::channel(16);
        let shared = Arc::new(Shared {
            disabled: pool.url().pgbouncer,
            sender_id: uuid::Uuid::new_v4().to_string(),
            changes,
            pending: Mutex::default(),
            committed: Notify::new(),
            broke_at: Mutex::default(),
        });
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        if !shared.disabled {
            tasks.spawn_on(run_session(Arc::clone(&shared), options, received, stop.clone()), pool.runtime());
        }
        Self { shared, commands, stop, tasks }
    }

    /// Starts the tasks that send notifications and poll; a read-only store only polls.
    pub(super) fn watch(&self, pool: &Arc<Pool>, read_only: bool, mismatches: watch::Sender<Option<SchemaMismatch>>) {
        if !read_only {
            let sending = send_notifications(Arc::clone(&self.shared), Arc::clone(pool));
            let stop = self.stop.clone();
            self.tasks.spawn_on(async move { stop.run_until_cancelled(sending).await }, pool.runtime());
        }
        let polling = poll_for_changes(Arc::clone(&self.shared), Arc::clone(pool), mismatches);
        let stop = self.stop.clone();
        self.tasks.spawn_on(async move { stop.run_until_cancelled(polling).await }, pool.runtime());
    }

    pub(super) fn notify_others(&self, topics: TopicSet) {
        if !topics.is_empty() {
            *self.shared.pending.lock().unwrap_or_else(PoisonError::into_inner) |= topics;
            self.shared.committed.notify_one();
        }
    }

    pub(super) async fn acquire_lock(&self, worker: &str) -> Result<()> {
        if self.shared.disabled {
            return Ok(());
        }
        let (answer, response) = oneshot::channel();
        self.commands.send(Command::AcquireLock(worker.to_owned(), answer)).await.map_err(|_| closed())?;
        match timeout(LOCK_TIMEOUT, response).await {
            Ok(answer) => answer.map_err(|_| closed())?,
            Err(_) => Err(StoreError::Unavailable("no session for the lock of this worker".into())),
        }
    }

    pub(super) async fn release_lock(&self, worker: &str) {
        let (answer, response) = oneshot::channel();
        if !self.shared.disabled && self.commands.send(Command::ReleaseLock(worker.to_owned(), answer)).await.is_ok() {
            // Without a response, the lock ends with the session.
            let _ = timeout(LOCK_TIMEOUT, response).await;
        }
    }

    /// Returns true if a free lock proves that its worker is dead; false for a while after the session broke.
    pub(super) fn trusts_locks(&self) -> bool {
        let broke_at = self.shared.broke_at.lock().unwrap_or_else(PoisonError::into_inner);
        broke_at.is_none_or(|at| at.elapsed() > LOCK_DISTRUST)
    }

    /// Closes the session, which frees its locks.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    /// Publishes the change of which another process has notified this one. The first word of a notification names its
    /// sender, and the others are topics.
    fn receive(&self, payload: &str) {
        let mut words = payload.split(' ');
        if words.next() != Some(&*self.sender_id) {
            self.changes.publish(TopicSet::from_words(words));
        }
    }
}

/// Runs the session until `stop` is cancelled: connects, acquires its locks, serves commands, and starts over when the
/// connection breaks.
async fn run_session(
    shared: Arc<Shared>,
    options: PgConnectOptions,
    mut commands: mpsc::Receiver<Command>,
    stop: CancellationToken,
) {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .max_lifetime(None)
        .idle_timeout(None)
        .acquire_timeout(Duration::from_secs(5))
        .connect_lazy_with(options);
    let mut locks = BTreeMap::new();
    let mut backoff = Backoff::of_service();
    let keeping = async {
        loop {
            match serve(&shared, &pool, &mut locks, &mut commands, &mut backoff, &stop).await {
                SessionEnd::Stopped => return,
                SessionEnd::Broken => {
                    *shared.broke_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                }
                SessionEnd::NotConnected => {
                    let wait = sleep(backoff.wait());
                    if stop.run_until_cancelled(wait).await.is_none() {
                        return;
                    }
                }
            }
        }
    };
    let leaving = async {
        stop.cancelled().await;
        sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        () = keeping => {}
        // The server does not respond: the locks end with the connection.
        () = leaving => {}
    }
    let _ = timeout(Duration::from_secs(5), pool.close()).await;
}

enum SessionEnd {
    Stopped,
    Broken,
    NotConnected,
}

async fn serve(
    shared: &Shared,
    pool: &PgPool,
    locks: &mut BTreeMap<String, i64>,
    commands: &mut mpsc::Receiver<Command>,
    backoff: &mut Backoff,
    stop: &CancellationToken,
) -> SessionEnd {
    let Ok(mut listener) = PgListener::connect_with(pool).await else { return SessionEnd::NotConnected };
    listener.eager_reconnect(false);
    if listener.listen(CHANNEL).await.is_err() {
        return SessionEnd::NotConnected;
    }
    // Notifications that were sent before this session listened are lost, so there may have been a change.
    shared.changes.publish(TopicSet::ALL);
    backoff.reset();
    let mut missing: Vec<i64> = locks.values().copied().collect();
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => {
                // Frees the locks now. With the closed connection the server would free them, too, but possibly later.
                let _ = listener.execute("SELECT pg_advisory_unlock_all()").await;
                return SessionEnd::Stopped;
            }
            command = commands.recv() => match command {
                None => return SessionEnd::Stopped,
                Some(Command::AcquireLock(worker, answer)) => {
                    let taken = acquire_lock(&mut listener, locks, &worker).await;
                    // If the caller no longer waits, the session keeps the lock until it ends.
                    let _ = answer.send(taken);
                }
                Some(Command::ReleaseLock(worker, answer)) => {
                    if let Some(key) = locks.remove(&worker) {
                        let unlock = sqlx::query("SELECT pg_advisory_unlock($1)").bind(key);
                        if listener.execute(unlock).await.is_err() {
                            return SessionEnd::Broken;
                        }
                    }
                    let _ = answer.send(());
                }
            },
            notification = listener.try_recv() => match notification {
                Ok(Some(notification)) => shared.receive(notification.payload()),
                Ok(None) | Err(_) => return SessionEnd::Broken,
            },
            // Repeated, since the server may take a while to notice that the previous session is dead.
            _ = ticks.tick(), if !missing.is_empty() => {
                match reacquire_locks(&mut listener, &missing).await {
                    Ok(still) => missing = still,
                    Err(_) => return SessionEnd::Broken,
                }
            }
        }
    }
}

async fn acquire_lock(listener: &mut PgListener, locks: &mut BTreeMap<String, i64>, worker: &str) -> Result<()> {
    let already = || StoreError::Refused(format!("worker {worker} is registered already"));
    if locks.contains_key(worker) {
        return Err(already());
    }
    let key = lock_key(worker);
    if !try_lock(listener, key).await.map_err(reading)? {
        return Err(already());
    }
    locks.insert(worker.to_owned(), key);
    Ok(())
}

async fn try_lock(listener: &mut PgListener, key: i64) -> std::result::Result<bool, sqlx::Error> {
    let lock = sqlx::query("SELECT pg_try_advisory_lock($1)").bind(key);
    listener.fetch_one(lock).await?.try_get(0)
}

/// Tries to acquire the locks `missing` in a new session. Returns the keys of those that another session still has.
async fn reacquire_locks(listener: &mut PgListener, missing: &[i64]) -> std::result::Result<Vec<i64>, sqlx::Error> {
    let mut still = Vec::new();
    for key in missing {
        if !try_lock(listener, *key).await? {
            still.push(*key);
        }
    }
    Ok(still)
}

/// Notifies other processes of commits, with the topics that they changed. Runs outside the store's transactions, so
/// that no transaction waits for a notification: a `NOTIFY` within a transaction takes a lock of the whole server while
/// that commits, and a row of counters would be locked by each of them. Commits in quick succession share a
/// notification.
async fn send_notifications(shared: Arc<Shared>, pool: Arc<Pool>) {
    loop {
        shared.committed.notified().await;
        if let Ok(lease) = pool.acquire(PoolShare::Heartbeat).await {
            let topics = std::mem::take(&mut *shared.pending.lock().unwrap_or_else(PoisonError::into_inner));
            let payload = format!("{}{topics}", shared.sender_id);
            let statement = query("SELECT pg_notify(?, ?)").bind(CHANNEL).bind(&payload);
            // If the notification is lost, other processes notice the commit at their next poll.
            let _ = Conn::Postgres(lease).execute(statement).await;
        }
        sleep(NOTIFY_INTERVAL).await;
    }
}

/// The signs of changes that a poll reads, each with the topics that it is a sign of. The numbers of outcomes, claims,
/// new jobs and pauses show a commit whose notification was lost. The server's statistics show a write of another
/// program to a document within seconds, and behind PgBouncer, where there are no notifications, every other change of
/// the queue. Heartbeats show in none of them.
const SIGNS: [(&str, TopicSet); 6] = [
    ("(SELECT last FROM @outcome_seq)", TopicSet::of(&[Topic::Documents, Topic::Jobs, Topic::Outcomes, Topic::Hosts])),
    ("(SELECT last_value FROM @fence)", TopicSet::of(&[Topic::Documents, Topic::Jobs, Topic::Hosts])),
    ("(SELECT max(id) FROM @jobs)", TopicSet::of(&[Topic::Jobs])),
    ("(SELECT max(since) + count(*) FROM @pauses)", TopicSet::of(&[Topic::Pauses])),
    (
        "(SELECT pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) \
          + pg_stat_get_tuples_deleted(c.oid) FROM pg_class c WHERE c.oid = to_regclass('@lanes'))",
        TopicSet::of(&[Topic::Jobs]),
    ),
    (
        "(SELECT pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) \
          + pg_stat_get_tuples_deleted(c.oid) FROM pg_class c WHERE c.oid = to_regclass('captain_documents'))",
        TopicSet::of(&[Topic::Documents]),
    ),
];

/// Polls for changes that came without a notification, and for a newer schema version.
async fn poll_for_changes(shared: Arc<Shared>, pool: Arc<Pool>, mismatches: watch::Sender<Option<SchemaMismatch>>) {
    let mut sql = Sql::new("SELECT (SELECT max(version) FROM @migrations)");
    for (sign, _) in SIGNS {
        sql.push(", ").push(sign);
    }
    let poll = sql.query();
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last: Option<[Option<i64>; SIGNS.len()]> = None;
    loop {
        ticks.tick().await;
        let Ok(lease) = pool.acquire(PoolShare::Heartbeat).await else { continue };
        let Ok(rows) = Conn::Postgres(lease).fetch_all(poll.clone()).await else { continue };
        let Some(row) = rows.first() else { continue };
        if let Ok(version) = get(row, 0) {
            version::notify_if_newer(&mismatches, version);
        }
        let current = std::array::from_fn(|index| get(row, index + 1).ok().flatten());
        shared.changes.publish(changed_topics(last.as_ref(), &current, shared.disabled));
        last = Some(current);
    }
}

/// Returns the topics that the signs show as changed. Before the first poll there may have been a change, of which
/// only the session is notified.
fn changed_topics(
    last: Option<&[Option<i64>; SIGNS.len()]>,
    current: &[Option<i64>; SIGNS.len()],
    has_no_session: bool,
) -> TopicSet {
    let Some(last) = last else { return if has_no_session { TopicSet::ALL } else { TopicSet::NONE } };
    let changed = SIGNS.iter().zip(last.iter().zip(current)).filter(|(_, (last, current))| last != current);
    changed.fold(TopicSet::NONE, |set, ((_, topics), _)| set | *topics)
}
