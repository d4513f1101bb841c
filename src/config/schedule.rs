//! `[schedule]` and `[plans]`: what runners put in the queue by themselves.

use super::Config;
use crate::domain::plan::{Plan, PlanName};
use crate::domain::schedule::{DueRules, PassLimits};

/// Automatic syncs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleConfig {
    /// Whether runners schedule. Unless somebody says so, not on a Chatwoot database, where Chatwoot's own does.
    pub enabled: Option<bool>,
    /// Whose rules say what is due.
    pub rules: DueRules,
    /// Documents of one account in one pass; `None`: Chatwoot's setting on its database, else 50.
    pub per_account: Option<u32>,
    /// Documents in one pass; `None`: Chatwoot's setting on its database, else 1,000.
    pub total: Option<u32>,
    /// Ready jobs above which a pass adds nothing.
    pub queue_depth: u32,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        let queue_depth = PassLimits::default().queue_depth;
        Self { enabled: None, rules: DueRules::default(), per_account: None, total: None, queue_depth }
    }
}

impl Config {
    /// The plan of this name, made when there is none yet.
    pub(super) fn plan(&mut self, name: &str) -> Result<&mut Plan, String> {
        let name = PlanName::new(name).ok_or_else(|| "must stand under the name of a plan".to_owned())?;
        Ok(self.plans.plans.entry(name).or_default())
    }
}
