//! The database of a store, SQLite or PostgreSQL: connections, the clock, who hears of changes, and the tasks that go
//! with them. Nothing here knows what is stored.

use crate::domain::outbox::{Subscriber, Subscribers};
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::address::{self, Address};
use crate::store::postgres::Postgres;
use crate::store::sql::clock::Clock;
use crate::store::sql::conn::Conn;
use crate::store::sql::reader::Reader;
use crate::store::sql::rows::workers::Known;
use crate::store::sqlite::Sqlite;
use crate::store::version::{self, SchemaMismatch};
use crate::store::{Access, Options, Recorder, Upgraded};
use crate::store::{Result, StoreError};
use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The database underneath.
pub(super) enum Engine {
    /// A file.
    Sqlite(Sqlite),
    /// A server.
    Postgres(Postgres),
}

/// One open database.
pub(in crate::store) struct Database {
    pub(super) engine: Engine,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) recorder: Option<Recorder>,
    read_only: bool,
    /// Subscribers of the outbox to which this process offers its outcomes.
    subscribers: RwLock<Subscribers>,
    /// Counts commits of this process and of others, as far as they are seen.
    changes: watch::Sender<u64>,
    /// Counts commits of this process alone.
    commits: watch::Sender<u64>,
    /// Held from the taking of numbers until the recorder has them, so that it gets them in their order. In it: outcomes
    /// whose commit was answered with an error, which may stand all the same.
    pub(super) unconfirmed: Mutex<Vec<Outcome>>,
    /// Whether there are such.
    pub(super) in_doubt: AtomicBool,
    /// Set when the store has been migrated by a newer program.
    mismatches: watch::Sender<Option<SchemaMismatch>>,
    /// Tasks that end before the database is closed.
    pub(in crate::store) tasks: TaskTracker,
    /// Stops the watching tasks.
    stop: CancellationToken,
    /// Nothing is asked any more.
    closed: CancellationToken,
}

impl Database {
    /// Opens the database at `url`, and makes it when it may; [`StoreError::Unusable`] says what is wrong with it.
    pub(in crate::store) async fn open(url: &str, options: Options) -> Result<Arc<Self>> {
        let changes = watch::Sender::new(0);
        let (engine, clock) = match address::parse(url)? {
            Address::Sqlite(path) => (Engine::Sqlite(Sqlite::open(&path, options.access).await?), options.clock),
            Address::Postgres(url) => {
                let (postgres, clock) = Postgres::open(&url, &options, &changes).await?;
                (Engine::Postgres(postgres), clock)
            }
        };
        Ok(Arc::new(Self {
            engine,
            clock,
            recorder: options.recorder,
            read_only: options.access == Access::ReadOnly,
            subscribers: RwLock::new(Arc::new([])),
            changes,
            commits: watch::Sender::new(0),
            unconfirmed: Mutex::default(),
            in_doubt: AtomicBool::new(false),
            mismatches: watch::Sender::new(None),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            closed: CancellationToken::new(),
        }))
    }

