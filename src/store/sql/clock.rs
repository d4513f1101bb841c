//! Clocks of the store: the system's, and one that tests move by hand.

use super::uptime::Uptime;
use crate::domain::time::Timestamp;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A clock in UTC. Each transaction reads it once: two reads within one transaction could disagree on whether a lease
/// has expired.
pub trait Clock: Send + Sync {
    /// Returns the current time.
    fn now(&self) -> Timestamp;

    /// Returns the time since the boot of this machine, which advances whatever is done to the clock.
    fn uptime(&self) -> Uptime {
        Uptime::of_this_machine()
    }

    /// Returns true if a store on a database server uses the server's clock instead, so that all processes share one
    /// clock.
    fn yields_to_database(&self) -> bool {
        false
    }
}

/// The operating system's clock. A PostgreSQL store uses the server's clock instead.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn yields_to_database(&self) -> bool {
        true
    }
}

/// A clock for tests that changes only when it is set.
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    /// Time since the boot, in microseconds.
    uptime: AtomicU64,
}

impl ManualClock {
    /// Creates a clock with the time `start`, on a machine that has just been started.
    pub const fn at(start: Timestamp) -> Self {
        Self { now: AtomicI64::new(start.micros()), uptime: AtomicU64::new(0) }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// Lets time pass until `to`. If that is earlier, the clock is set back, and no time passes.
    pub fn set(&self, to: Timestamp) {
        let passed = u64::try_from(to.since(self.now()).as_micros()).unwrap_or(u64::MAX);
        self.uptime.fetch_add(passed, Ordering::SeqCst);
        self.step(to);
    }

    /// Sets the clock to any time; no time passes.
    pub fn step(&self, to: Timestamp) {
        self.now.store(to.micros(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Uptime {
        let time = Duration::from_micros(self.uptime.load(Ordering::SeqCst));
        Uptime { machine: "machine".into(), boot: "boot".into(), time }
    }
}
