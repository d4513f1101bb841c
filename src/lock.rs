//! Redis: the lock of each document, which Chatwoot's workers respect too, messages by which other processes learn of
//! commits sooner, and the delivery of Chatwoot's FAQ jobs. The store's leases and fences, not Redis, decide which
//! worker of this program may write. Losing Redis delays messages and deliveries; syncs stop only if the lock is
//! required.
//!
//! `address` parses the URL and the key pattern, `sentinel` finds the master that sentinels name, `script` holds the Lua
//! scripts of a lock, `keeper` maintains the connection and renews locks, `signal` publishes and subscribes, `sidekiq`
//! puts Chatwoot's FAQ jobs in Sidekiq's queue, as a subscriber of the outbox. A command to Redis waits for at most
//! [`Settings::call_timeout`], and not at all while Redis is known to be unavailable.

mod address;
mod examine;
mod keeper;
mod script;
mod sentinel;
mod sidekiq;
mod signal;

pub use address::{AddressError, DEFAULT_KEY, check_key, check_url, masked_url};
pub use examine::examine;
pub use script::TTL;
pub use sentinel::{DEFAULT_MASTER, SentinelSettings};
pub use sidekiq::{FaqJobs, PushResult};
pub use signal::{Notification, announce};

use crate::domain::lock::{Lock, LockHolder, LockMode, StoreId};
use crate::domain::text::SafeLine;
use address::RedisAddress;
use redis::Client;
use redis::aio::MultiplexedConnection;
use script::Scripts;
use signal::PublishQueue;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Upper limit of one call to Redis, unless [`Settings::call_timeout`] sets another one.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(1);
/// Maximum number of locks that could not be released and are deleted once Redis answers again. Beyond it, those with
/// the lowest document ids are forgotten and expire after [`TTL`].
const MAX_PENDING_RELEASES: usize = 1_024;
/// Maximum number of notifications buffered for a slow receiver. A receiver that falls further behind misses some and
/// must read the store.
const NOTIFICATION_CAPACITY: usize = 1_024;

/// The settings of `[redis]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// `redis://`, `rediss://` or `redis+sentinel://`, with user, password and database number; `None` means no Redis,
    /// unless there are sentinels. The URL may contain a password: print it only with [`masked_url`].
    pub url: Option<String>,
    /// Sentinels that name the server; the URL's host is not used then.
    pub sentinel: SentinelSettings,
    /// File with the certificates of the authorities that are trusted instead of the system's, in PEM format.
    pub ca_file: Option<PathBuf>,
    /// Key of a document's lock; `{id}` stands for the document's id.
    pub key: String,
    /// Consequence of an unavailable Redis; with [`LockMode::Off`] Redis is not used.
    pub mode: LockMode,
    /// Upper limit of one call: [`CALL_TIMEOUT`]. Tests that do not test a slow Redis set a longer one.
    pub call_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: None,
            sentinel: SentinelSettings::default(),
            ca_file: None,
            key: DEFAULT_KEY.to_owned(),
            mode: LockMode::default(),
            call_timeout: CALL_TIMEOUT,
        }
    }
}

impl Settings {
    /// Returns true if a Redis is used: one is set, and locking is not off.
    pub fn is_used(&self) -> bool {
        (self.url.is_some() || !self.sentinel.nodes.is_empty()) && self.mode != LockMode::Off
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.as_deref().map(masked_url);
        let mut shown = f.debug_struct("Settings");
        shown.field("url", &url).field("sentinel", &self.sentinel).field("ca_file", &self.ca_file);
        shown.field("key", &self.key).field("mode", &self.mode).finish()
    }
}

/// Role of a process, which decides the tasks that it runs on Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The process runs jobs: it locks their documents, renews acquired locks, publishes and subscribes.
    Worker {
        /// Interval between two renewals.
        renew: Duration,
    },
    /// The process publishes and subscribes, and sets no key.
    Watcher,
}

