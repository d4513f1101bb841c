//! What a console is started with.

use crate::domain::id::{AccountId, AssistantId};
use crate::domain::text::SafeLine;
use crate::runner::event::{Event, LockHealth};
use jiff::tz::TimeZone;
use tokio::sync::{broadcast, watch};

/// How a console is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keys that change something are refused.
    pub read_only: bool,
    /// What the first line says besides, `demo: waits and time-outs shortened`.
    pub note: Option<SafeLine>,
    /// Who asks, for outcomes.
    pub operator: SafeLine,
    /// The zone of times on the screen.
    pub zone: TimeZone,
    /// Signs from ASCII alone.
    pub ascii: bool,
    /// No colours. `NO_COLOR` means the same.
    pub mono: bool,
    /// Running jobs of one host at a time, to say why a job waits; 0 is no cap.
    pub per_host: u32,
    /// To whom a document belongs that is added here.
    pub default_owner: (AccountId, AssistantId),
    /// Steps of attempts in other processes, for a console without a runner; with one they are among its events.
    pub remote: Option<broadcast::Sender<Event>>,
    /// Whether those steps can be heard, for the same.
    pub hearing: Option<watch::Receiver<LockHealth>>,
}
