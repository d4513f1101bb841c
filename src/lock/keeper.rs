//! Maintains the connection: connects, detects its loss and reconnects; then deletes locks whose release is pending. A
//! second task renews the locks that this process owns.

use super::{Reach, Redis, own};
use crate::domain::backoff::Backoff;
use crate::domain::id::{DocumentId, JobId, Token};
use crate::domain::lock::{Lock, LockMode};
use crate::domain::text::SafeLine;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

/// Interval of `PING` on the connection. With the time-out of a call, a lost Redis is detected within 1.5 s.
const TRY: Duration = Duration::from_millis(500);
/// Lock of a document that does not exist. Setting and deleting it after connecting proves that this user may run the
/// scripts.
const PROBE: Lock = Lock { document: DocumentId(0), job: JobId(0), token: Token(0) };

/// Connects, keeps the connection alive and reconnects with back-off, until it is cancelled.
pub(super) async fn keep(redis: Arc<Redis>) {
    let mut backoff = Backoff::of_service();
    loop {
        match connect(&redis).await {
            Ok(open) => {
                backoff.reset();
                {
                    let mut connection = own(&redis.connection);
                    connection.number += 1;
                    connection.open = Some(open);
                }
                redis.reach.send_replace(Reach::Reached);
                give_back(&redis).await;
                watch_over(&redis).await;
            }
            Err(reason) => {
                redis.reach.send_replace(Reach::Away(reason));
            }
        }
        sleep(backoff.wait()).await;
    }
}

async fn connect(redis: &Redis) -> Result<MultiplexedConnection, SafeLine> {
    let call = Some(redis.call);
    let config = AsyncConnectionConfig::new().set_connection_timeout(call).set_response_timeout(call);
    let reason = |error| redis.address.reason(&error);
    let open = async {
        let mut open =
            redis.address.client().get_multiplexed_async_connection_with_config(&config).await.map_err(reason)?;
        if redis.mode != LockMode::Off {
            let key = redis.address.key(PROBE.document);
            redis.scripts.hold(&mut open, &key, PROBE).await.map_err(reason)?;
            redis.scripts.release(&mut open, &key, PROBE).await.map_err(reason)?;
        }
        Ok(open)
    };
    // One limit for name look-up, TLS and the probe together: a server that is slow at each step is unusable too.
    let slow = || SafeLine::new(&format!("{}: no connection within two seconds", redis.label()));
    timeout(redis.call * 2, open).await.unwrap_or_else(|_| Err(slow()))
}

/// Sends `PING` until the connection is lost.
async fn watch_over(redis: &Redis) {
    let ping = redis::cmd("PING");
    let mut ticks = interval(TRY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = redis.broken.notified() => if own(&redis.connection).open.is_none() { return },
            _ = ticks.tick() => {
                let Ok((number, mut open)) = redis.opened() else { return };
                if redis.answer(number, ping.query_async::<redis::Value>(&mut open)).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Deletes the locks whose attempts ended while Redis was unavailable.
async fn give_back(redis: &Redis) {
    let owed = std::mem::take(&mut *own(&redis.owed));
    for lock in owed {
        if redis.delete(lock).await.is_err() {
            own(&redis.owed).insert(lock);
        }
    }
}

/// Renews this process's locks at the interval `every`, until it is cancelled.
pub(super) async fn renew(redis: Arc<Redis>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let held: Vec<Lock> = own(&redis.held).iter().copied().collect();
        for lock in held {
            let key = redis.address.key(lock.document);
            // A lock that was lost to another owner is detected later, before the attempt's result is written.
            let Ok((number, mut open)) = redis.opened() else { break };
            if redis.answer(number, redis.scripts.renew(&mut open, &key, lock)).await.is_err() {
                break;
            }
        }
    }
}
