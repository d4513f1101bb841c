//! The database of a store, SQLite or PostgreSQL: its connections, clock, subscribers and background tasks. The rules
//! of queue, attempts and schedule are in other modules.

use crate::domain::outbox::{Subscriber, Subscribers};
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::topic::TopicSet;
use crate::store::address::{self, StoreAddress};
use crate::store::postgres::Postgres;
use crate::store::sql::clock::Clock;
use crate::store::sql::conn::Conn;
use crate::store::sql::reader::Reader;
use crate::store::sql::rows::workers::KnownWorker;
use crate::store::sql::topics::Written;
use crate::store::sql::uptime::Uptime;
use crate::store::sqlite::{CommitCounts, Sqlite};
use crate::store::version::{self, SchemaMismatch};
use crate::store::{ChangeSender, Changes, Result, StoreError};
use crate::store::{ConnectionCounts, Options, Recorder, UpgradeReport};
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, MutexGuard, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The database system of a store.
pub(super) enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// An open database with the state that this process shares between its transactions.
pub(in crate::store) struct Database {
    pub(super) engine: Engine,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) recorder: Option<Recorder>,
    read_only: bool,
    pub(super) kept_versions: u32,
    /// Subscribers to which this process offers its outcomes.
    subscribers: RwLock<Subscribers>,
    /// Changes by commits of this process and, as far as they are noticed, of others.
    changes: ChangeSender,
    /// Changes by commits of this process alone.
    commits: ChangeSender,
    /// Outcomes of commits that returned an error but may have succeeded. A commit keeps this lock from the numbering
    /// of its outcomes until the recorder has received them, so that the recorder receives all outcomes in order.
    pub(super) unconfirmed: Mutex<Vec<Outcome>>,
    /// True while `unconfirmed` is not empty; can be read without that lock.
    pub(super) has_unconfirmed: AtomicBool,
    /// The mismatch of schema versions; `None` until one is found, and never reset.
    mismatches: watch::Sender<Option<SchemaMismatch>>,
    /// Tasks that must end before the database is closed.
    pub(in crate::store) tasks: TaskTracker,
    /// Stops the task that watches an SQLite file for commits of other processes.
    stop: CancellationToken,
    /// Set once the database is closed; calls fail from then on.
    closed: CancellationToken,
}

impl Database {
    /// Opens the database at `url`. Creates an SQLite file that is missing and migrates an older one, as far as the
    /// access in `options` allows. Fails with [`StoreError::Unusable`] if the URL or the store is unsuitable.
    pub(in crate::store) async fn open(url: &str, options: Options) -> Result<Arc<Self>> {
        let changes = ChangeSender::default();
        let (engine, clock) = match address::parse(url)? {
            StoreAddress::Sqlite(path) => {
                let sqlite = Sqlite::open(&path, options.access, &changes).await?;
                (Engine::Sqlite(sqlite), options.clock)
            }
            StoreAddress::Postgres(url) => {
                let (postgres, clock) = Postgres::open(&url, &options, &changes).await?;
                (Engine::Postgres(postgres), clock)
            }
        };
        Ok(Arc::new(Self {
            engine,
            clock,
            recorder: options.recorder,
            read_only: options.access.is_read_only(),
            kept_versions: options.kept_versions,
            subscribers: RwLock::new(Arc::new([])),
            changes,
            commits: ChangeSender::default(),
            unconfirmed: Mutex::default(),
            has_unconfirmed: AtomicBool::new(false),
            mismatches: watch::Sender::new(None),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            closed: CancellationToken::new(),
        }))
    }