/// State of the connection to Redis, for status displays and for the decision to claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ConnectionState {
    /// The first attempt to connect is still running.
    #[default]
    Connecting,
    /// The connection is open; a worker has also set and deleted a trial lock.
    Connected,
    /// Redis does not answer or refuses this program; the connection is retried. The reason is in plain language and
    /// without the password.
    Unavailable(SafeLine),
}

/// Error of a call that Redis did not answer or answered with an error. Such an error never counts as a failure of the
/// document.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Redis does not answer: {0}")]
pub struct RedisUnavailable(pub SafeLine);

/// Result of acquiring a document's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockResult {
    /// This process owns the lock for [`TTL`] from now.
    Acquired,
    /// Another owner has the lock: another worker or another program.
    Busy(LockHolder),
}

/// Connection of this process to a Redis server, for the documents of one store.
pub struct Redis {
    address: RedisAddress,
    mode: LockMode,
    store: StoreId,
    scripts: Scripts,
    call: Duration,
    connection: Mutex<Connection>,
    connection_state: watch::Sender<ConnectionState>,
    /// Wakes the keeper (the task that maintains the connection) to reconnect.
    broken: Notify,
    /// Locks that this process may own: requested, not refused and not yet released. The renewal covers exactly these.
    acquired: Mutex<BTreeSet<Lock>>,
    /// Locks to delete when Redis answers again.
    pending_releases: Mutex<BTreeSet<Lock>>,
    publish_queue: PublishQueue,
    notifications: broadcast::Sender<Notification>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// The open connection, if there is one, and the number of the latest connection. The number keeps a late failure of an
/// old connection from closing the new one.
#[derive(Default)]
struct Connection {
    number: u64,
    open: Option<MultiplexedConnection>,
    /// Client of the server to which this connection leads: with sentinels, the master of that time.
    client: Option<Client>,
}

impl Redis {
    /// Starts the tasks that connect, renew, publish and subscribe for `store`; `None` when the settings use no Redis.
    /// An invalid address is an error. A Redis that does not answer is not: see
    /// [`connection_state`](Self::connection_state).
    pub fn start(settings: &Settings, role: Role, store: StoreId) -> Result<Option<Arc<Self>>, AddressError> {
        let Some(address) = RedisAddress::parse(settings)? else { return Ok(None) };
        let redis = Arc::new(Self {
            address,
            mode: match role {
                Role::Worker { .. } => settings.mode,
                Role::Watcher => LockMode::Off,
            },
            scripts: Scripts::of(&store),
            store,
            call: settings.call_timeout,
            connection: Mutex::default(),
            connection_state: watch::Sender::new(ConnectionState::Connecting),
            broken: Notify::new(),
            acquired: Mutex::default(),
            pending_releases: Mutex::default(),
            publish_queue: PublishQueue::default(),
            notifications: broadcast::Sender::new(NOTIFICATION_CAPACITY),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        redis.spawn(keeper::keep(Arc::clone(&redis)));
        if let Role::Worker { renew } = role {
            redis.spawn(keeper::renew(Arc::clone(&redis), renew));
        }
        if redis.address.sentinels().is_some() {
            redis.spawn(keeper::watch_master(Arc::clone(&redis)));
        }
        redis.spawn(signal::publish(Arc::clone(&redis)));
        redis.spawn(signal::listen(Arc::clone(&redis)));
        Ok(Some(redis))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled(task).await;
        });
    }

    /// Returns true if sentinels name the server. After a failover, the last commands may be lost.
    pub fn is_by_sentinel(&self) -> bool {
        self.address.sentinels().is_some()
    }

    /// Returns the number of the latest connection, which grows with each one.
    pub fn connection_number(&self) -> u64 {
        locked(&self.connection).number
    }

    /// Returns the consequence of an unavailable Redis; [`LockMode::Off`] for a watcher, which locks nothing.
    pub fn mode(&self) -> LockMode {
        self.mode
    }

    /// Returns `host:port`, without secrets.
    pub fn label(&self) -> SafeLine {
        self.address.label()
    }

    /// Returns a receiver that always has the latest state of the connection.
    pub fn connection_state(&self) -> watch::Receiver<ConnectionState> {
        self.connection_state.subscribe()
    }

