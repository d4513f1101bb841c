//! State of a sink, for people.

use super::SinkName;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;

/// State of a registered sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkStatus {
    pub name: SinkName,
    pub kind: SafeLine,
    /// Filters and conditions; empty if a newer program has written them.
    pub on: Vec<String>,
    /// Time and reason of the answer by which the receiver wanted nothing more.
    pub disabled: Option<(Timestamp, SafeLine)>,
    /// Time of the last delivery, UTC.
    pub delivered_at: Option<Timestamp>,
    /// Number of deliveries so far.
    pub delivered: u64,
    /// Number of records that wait.
    pub pending: u64,
    /// Time of the oldest record that waits, UTC.
    pub oldest_at: Option<Timestamp>,
    /// Number of records that were given up.
    pub dead: u64,
    /// Reason of the last failed delivery of a record that waits or was given up.
    pub last_error: Option<SafeLine>,
}

impl SinkStatus {
    /// Creates the state of a sink that was never notified.
    pub fn new(name: SinkName, kind: &str) -> Self {
        Self {
            name,
            kind: SafeLine::new(kind),
            on: Vec::new(),
            disabled: None,
            delivered_at: None,
            delivered: 0,
            pending: 0,
            oldest_at: None,
            dead: 0,
            last_error: None,
        }
    }

    /// Returns true if a person should look after the sink: it is disabled, records were given up, or deliveries fail.
    pub fn needs_attention(&self) -> bool {
        self.disabled.is_some() || self.dead > 0 || self.pending > 0 && self.last_error.is_some()
    }
}
