//! Settings and modes of a runner.

use crate::domain::retention::Retention;
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::ScheduleSettings;
use std::time::Duration;

/// Settings of `[runner]`, `[retry]` and `[retention]`, and two of `[fetch]`: `host_interval`, which applies over all workers, and
/// `from_installation`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Maximum number of attempts that run at the same time in this process.
    pub slots: u32,
    /// Maximum number of running jobs of one host, over all workers.
    pub per_host: u32,
    /// Maximum number of running jobs of one account, over all workers; `None` means no limit.
    pub per_account: Option<u32>,
    /// Shortest time between the starts of two fetches from one host, over all workers; zero means no limit.
    pub host_interval: Duration,
    /// Time for which a lease is valid without a heartbeat.
    pub lease: Duration,
    /// Interval between two heartbeats, which renew the leases; must be shorter than half of `lease`, so that one lost
    /// heartbeat does no harm.
    pub heartbeat: Duration,
    /// Time that a drain waits for running attempts before it releases them.
    pub drain: Duration,
    pub policy: RetryPolicy,
    pub retention: Retention,
    /// True if pages of a Chatwoot database are fetched as Chatwoot's own settings say (`fetch.from_installation`).
    pub follows_installation: bool,
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
            retention: Retention::default(),
            follows_installation: true,
        }
    }
}

/// Mode of a runner, which decides when the runner ends, and if it runs the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The runner runs until its handle stops it, and also runs the schedule.
    Service(Scheduling),
    /// The runner runs the jobs of the command that started it, until that command stops it.
    OnDemand,
    /// The runner reads the sources that are due, and ends when no job is running, ready or waiting, except paused jobs
    /// (`work --drain`).
    Drain,
}

/// Settings of `[schedule]`, `[plans]` and `[accounts]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scheduling {
    /// Plans, rules and limits of a pass.
    pub terms: ScheduleSettings,
    /// Turns scheduling on or off. `None` means on, but off on a Chatwoot database, where Chatwoot's own scheduler
    /// would sync the same documents a second time.
    pub enabled: Option<bool>,
}

impl Scheduling {
    /// Returns true if a pass enqueues documents; `is_chatwoots` is true on a Chatwoot database.
    pub fn acts(&self, is_chatwoots: bool) -> bool {
        self.enabled.unwrap_or(!is_chatwoots)
    }
}
