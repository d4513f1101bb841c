//! Maintains the connection: connects, detects its loss and reconnects; then deletes locks whose release is pending. A
//! second task renews the locks that this process owns.

use super::{ConnectionState, Redis, locked};
use crate::domain::backoff::Backoff;
use crate::domain::id::{DocumentId, JobId, Token};
use crate::domain::lock::{Lock, LockMode};
use crate::domain::text::SafeLine;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisResult, Role, Value};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Interval of `PING` on the connection. With the time-out of a call, a lost Redis is detected within 1.5 s.
const PING_INTERVAL: Duration = Duration::from_millis(500);
/// Interval at which the sentinels are asked whether the server is still the master.
const MASTER_INTERVAL: Duration = Duration::from_secs(5);
/// Lock of a document that does not exist. Setting and deleting it after connecting proves that the user in `redis.url`
/// may run the scripts of a lock.
const PROBE_LOCK: Lock = Lock { document: DocumentId(0), job: JobId(0), token: Token(0) };

/// Connects, keeps the connection alive and reconnects with back-off, until this task is cancelled.
pub(super) async fn keep(redis: Arc<Redis>) {
    let mut backoff = Backoff::of_service();
    loop {
        match connect(&redis).await {
            Ok((client, open)) => {
                backoff.reset();
                {
                    let mut connection = locked(&redis.connection);
                    connection.number += 1;
                    connection.open = Some(open);
                    connection.client = Some(client);
                }
                redis.connection_state.send_replace(ConnectionState::Connected);
                restore_locks(&redis).await;
                release_pending(&redis).await;
                ping_until_lost(&redis).await;
            }
            Err(reason) => {
                redis.connection_state.send_replace(ConnectionState::Unavailable(reason));
            }
        }
        sleep(backoff.wait()).await;
    }
}

async fn connect(redis: &Redis) -> Result<(Client, MultiplexedConnection), SafeLine> {
    let call = Some(redis.call);
    let config = AsyncConnectionConfig::new().set_connection_timeout(call).set_response_timeout(call);
    let reason = |error| redis.address.reason(&error);
    let open = async {
        let client = redis.address.client().await.map_err(reason)?;
        let mut open = client.get_multiplexed_async_connection_with_config(&config).await.map_err(reason)?;
        if redis.mode != LockMode::Off {
            let key = redis.address.key(PROBE_LOCK.document);
            redis.scripts.acquire(&mut open, &key, PROBE_LOCK).await.map_err(reason)?;
            redis.scripts.release(&mut open, &key, PROBE_LOCK).await.map_err(reason)?;
        }
        Ok((client, open))
    };
    // One limit for name look-up, TLS and the probe together: a server that is slow at each step is unusable too. The
    // sentinels, of which some may be gone, are asked before.
    let limit = redis.call * if redis.is_by_sentinel() { 4 } else { 2 };
    let slow = || SafeLine::new(&format!("{}: no connection within {} seconds", redis.label(), limit.as_secs()));
    timeout(limit, open).await.unwrap_or_else(|_| Err(slow()))
}

/// Sends `PING` until the connection is lost.
async fn ping_until_lost(redis: &Redis) {
    let by_sentinel = redis.is_by_sentinel();
    let mut ticks = interval(PING_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = redis.broken.notified() => if locked(&redis.connection).open.is_none() { return },
            _ = ticks.tick() => {
                let Ok((number, mut open)) = redis.opened() else { return };
                if redis.answer(number, ping(&mut open, by_sentinel)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Checks that the server answers; with sentinels, also that it is still a master.
async fn ping(open: &mut MultiplexedConnection, by_sentinel: bool) -> RedisResult<()> {
    if !by_sentinel {
        return redis::cmd("PING").query_async::<Value>(open).await.map(drop);
    }
    match redis::cmd("ROLE").query_async::<Role>(open).await? {
        Role::Primary { .. } => Ok(()),
        _ => Err((ErrorKind::UnexpectedReturnType, "this server is no master any more").into()),
    }
}

/// Asks the sentinels at the interval [`MASTER_INTERVAL`] whether the server is still the master, and drops the
/// connection if it is another: a master that is cut off from the sentinels goes on answering for a while.
pub(super) async fn watch_master(redis: Arc<Redis>) {
    loop {
        sleep(MASTER_INTERVAL).await;
        let (number, before) = {
            let connection = locked(&redis.connection);
            (connection.number, connection.client.as_ref().filter(|_| connection.open.is_some()).cloned())
        };
        let Some(before) = before else { continue };
        // Sentinels that do not answer, or are in the middle of a failover, prove nothing.
        let Ok(Ok(master)) = timeout(redis.call * 3, redis.address.client()).await else { continue };
        if master.get_connection_info().addr() != before.get_connection_info().addr() {
            redis.drop_connection(number, &SafeLine::new(&format!("{}: there is another master now", redis.label())));
        }
    }
}

/// Acquires the locks of running attempts again: a server that was restarted, or a replica that became the master, may
/// lack them, and one that is missing keeps out nobody. A lock that another owner has is detected before the attempt's
/// result is written.
async fn restore_locks(redis: &Redis) {
    let locks: Vec<Lock> = locked(&redis.acquired).iter().copied().collect();
    for lock in locks {
        let key = redis.address.key(lock.document);
        let Ok((number, mut open)) = redis.opened() else { return };
        if redis.answer(number, redis.scripts.acquire(&mut open, &key, lock)).await.is_err() {
            return;
        }
        // Its attempt may have ended, and deleted it, just before.
        if !locked(&redis.acquired).contains(&lock) && redis.delete(lock).await.is_err() {
            return;
        }
    }
}

/// Deletes the locks that could not be released while Redis was unavailable. A lock whose deletion fails stays pending.
async fn release_pending(redis: &Redis) {
    let pending = std::mem::take(&mut *locked(&redis.pending_releases));
    for lock in pending {
        if redis.delete(lock).await.is_err() {
            locked(&redis.pending_releases).insert(lock);
        }
    }
}

/// Renews this process's locks at the interval `every`, until this task is cancelled.
pub(super) async fn renew(redis: Arc<Redis>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let locks: Vec<Lock> = locked(&redis.acquired).iter().copied().collect();
        for lock in locks {
            let key = redis.address.key(lock.document);
            // A lock that was lost to another owner is detected later, before the attempt's result is written.
            let Ok((number, mut open)) = redis.opened() else { break };
            if redis.answer(number, redis.scripts.renew(&mut open, &key, lock)).await.is_err() {
                break;
            }
        }
    }
}
