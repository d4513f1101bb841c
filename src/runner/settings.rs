//! The settings of a runner, and the mode in which one runs.

use crate::chatwoot::faq_job::FaqSettings;
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::Terms;
use std::time::Duration;

/// The settings of `[runner]`, `[retry]` and `[chatwoot]`, and of `[fetch]` the one that is kept over all workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Attempts at a time.
    pub slots: u32,
    /// Running jobs of one host, over all workers.
    pub per_host: u32,
    /// Running jobs of one account, over all workers; `None` is no cap.
    pub per_account: Option<u32>,
    /// How far apart two fetches of one host begin at least, over all workers; zero is no distance.
    pub host_interval: Duration,
    /// How long a claim stands without a heartbeat.
    pub lease: Duration,
    /// How often the leases are renewed.
    pub heartbeat: Duration,
    /// How long a drain waits for what runs before it releases it.
    pub drain: Duration,
    /// When failed attempts are tried again.
    pub policy: RetryPolicy,
    /// Whether, and how, Chatwoot is told of changed documents.
    pub faq: FaqSettings,
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
            faq: FaqSettings::default(),
        }
    }
}

/// When a runner ends, and whether it puts due documents in the queue meanwhile.
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
    /// What is due, and how much of it a pass puts in the queue.
    pub terms: Terms,
    /// Whether it schedules. Unless somebody says so, not on a database of Chatwoot: its own scheduler would sync the
    /// same documents a second time.
    pub enabled: Option<bool>,
}

impl Scheduling {
    /// Whether documents of this kind of store are scheduled.
    pub fn acts(&self, is_chatwoots: bool) -> bool {
        self.enabled.unwrap_or(!is_chatwoots)
    }
}
