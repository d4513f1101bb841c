//! Redis: the lock of each document that Chatwoot's workers respect too, and a channel by which processes hear of each
//! other sooner. Never the truth: the store's leases and fences decide, so that losing Redis costs latency alone.
//!
//! `address` reads URL and key pattern, `script` is what a lock is in Redis, `keeper` keeps the connection and renews,
//! `signal` publishes and subscribes,
//! `sidekiq` puts Chatwoot's FAQ jobs in its queue, as a subscriber of the outbox. No call waits longer than a second, and none waits for a Redis known to be away.

mod address;
mod examine;
mod keeper;
mod script;
mod sidekiq;
mod signal;

pub use address::{AddressError, DEFAULT_KEY, check_key, check_url, masked_url};
pub use examine::examine;
pub use script::TTL;
pub use sidekiq::{FaqJobs, Pushed};
pub use signal::{News, announce};

use crate::domain::lock::{Lock, LockHolder, LockMode, StoreId};
use crate::domain::text::SafeLine;
use address::Address;
use redis::aio::MultiplexedConnection;
use script::Scripts;
use signal::Outbox;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The longest that a call to Redis takes, unless [`Settings::call`] says otherwise.
pub const CALL: Duration = Duration::from_secs(1);
/// Locks that could not be given back and are remembered until Redis answers again; older ones end by their time.
const OWED: usize = 1_024;
/// News that a slow listener may be behind.
const NEWS: usize = 1_024;

/// The settings of `[redis]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// `redis://` or `rediss://`, with user, password and database number; `None` is no Redis. Never printed as it is.
    pub url: Option<String>,
    /// The key of a document's lock: `{id}` stands for the document.
    pub key: String,
    /// Consequence of an unreachable Redis; with [`LockMode::Off`] Redis is not used.
    pub mode: LockMode,
    /// Upper limit of one call: [`CALL`]. Tests that are not about a slow Redis wait longer.
    pub call: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { url: None, key: DEFAULT_KEY.to_owned(), mode: LockMode::default(), call: CALL }
    }
}

impl Settings {
    /// Returns the URL of the Redis that is used; `None` when there is none, or it is off.
    pub fn used_url(&self) -> Option<&str> {
        self.url.as_deref().filter(|_| self.mode != LockMode::Off)
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = self.url.as_deref().map(masked_url);
        f.debug_struct("Settings").field("url", &url).field("key", &self.key).field("mode", &self.mode).finish()
    }
}

/// Use of Redis by a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs jobs: locks their documents, renews held locks this often, publishes and subscribes.
    Worker {
        /// The time between two renewals.
        renew: Duration,
    },
    /// Publishes and subscribes; sets no key.
    Watcher,
}

/// State of the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Not known yet.
    #[default]
    Connecting,
    /// Redis answers and accepts locks.
    Reached,
    /// Redis does not answer; the connection is tried again. The reason is in plain language and without the password.
    Away(SafeLine),
}

/// Redis did not answer. Never a document's failure.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("Redis does not answer: {0}")]
pub struct Away(pub SafeLine);

/// Result of acquiring a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The lock is ours, for [`TTL`] from now.
    Held,
    /// Somebody else has it.
    Busy(LockHolder),
}