    /// Starts the tasks that notice commits of other processes and, on PostgreSQL unless the database was opened
    /// read-only, notify those processes of commits of this one.
    pub(in crate::store) fn watch(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let watching = sqlite.watch(self.mismatches.clone(), self.stop.clone());
                self.tasks.spawn(watching);
            }
            Engine::Postgres(postgres) => postgres.watch(self.read_only, self.mismatches.clone()),
        }
    }

    /// Stops the task that watches an SQLite file for commits of other processes; the first step of closing. Without
    /// effect on PostgreSQL, where [`close`](Self::close) stops such tasks.
    pub(in crate::store) fn stop_watching(&self) {
        self.stop.cancel();
    }

    /// Waits for the tasks to end and closes the connections.
    pub(in crate::store) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.closed.cancel();
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Returns the database's name for display, without secrets.
    pub(in crate::store) fn label(&self) -> SafeLine {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.label(),
            Engine::Postgres(postgres) => postgres.label(),
        }
    }

    /// Returns the time of the store's clock, UTC.
    pub(in crate::store) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns the time since the boot of this machine.
    pub(in crate::store) fn uptime(&self) -> Uptime {
        self.clock.uptime()
    }

    /// Subscribes to the mismatch of schema versions, which is set when it is found and never reset.
    pub(in crate::store) fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>> {
        self.mismatches.subscribe()
    }

    /// Fails with [`StoreError::Schema`] if the store's schema version `store` is not that of this program.
    pub(super) fn check_version(&self, store: i64) -> Result<()> {
        version::check(&self.mismatches, store)
    }

    /// Returns the upgrade that opening made to an existing store; always `None` on PostgreSQL.
    pub(in crate::store) fn upgraded(&self) -> Option<UpgradeReport> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.upgraded.clone(),
            Engine::Postgres(_) => None,
        }
    }

    /// Subscribes to changes by commits of this process and of others.
    pub(in crate::store) fn changes(&self) -> Changes {
        self.changes.subscribe()
    }

    /// Subscribes to changes by commits of this process alone.
    pub(in crate::store) fn commits(&self) -> Changes {
        self.commits.subscribe()
    }

    /// Wakes those who wait for [`changes`](Self::changes) of these topics, because another process has reported a
    /// commit.
    pub(in crate::store) fn notify_remote_commit(&self, topics: TopicSet) {
        self.changes.publish(topics);
    }

    /// Publishes a commit of this process: wakes those who wait for [`changes`](Self::changes) or
    /// [`commits`](Self::commits), and on PostgreSQL notifies other processes. On SQLite other processes notice the
    /// commit in the file, by the counters `counts` that it wrote.
    pub(super) fn publish_commit(&self, written: Written, counts: Option<CommitCounts>) {
        self.commits.publish(written.topics);
        match (&self.engine, counts) {
            (Engine::Sqlite(sqlite), Some(counts)) => sqlite.publish_commit(written, counts),
            (Engine::Sqlite(_), None) => {}
            (Engine::Postgres(postgres), _) => {
                self.changes.publish(written.topics);
                postgres.notify_others(written.topics);
            }
        }
    }

    /// Locks the outcomes of earlier commits whose success is unknown, if a transaction has outcomes itself (`records`)
    /// or there are such commits.
    pub(super) async fn lock_unconfirmed(&self, records: bool) -> Option<MutexGuard<'_, Vec<Outcome>>> {
        let is_needed = records || self.has_unconfirmed.load(Ordering::Relaxed);
        if is_needed { Some(self.unconfirmed.lock().await) } else { None }
    }

    /// Notes in `unconfirmed` that a commit has succeeded or failed. After a failed one the outcomes `lost` may be in the
    /// table all the same; the next commit looks for them.
    pub(super) fn note_commit(&self, unconfirmed: &mut Vec<Outcome>, succeeded: bool, lost: &[Outcome]) {
        if succeeded {
            unconfirmed.clear();
        } else {
            unconfirmed.extend_from_slice(lost);
        }
        self.has_unconfirmed.store(!unconfirmed.is_empty(), Ordering::Relaxed);
    }

    /// Passes committed outcomes to the recorder, in this order.
    pub(super) fn pass_to_recorder(&self, committed: [&[Outcome]; 2]) {
        if let Some(record) = &self.recorder {
            committed.into_iter().filter(|outcomes| !outcomes.is_empty()).for_each(|outcomes| record(outcomes));
        }
    }

    /// Returns true if the database was opened read-only.
    pub(in crate::store) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Fails with [`StoreError::ReadOnly`] if the database was opened read-only.
    pub(in crate::store) fn ensure_writable(&self) -> Result<()> {
        if self.read_only { Err(StoreError::ReadOnly) } else { Ok(()) }
    }

    /// Fails with [`StoreError::Unavailable`] if the database was closed with [`close`](Self::close).
    pub(super) fn ensure_open(&self) -> Result<()> {
        if self.closed.is_cancelled() { Err(closed_error()) } else { Ok(()) }
    }

    /// Returns a connection for reads; fails if the database was closed.
    pub(in crate::store) async fn reader(&self) -> Result<Reader> {
        self.ensure_open()?;
        let conn = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.reader().await?,
            Engine::Postgres(postgres) => Conn::Postgres(postgres.acquire().await?),
        };
        Ok(Reader::on(conn))
    }

    /// Returns the state of this process's connections.
    pub(in crate::store) fn connections(&self) -> ConnectionCounts {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.connections(),
            Engine::Postgres(postgres) => postgres.connections(),
        }
    }

    /// Pauses between the transactions of a bulk change, so that another process can write. Returns at once on
    /// PostgreSQL, which allows several writers.
    pub(in crate::store) async fn yield_to_writers(&self) {
        if let Engine::Sqlite(sqlite) = &self.engine {
            sqlite.yield_to_writers().await;
        }
    }

    /// Waits until this process has no write in progress, and delays further writes (on PostgreSQL further reads, too)
    /// until the result is dropped.
    pub(in crate::store) async fn quiesce(&self) -> Box<dyn Send> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Box::new(sqlite.quiesce().await),
            Engine::Postgres(postgres) => Box::new(postgres.quiesce().await),
        }
    }

    /// Returns a message that names the process for whose write lock this process has been waiting. Always `None` on
    /// PostgreSQL.
    pub(in crate::store) fn lock_wait_message(&self) -> Option<String> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.lock_wait_message(),
            Engine::Postgres(_) => None,
        }
    }

    /// Returns the current subscribers of the outbox.
    pub(super) fn subscribers(&self) -> Subscribers {
        Arc::clone(&self.subscribers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Offers outcomes to a subscriber from the next transaction on; replaces another subscriber with the same name.
    pub(in crate::store) fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        let mut all = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|other| Arc::ptr_eq(other, &subscriber)) {
            return;
        }
        let others = all.iter().filter(|other| other.name() != subscriber.name()).cloned();
        *all = others.chain([Arc::clone(&subscriber)]).collect();
    }

    /// Stops offering outcomes to the subscribers whose names `stops` selects.
    pub(in crate::store) fn unsubscribe_if(&self, stops: impl Fn(&str) -> bool) {
        let mut all = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        *all = all.iter().filter(|other| !stops(other.name())).cloned().collect();
    }

    /// Returns true if the documents are Chatwoot's own.
    pub(in crate::store) fn is_chatwoot_database(&self) -> bool {
        matches!(&self.engine, Engine::Postgres(postgres) if postgres.is_chatwoot_database())
    }

    /// Fails if the database role may not add documents.
    pub(in crate::store) fn may_add(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(postgres) => postgres.may_add(),
        }
    }

    /// Fails if documents may not be removed, because the table of documents is Chatwoot's.
    pub(in crate::store) fn may_remove(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(postgres) => postgres.may_remove(),
        }
    }

    /// Takes the lock that shows that a worker of this process is alive. Behind PgBouncer there is no such lock.
    pub(in crate::store) async fn acquire_worker_lock(&self, worker: &str) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.acquire_worker_lock(worker),
            Engine::Postgres(postgres) => postgres.acquire_worker_lock(worker).await,
        }
    }

    /// Releases the lock of a worker of this process.
    pub(in crate::store) async fn release_worker_lock(&self, worker: &str) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.release_worker_lock(worker),
            Engine::Postgres(postgres) => postgres.release_worker_lock(worker).await,
        }
    }

    /// Returns true if workers of this process have no lock, so that only leases and heartbeats show that they are
    /// alive.
    pub(super) fn lease_only(&self) -> bool {
        matches!(&self.engine, Engine::Postgres(postgres) if postgres.lease_only())
    }

    /// Returns the ids of those of the `known` workers whose process is dead, as locks and heartbeats show at `now`.
    pub(in crate::store) async fn dead_workers(
        &self,
        known: &[KnownWorker],
        now: Timestamp,
    ) -> Result<HashSet<String>> {
        let mut dead: HashSet<String> = match &self.engine {
            Engine::Sqlite(sqlite) => {
                known.iter().map(|known| &known.id).filter(|id| sqlite.process_is_gone(id)).cloned().collect()
            }
            Engine::Postgres(postgres) => postgres.dead_workers(known, now).await?,
        };
        // A server may take a while to notice that the machine with the session is gone.
        dead.extend(self.of_an_earlier_boot(known));
        Ok(dead)
    }

    /// Checks the workers `gone` once more on PostgreSQL, where a free lock may be temporary, and returns those that
    /// are still dead. Returns `gone` on SQLite.
    pub(in crate::store) async fn confirm_dead(
        &self,
        gone: Vec<String>,
        known: &[KnownWorker],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(gone),
            Engine::Postgres(postgres) => {
                let mut dead = postgres.confirm_dead(gone, known, now).await?;
                dead.extend(self.of_an_earlier_boot(known));
                dead.sort();
                dead.dedup();
                Ok(dead)
            }
        }
    }

    /// Returns the ids of the `known` workers that ran on this machine before it was started the last time.
    fn of_an_earlier_boot(&self, known: &[KnownWorker]) -> impl Iterator<Item = String> {
        let here = self.uptime();
        known.iter().filter(move |known| known.was_before_this_boot(&here)).map(|known| known.id.clone())
    }

    /// Removes the lock files of the workers `dead`, and old lock files that no process has locked. Does nothing on
    /// PostgreSQL.
    pub(in crate::store) fn remove_stray_locks(&self, dead: &[String]) {
        if let Engine::Sqlite(sqlite) = &self.engine {
            sqlite.remove_stray_locks(dead);
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Returns the error for calls after the store was closed.
pub(in crate::store) fn closed_error() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}
