//! Check of the schedule: reports if documents are synced automatically, and by which scheduler.

use crate::config::Config;
use crate::domain::finding::Finding;
use crate::domain::plan::AccountDecision;
use crate::format;
use crate::store::{PlanSource, ScheduleStore, StoreError};

const SCHEDULE: &str = "schedule";

/// Adds the findings about the schedule and the plans to `found`.
pub(super) async fn schedule(
    store: &dyn ScheduleStore,
    config: &Config,
    found: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let plans = store.plans(&config.schedule.terms).await?;
    let kept =
        plans.accounts.iter().filter(|account| matches!(account.decision(None), AccountDecision::Scheduled(_))).count();
    let accounts = format!("{kept} of {} with documents", format::count(plans.accounts.len() as u64, "account"));
    let acts = config.schedule.acts(store.is_chatwoot_database());
    for problem in &plans.problems {
        let (message, cure) = problem.rsplit_once("; ").unwrap_or((problem, "set up plans under [plans]"));
        found.push(Finding::warn(SCHEDULE, message, cure));
    }
    found.push(match (acts, store.is_chatwoot_database(), plans.source) {
        (false, true, _) => Finding::ok(
            SCHEDULE,
            format!("off, because Chatwoot runs a scheduler; on a plan with an interval: {accounts}"),
        ),
        (false, false, _) => Finding::ok(SCHEDULE, "off (schedule.enabled = false)"),
        (true, true, _) => Finding::warn(
            SCHEDULE,
            format!("on for {accounts}, although Chatwoot's scheduler syncs the same documents"),
            "remove Chatwoot's scheduler from its cron jobs, or set schedule.enabled = false",
        ),
        (true, false, PlanSource::Settings) if config.schedule.terms.plans.is_empty() => {
            Finding::ok(SCHEDULE, "no plan is set up under [plans], so documents are synced only on request")
        }
        (true, false, _) => Finding::ok(SCHEDULE, format!("on for {accounts}")),
    });
    Ok(())
}