    /// Returns true while the connection is open and the last call succeeded.
    pub fn is_connected(&self) -> bool {
        *self.connection_state.borrow() == ConnectionState::Connected
    }

    /// Waits until the first attempt to connect has succeeded or failed.
    pub async fn first_connection(&self) {
        // Fails only when the sender is gone, and `self` owns it.
        let _ = self.connection_state.subscribe().wait_for(|state| *state != ConnectionState::Connecting).await;
    }

    /// Acquires the lock, or extends a lock that this process owns, for [`TTL`]. A key with a lower token of this store
    /// is taken over, because the lease of that token has ended. If the key has any other owner, returns that owner.
    pub async fn acquire(&self, lock: Lock) -> Result<LockResult, RedisUnavailable> {
        // Recorded before the call: if the answer is lost, Redis may have set the key all the same.
        locked(&self.acquired).insert(lock);
        let key = self.address.key(lock.document);
        let (number, mut open) = self.opened()?;
        let found = self.answer(number, self.scripts.acquire(&mut open, &key, lock)).await?;
        let Some(value) = found else { return Ok(LockResult::Acquired) };
        locked(&self.acquired).remove(&lock);
        Ok(LockResult::Busy(script::holder(&value, &self.store)))
    }

    /// Releases the lock if this process owns it. If Redis does not answer, the lock is deleted once Redis answers
    /// again, or expires.
    pub async fn release(&self, lock: Lock) {
        if !locked(&self.acquired).remove(&lock) {
            return;
        }
        if self.delete(lock).await.is_err() {
            let mut pending = locked(&self.pending_releases);
            pending.insert(lock);
            if pending.len() > MAX_PENDING_RELEASES {
                pending.pop_first();
            }
        }
    }

    async fn delete(&self, lock: Lock) -> Result<bool, RedisUnavailable> {
        let key = self.address.key(lock.document);
        let (number, mut open) = self.opened()?;
        self.answer(number, self.scripts.release(&mut open, &key, lock)).await
    }

    /// Ends the tasks and the connection; dropping `self` does not. Locks that are not released expire after [`TTL`] or
    /// are taken over.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        locked(&self.connection).open = None;
    }

    /// Returns the connection and its number, or the reason why there is none.
    fn opened(&self) -> Result<(u64, MultiplexedConnection), RedisUnavailable> {
        let connection = locked(&self.connection);
        match (&connection.open, &*self.connection_state.borrow()) {
            (Some(open), _) => Ok((connection.number, open.clone())),
            (None, ConnectionState::Unavailable(reason)) => Err(RedisUnavailable(reason.clone())),
            (None, ConnectionState::Connecting | ConnectionState::Connected) => {
                Err(RedisUnavailable("not connected yet".into()))
            }
        }
    }

    /// Awaits a call on connection `number`, within the time limit of a call. A failure closes that connection, if it
    /// is still the current one, and wakes the keeper, which reconnects: the server may have become a replica, too.
    async fn answer<T>(
        &self,
        number: u64,
        call: impl Future<Output = redis::RedisResult<T>>,
    ) -> Result<T, RedisUnavailable> {
        let reason = match timeout(self.call, call).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => self.address.reason(&error),
            Err(_) => SafeLine::new(&format!("{}: no answer within a second", self.label())),
        };
        self.drop_connection(number, &reason);
        Err(RedisUnavailable(reason))
    }

    /// Closes connection `number`, if it is still the current one, and wakes the keeper, which reconnects.
    fn drop_connection(&self, number: u64, reason: &SafeLine) {
        let is_current = {
            let mut connection = locked(&self.connection);
            let is_current = connection.number == number && connection.open.is_some();
            if is_current {
                connection.open = None;
            }
            is_current
        };
        if is_current {
            self.connection_state.send_replace(ConnectionState::Unavailable(reason.clone()));
            self.broken.notify_one();
        }
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("at", &self.label()).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// Locks a mutex, ignoring poison: each critical section is short, has no await, and leaves the data consistent even if
/// it panics.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
