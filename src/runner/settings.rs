//! The settings of a runner, and the mode in which one runs.

use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::Terms;
use std::time::Duration;

/// The settings of `[runner]` and `[retry]`, and of `[fetch]` the one that is kept over all workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Attempts at a time.
    pub slots: u32,
    /// Running jobs of one host, over all workers.
    pub per_host: u32,
    /// Running jobs of one account, over all workers; `None` is no cap.
    pub per_account: Option<u32>,
    /// Shortest time between the starts of two fetches from one host, over all workers; zero is none.
    pub host_interval: Duration,
    /// Time for which a claim is valid without a heartbeat.
    pub lease: Duration,
    /// Interval at which leases are renewed.
    pub heartbeat: Duration,
    /// Time that a drain waits for running attempts before it releases them.
    pub drain: Duration,
    /// Retry policy.
    pub policy: RetryPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: 16,
            per_host: 2,
            per_account: None,
            host_interval: Duration::ZERO,
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(10),
            drain: Duration::from_secs(25),
            policy: RetryPolicy::default(),
        }
    }
}

/// Condition under which a runner ends, and whether it schedules meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Runs until it is told to end, and schedules.
    Service(Scheduling),
    /// Runs the jobs of the verb that started it, until that tells it to end.
    OnDemand,
    /// Ends by itself when nothing is running, ready or waiting, what is paused left aside (`work --drain`).
    Drain,
}

/// The settings of `[schedule]`, `[plans]` and `[accounts]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scheduling {
    /// Plans, rules and limits of a pass.
    pub terms: Terms,
    /// Scheduling on or off. By default on, but off on a Chatwoot database: Chatwoot's own scheduler would sync the
    /// same documents a second time.
    pub enabled: Option<bool>,
}

impl Scheduling {
    /// Returns true if documents of this kind of store are scheduled.
    pub fn acts(&self, is_chatwoots: bool) -> bool {
        self.enabled.unwrap_or(!is_chatwoots)
    }
}
