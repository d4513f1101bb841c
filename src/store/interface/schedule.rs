//! The interface of the schedule: the plans of the accounts, and the passes that enqueue jobs for due documents.

use crate::domain::id::DocumentId;
use crate::domain::plan::{AccountPlan, PlanName};
use crate::domain::schedule::{Pass, PassLimits, ScheduleSettings};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::time::Duration;

/// The schedule, which turns due documents into jobs.
#[async_trait]
pub trait ScheduleStore: StoreBase {
    /// Returns the current plans of the accounts, from the settings or from Chatwoot.
    async fn plans(&self, terms: &ScheduleSettings) -> Result<Plans>;

    /// Runs a pass of the schedule if `order` makes it due: due documents get jobs of class `auto`, each scheduled for
    /// a random time. A daily order runs one pass per plan of the day. Takes several transactions under a lease, and
    /// changes no document's row.
    async fn schedule(&self, order: &PassRequest<'_>) -> Result<PassResult>;

    /// Stores the sample of the last full minute, unless it is stored, another process has the lease of the passes, or
    /// the minute has ended less than two seconds ago. Returns true if it was stored. Samples of the future, from before
    /// a clock was set back, are removed first, at most 500 at a call. `holder` is the name under which this process takes
    /// the lease.
    async fn take_sample(&self, holder: &str) -> Result<bool>;

    /// Returns the documents that are due now, in the order of their ids, whatever the limits of a pass are: those that
    /// have no job yet, and those whose automatic job has not started. Writes nothing.
    async fn due_documents(&self, order: &PassRequest<'_>) -> Result<Vec<DocumentId>>;
}

/// The source of the plans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanSource {
    Settings,
    /// Chatwoot's tables `accounts` and `installation_configs`.
    Chatwoot,
}

/// The plans of all accounts that have documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plans {
    pub source: PlanSource,
    /// One plan per account, in id order.
    pub accounts: Vec<AccountPlan>,
    /// Limits of a pass.
    pub limits: PassLimits,
    /// Problems in reading the plans, each a sentence with its remedy. Accounts whose plan could not be read are not
    /// scheduled.
    pub problems: Vec<String>,
}

/// The condition under which a pass runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassTrigger {
    Now,
    /// Runs unless a process has run a periodic pass within this time before now.
    Interval(Duration),
    /// Runs at the first call of a day, UTC, for the plans of that day, as Chatwoot's trigger does. The first call on a
    /// new store enqueues nothing and only records its time.
    Daily,
}

/// The effect of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassMode {
    /// Enqueues jobs for due documents.
    Enqueue,
    /// Stores the plans, which a document's status depends on; schedules nothing.
    PlansOnly,
    /// Finds due documents but writes nothing.
    DryRun,
}

/// A request to run a pass.
#[derive(Clone, Debug)]
pub struct PassRequest<'a> {
    pub terms: &'a ScheduleSettings,
    /// Restricts the pass to the accounts of one plan; no effect with [`PassTrigger::Daily`].
    pub only_plan: Option<&'a PlanName>,
    pub trigger: PassTrigger,
    pub mode: PassMode,
    /// Name under which this process takes the pass's lease; unique per process.
    pub holder: &'a str,
    /// Age at which a `syncing` row without a job counts as abandoned, for a store of our own by the continuous rules.
    /// On a Chatwoot database, where the row may be Chatwoot's, and by Chatwoot's rules that age is two hours instead.
    pub lease: Duration,
    /// Seed of the random times of the jobs.
    pub seed: u64,
}

/// The result of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassResult {
    /// The run ended: one report per pass (a daily run makes one for each plan of the day; there is none if there was
    /// nothing to schedule), and the problems in reading the plans.
    Completed(Vec<Pass>, Vec<String>),
    /// The pass is not due yet.
    NotDue,
    /// Another process has the lease and is running a pass.
    LeaseTaken,
}