/// A Redis server, as this process uses it for one store.
pub struct Redis {
    address: Address,
    mode: LockMode,
    store: StoreId,
    scripts: Scripts,
    call: Duration,
    connection: Mutex<Connection>,
    reach: watch::Sender<Reach>,
    /// The keeper is to connect anew.
    broken: Notify,
    /// Locks that were asked for and not given back.
    held: Mutex<BTreeSet<Lock>>,
    /// Locks that are to be given back when Redis answers again.
    owed: Mutex<BTreeSet<Lock>>,
    outbox: Outbox,
    news: broadcast::Sender<News>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// The connection and its number, so that a late failure of an old one does not close the new one.
#[derive(Default)]
struct Connection {
    number: u64,
    open: Option<MultiplexedConnection>,
}

impl Redis {
    /// Begins to connect, renew and listen for `store`; `None` when the settings use no Redis. An address that is none is an
    /// error; a Redis that does not answer is not: see [`reach`](Self::reach).
    pub fn start(settings: &Settings, role: Role, store: StoreId) -> Result<Option<Arc<Self>>, AddressError> {
        let Some(url) = settings.used_url() else { return Ok(None) };
        let redis = Arc::new(Self {
            address: Address::parse(url, &settings.key)?,
            mode: match role {
                Role::Worker { .. } => settings.mode,
                Role::Watcher => LockMode::Off,
            },
            scripts: Scripts::of(&store),
            store,
            call: settings.call,
            connection: Mutex::default(),
            reach: watch::Sender::new(Reach::Connecting),
            broken: Notify::new(),
            held: Mutex::default(),
            owed: Mutex::default(),
            outbox: Outbox::default(),
            news: broadcast::Sender::new(NEWS),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        });
        redis.spawn(keeper::keep(Arc::clone(&redis)));
        if let Role::Worker { renew } = role {
            redis.spawn(keeper::renew(Arc::clone(&redis), renew));
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

    /// Returns the consequence of an unreachable Redis; [`LockMode::Off`] for a watcher, which locks nothing.
    pub fn mode(&self) -> LockMode {
        self.mode
    }

    /// `host:port`, without secrets.
    pub fn label(&self) -> SafeLine {
        self.address.label()
    }

    /// Returns the state of the connection, always the latest.
    pub fn reach(&self) -> watch::Receiver<Reach> {
        self.reach.subscribe()
    }

    /// Returns true if Redis answered last.
    pub fn is_reached(&self) -> bool {
        *self.reach.borrow() == Reach::Reached
    }

    /// Waits for the first connection, or for the first that fails.
    pub async fn settled(&self) {
        // Only fails when the sender is gone, which is within `self`.
        let _ = self.reach.subscribe().wait_for(|reach| *reach != Reach::Connecting).await;
    }

    /// Takes the lock, or makes sure that it is still ours: absent, it is set; ours, it lasts [`TTL`] again; a lower
    /// token's of this store, it is taken over (that lease has ended); anybody else's, it is respected.
    pub async fn hold(&self, lock: Lock) -> Result<Asked, Away> {
        // Remembered before the call: one whose answer is lost may have been set all the same.
        own(&self.held).insert(lock);
        let key = self.address.key(lock.document);
        let (number, mut open) = self.opened()?;
        let found = self.answer(number, self.scripts.hold(&mut open, &key, lock)).await?;
        let Some(value) = found else { return Ok(Asked::Held) };
        own(&self.held).remove(&lock);
        Ok(Asked::Busy(script::holder(&value, &self.store)))
    }

    /// Gives the lock back if it is ours; when Redis does not answer, as soon as it does.
    pub async fn release(&self, lock: Lock) {
        if !own(&self.held).remove(&lock) {
            return;
        }
        if self.delete(lock).await.is_err() {
            let mut owed = own(&self.owed);
            owed.insert(lock);
            if owed.len() > OWED {
                owed.pop_first();
            }
        }
    }

    async fn delete(&self, lock: Lock) -> Result<bool, Away> {
        let key = self.address.key(lock.document);
        let (number, mut open) = self.opened()?;
        self.answer(number, self.scripts.release(&mut open, &key, lock)).await
    }

    /// Ends the tasks and the connection; nothing else ends them. Locks that are still held end by their time, or are taken over.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        own(&self.connection).open = None;
    }

    /// The connection with its number, if there is one.
    fn opened(&self) -> Result<(u64, MultiplexedConnection), Away> {
        let connection = own(&self.connection);
        match (&connection.open, &*self.reach.borrow()) {
            (Some(open), _) => Ok((connection.number, open.clone())),
            (None, Reach::Away(reason)) => Err(Away(reason.clone())),
            (None, Reach::Connecting | Reach::Reached) => Err(Away("not connected yet".into())),
        }
    }

    /// The answer of a call on connection `number`. Any failure closes it: the keeper finds out what is wrong.
    async fn answer<T>(&self, number: u64, call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, Away> {
        let reason = match timeout(self.call, call).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => self.address.reason(&error),
            Err(_) => SafeLine::new(&format!("{}: no answer within a second", self.label())),
        };
        let is_current = {
            let mut connection = own(&self.connection);
            let is_current = connection.number == number && connection.open.is_some();
            if is_current {
                connection.open = None;
            }
            is_current
        };
        if is_current {
            self.reach.send_replace(Reach::Away(reason.clone()));
            self.broken.notify_one();
        }
        Err(Away(reason))
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("at", &self.label()).field("mode", &self.mode).finish_non_exhaustive()
    }
}

/// Held for a look-up, never across an await; what is within stays sound when a holder panics.
fn own<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
