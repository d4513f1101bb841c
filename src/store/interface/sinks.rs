//! The interface of sinks: their registration, their state, and what a person does to them.

use crate::domain::notification::{SinkKind, SinkName, Trigger};
use crate::domain::text::SafeLine;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::time::Duration;

/// A sink of the settings, as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkRegistration {
    pub name: SinkName,
    pub kind: SinkKind,
    pub trigger: Trigger,
}

/// Sinks, the receivers of notifications. Records for a registered sink are written by every process that opened the
/// store since then, or runs jobs.
#[async_trait]
pub trait SinkStore: StoreBase {
    /// Registers sinks, which are notified of what happens from now on; changes the triggers of those that are known.
    async fn register_sinks(&self, sinks: &[SinkRegistration]) -> Result<()>;

    /// Reads which sinks are registered, and offers the outcomes of this process to them.
    async fn refresh_sinks(&self) -> Result<()>;

    /// Stops notifying the sink that is this subscriber. What waits is kept until a person decides.
    async fn disable_sink(&self, subscriber: &str, reason: &SafeLine) -> Result<()>;

    /// Makes what waits for a sink, or was given up, due, and enables the sink. Returns the number of records; `None` if
    /// no sink has this name.
    async fn retry_sink(&self, name: &SinkName) -> Result<Option<u64>>;

    /// Removes what waits for a sink or was given up; with `registration`, also the sink itself. Returns the number of
    /// records; `None` if no sink has this name.
    async fn forget_sink(&self, name: &SinkName, registration: bool) -> Result<Option<u64>>;

    /// Joins the records that wait for a sink into one, which is due, unless one was delivered less than `quiet` ago.
    async fn join_records(&self, name: &SinkName, quiet: Duration) -> Result<()>;

    /// Compares the conditions that hold now with those of which sinks were notified, and writes a record for each
    /// difference. Only one process at a time does so, as of the schedule's passes; `holder` is its unique name. Returns
    /// the number of records.
    async fn check_conditions(&self, holder: &str) -> Result<u64>;
}
