//! The interface of the schedule: the plans of the accounts, and the passes that put due documents in the queue.

use crate::domain::plan::{AccountPlan, PlanName};
use crate::domain::schedule::{Pass, PassLimits, Terms};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::time::Duration;

/// The schedule, by which due documents become jobs.
#[async_trait]
pub trait ScheduleStore: StoreBase {
    /// Reads the plans of the accounts as they are now, from the settings or from Chatwoot.
    async fn plans(&self, terms: &Terms) -> Result<Plans>;

    /// Makes one pass of the schedule: due documents become jobs of class `auto` that wait for their drawn time. Takes
    /// several transactions under a lease and writes no document.
    async fn schedule(&self, order: &PassOrder<'_>) -> Result<PassAnswer>;
}

/// Where the plans come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanSource {
    /// The settings.
    Settings,
    /// Chatwoot's tables `accounts` and `installation_configs`.
    Chatwoot,
}

/// What the accounts with documents have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plans {
    /// Where it comes from.
    pub source: PlanSource,
    /// One for each account that has documents, in id order.
    pub accounts: Vec<AccountPlan>,
    /// What a pass may do.
    pub limits: PassLimits,
    /// What could not be read, in words with the cure; nothing is scheduled because of it.
    pub troubles: Vec<String>,
}

/// When a pass is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Now.
    Now,
    /// Unless one was made by anybody within this span.
    Every(Duration),
    /// On the first look of a day, UTC, for the plans of that day, as Chatwoot's trigger does it.
    Daily,
}

/// What a pass does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassMode {
    /// Puts it in the queue.
    Act,
    /// Keeps the plans, by which the status is told; schedules nothing.
    PlansOnly,
    /// Writes nothing.
    DryRun,
}

/// A pass that is asked for.
#[derive(Clone, Debug)]
pub struct PassOrder<'a> {
    /// The settings.
    pub terms: &'a Terms,
    /// For one plan alone.
    pub only: Option<&'a PlanName>,
    /// When.
    pub when: When,
    /// What it does.
    pub mode: PassMode,
    /// Who makes it; no two processes have the same.
    pub holder: &'a str,
    /// A `syncing` row of our own store that has no job is a leftover after this; on a database of Chatwoot, where it
    /// may be Chatwoot's, it is left for two hours.
    pub lease: Duration,
    /// What the times are drawn from.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassAnswer {
    /// Made; one for each plan of the day when it was a daily one. With what could not be read of the plans.
    Made(Vec<Pass>, Vec<String>),
    /// Not the time for it.
    NotYet,
    /// Another process is at it.
    Held,
}