    /// Starts the tasks that see what other processes commit, and tell them of what this one does.
    pub(in crate::store) fn watch(&self) {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                let watching = sqlite.watch(self.changes.clone(), self.mismatches.clone(), self.stop.clone());
                self.tasks.spawn(watching);
            }
            Engine::Postgres(postgres) => postgres.watch(self.read_only, self.mismatches.clone()),
        }
    }

    /// Ends the watching tasks; the first step of closing.
    pub(in crate::store) fn stop_watching(&self) {
        self.stop.cancel();
    }

    /// Waits for the tasks to end, and closes the connections.
    pub(in crate::store) async fn close(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.closed.cancel();
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }

    /// The database's name on the screen, without secrets.
    pub(in crate::store) fn label(&self) -> SafeLine {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.label(),
            Engine::Postgres(postgres) => postgres.label(),
        }
    }

    /// The time by the store's clock, UTC.
    pub(in crate::store) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Follows whether another process has migrated the store; set once.
    pub(in crate::store) fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>> {
        self.mismatches.subscribe()
    }

    /// Refuses a transaction on a schema of version `store` unless this process knows it.
    pub(super) fn check_version(&self, store: i64) -> Result<()> {
        version::check(&self.mismatches, store)
    }

    /// Returns what opening the database has done to a store that was there.
    pub(in crate::store) fn upgraded(&self) -> Option<Upgraded> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.upgraded.clone(),
            Engine::Postgres(_) => None,
        }
    }

    /// Follows commits of this process and of others.
    pub(in crate::store) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Follows commits of this process alone.
    pub(in crate::store) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// Wakes those who follow changes: something may have been committed, here or elsewhere.
    pub(in crate::store) fn hint(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Wakes everybody who follows commits, in other processes too: something was committed.
    pub(super) fn bump(&self) {
        self.commits.send_modify(|count| *count = count.wrapping_add(1));
        self.hint();
        if let Engine::Postgres(postgres) = &self.engine {
            postgres.tell_others();
        }
    }

    /// Whether the database is open for reading alone.
    pub(in crate::store) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Refuses to write to a database that is open for reading alone.
    pub(in crate::store) fn writable(&self) -> Result<()> {
        if self.read_only { Err(StoreError::ReadOnly) } else { Ok(()) }
    }

    /// Refuses to go on after [`close`](Self::close).
    pub(super) fn still_open(&self) -> Result<()> {
        if self.closed.is_cancelled() { Err(closed()) } else { Ok(()) }
    }

    /// A connection for readings.
    pub(in crate::store) async fn reader(&self) -> Result<Reader> {
        self.still_open()?;
        let conn = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.reader().await?,
            Engine::Postgres(postgres) => Conn::Postgres(postgres.lease().await?),
        };
        Ok(Reader::on(conn))
    }

    /// Leaves room between the transactions of a long bulk, so that another process gets its turn.
    pub(in crate::store) async fn give_way(&self) {
        if let Engine::Sqlite(sqlite) = &self.engine {
            sqlite.give_way().await;
        }
    }

    /// Waits until this process is in the middle of no write, and keeps it so until the answer is dropped.
    pub(in crate::store) async fn at_rest(&self) -> Box<dyn Send> {
        match &self.engine {
            Engine::Sqlite(sqlite) => Box::new(sqlite.at_rest().await),
            Engine::Postgres(postgres) => Box::new(postgres.at_rest().await),
        }
    }

    /// Returns the subscribers of the outbox as they are now.
    pub(super) fn subscribers(&self) -> Subscribers {
        Arc::clone(&self.subscribers.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Offers outcomes to a subscriber from the next transaction on, in place of one with the same name.
    pub(in crate::store) fn subscribe(&self, subscriber: Arc<dyn Subscriber>) {
        let mut all = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|other| Arc::ptr_eq(other, &subscriber)) {
            return;
        }
        let others = all.iter().filter(|other| other.name() != subscriber.name()).cloned();
        *all = others.chain([Arc::clone(&subscriber)]).collect();
    }

    /// Offers outcomes to the subscriber with this name no more.
    pub(in crate::store) fn unsubscribe(&self, name: &str) {
        let mut all = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        *all = all.iter().filter(|other| other.name() != name).cloned().collect();
    }

    /// Whether the documents are Chatwoot's own.
    pub(in crate::store) fn is_chatwoots(&self) -> bool {
        matches!(&self.engine, Engine::Postgres(postgres) if postgres.is_chatwoots())
    }

    /// Refuses where documents may not be added: to a table of another program that wants more than we know.
    pub(in crate::store) fn may_add(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(postgres) => postgres.may_add(),
        }
    }

    /// Refuses where documents may not be removed: from a table of another program.
    pub(in crate::store) fn may_remove(&self) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(()),
            Engine::Postgres(postgres) => postgres.may_remove(),
        }
    }

    /// Takes the lock by which a worker of this process is seen to live.
    pub(in crate::store) async fn hold_lock(&self, worker: &str) -> Result<()> {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.hold_lock(worker),
            Engine::Postgres(postgres) => postgres.hold_lock(worker).await,
        }
    }

    /// Gives up the lock of a worker of this process.
    pub(in crate::store) async fn let_go(&self, worker: &str) {
        match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.let_go(worker),
            Engine::Postgres(postgres) => postgres.let_go(worker).await,
        }
    }

    /// Whether workers of this process hold no lock, and live by their leases alone.
    pub(super) fn lease_only(&self) -> bool {
        matches!(&self.engine, Engine::Postgres(postgres) if postgres.lease_only())
    }

    /// Of these, the workers whose process is gone.
    pub(in crate::store) async fn gone(&self, known: &[Known], now: Timestamp) -> Result<HashSet<String>> {
        match &self.engine {
            Engine::Sqlite(sqlite) => {
                Ok(known.iter().map(|known| &known.id).filter(|id| sqlite.process_is_gone(id)).cloned().collect())
            }
            Engine::Postgres(postgres) => postgres.gone(known, now).await,
        }
    }

    /// Of the workers that were seen to be gone, those that still are.
    pub(in crate::store) async fn gone_for_sure(
        &self,
        gone: Vec<String>,
        known: &[Known],
        now: Timestamp,
    ) -> Result<Vec<String>> {
        match &self.engine {
            Engine::Sqlite(_) => Ok(gone),
            Engine::Postgres(postgres) => postgres.gone_for_sure(gone, known, now).await,
        }
    }

    /// Removes what is left of the locks of workers that are dead.
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

/// The error of whoever asks after the store was closed.
pub(in crate::store) fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}
