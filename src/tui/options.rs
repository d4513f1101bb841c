//! Start options of the console.

use crate::domain::id::{AccountId, AssistantId};
use crate::domain::text::SafeLine;
use crate::runner::event::{Event, LockHealth};
use jiff::tz::TimeZone;
use tokio::sync::{broadcast, watch};

/// The options with which a console starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Refuses the keys that change documents or jobs.
    pub read_only: bool,
    /// A remark for the head line, such as `demo: waits and time-outs shortened`.
    pub note: Option<SafeLine>,
    /// Recorded in outcomes as the requester.
    pub operator: SafeLine,
    pub zone: TimeZone,
    /// Uses only ASCII signs.
    pub ascii: bool,
    /// Uses no colours. The environment variable `NO_COLOR` has the same effect.
    pub mono: bool,
    /// Limit of running jobs per host, to explain why a job waits; 0 is no limit.
    pub per_host: u32,
    /// Account and assistant of documents that are added in this console.
    pub default_owner: (AccountId, AssistantId),
    /// Events of attempts in other processes, for a console without a runner; a runner's own events include them.
    pub remote_events: Option<broadcast::Sender<Event>>,
    /// State of the connection that delivers those events.
    pub remote_health: Option<watch::Receiver<LockHealth>>,
}
