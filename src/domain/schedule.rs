//! Rules of the schedule: the time at which a document is due, the jitter of its sync, and the result of a pass
//! (assets/docs/scheduling.md). Pure: the time and the random seed are arguments.

use super::calendar::CronTimes;
use super::document::SyncStatus;
use super::id::{AccountId, DocumentId};
use super::plan::{AccountDecision, Cadence, PlanCalendar, PlanName, PlanTable};
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::word_enum;
use serde::Serialize;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Length of a day in microseconds.
const DAY_MICROS: i64 = 86_400_000_000;
/// Age up to which a `syncing` row without a job of this program belongs to another program; Chatwoot uses the same
/// limit.
pub const FOREIGN_SYNC_TIMEOUT: Duration = Duration::from_secs(2 * 3_600);
/// Longest interval between two checks of a page that failed permanently, unless its cadence is longer.
pub const MAX_RECHECK_INTERVAL: Duration = Duration::from_secs(30 * 86_400);

word_enum! {
    /// Rules by which a document is due.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum DueRules {
        /// This program's rules: continuous, due once the cadence has passed, including never-synced documents, with
        /// growing intervals after failures.
        #[default]
        Continuous = "continuous",
        /// Chatwoot's rules: once a day for the plans of that day, due after half the cadence, also after failures.
        HalfCadence = "chatwoot",
    }
}

impl DueRules {
    /// Returns the time before which the last success must be for a synced document to be due.
    pub fn synced_before(self, cadence: Cadence, now: Timestamp) -> Timestamp {
        now.minus(match self {
            Self::Continuous => cadence.interval(),
            Self::HalfCadence => half_cadence(cadence),
        })
    }

    /// Returns the interval from a failure to the next check. `failures` is the number of permanent failures in a row;
    /// 0 means another kind of failure. By the continuous rules the interval starts at a day, or the cadence if that is
    /// shorter. It doubles up to 30 days, or the cadence if that is longer. By Chatwoot's rules it is always half the
    /// cadence.
    pub fn recheck_interval(self, cadence: Cadence, failures: u32) -> Duration {
        let (first, farthest) = self.recheck_bounds(cadence);
        first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(MAX_DOUBLINGS))).min(farthest)
    }

    /// Returns by how much a check at a time of the plan may come before the interval from the failure has passed: the
    /// attempt was somewhat later than the plan's time.
    pub fn recheck_tolerance(self, cadence: Cadence) -> Duration {
        self.recheck_bounds(cadence).0 / 2
    }

    /// Returns the shortest and the longest interval until a check after failures.
    pub fn recheck_bounds(self, cadence: Cadence) -> (Duration, Duration) {
        match self {
            Self::Continuous => (cadence.interval().min(DAY), cadence.interval().max(MAX_RECHECK_INTERVAL)),
            Self::HalfCadence => (half_cadence(cadence), half_cadence(cadence)),
        }
    }
}

/// Returns the time of the next check, by the continuous rules, of a document that has no job: by the calendar of its plan,
/// or the cadence if that has no times. Returns `now`, or when the window opens, for a document that was never synced, and
/// `None` for one whose row is `syncing`, because another program syncs it.
pub fn next_check(
    cadence: Cadence,
    calendar: &PlanCalendar,
    sync_status: Option<SyncStatus>,
    attempted_at: Option<Timestamp>,
    synced_at: Option<Timestamp>,
    failures: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let rules = DueRules::Continuous;
    let at = match sync_status {
        None => None,
        Some(SyncStatus::Synced) => synced_at.map(|at| calendar.after(at).unwrap_or(at.plus(cadence.interval()))),
        Some(SyncStatus::Failed) => attempted_at.map(|at| {
            let interval = rules.recheck_interval(cadence, failures);
            let early = interval.saturating_sub(rules.recheck_tolerance(cadence));
            calendar.after(at.plus(early)).unwrap_or(at.plus(interval))
        }),
        Some(SyncStatus::Syncing) => return None,
    };
    let at = at.unwrap_or(now);
    let open = calendar.open(at.max(now));
    // What is overdue stays so, unless a window keeps it from running.
    Some(if open > now { open } else { at })
}

/// Maximum number of doublings of the interval after failures. It suffices from the shortest cadence, one minute, to 30
/// days, and from a day to the longest cadence.
pub const MAX_DOUBLINGS: u32 = 16;

/// Returns Chatwoot's due window: half the cadence in whole seconds, so that a late run does not skip the next window.
fn half_cadence(cadence: Cadence) -> Duration {
    Duration::from_secs(cadence.interval().as_secs() / 2)
}

/// Returns the maximum jitter (random delay of a sync): 4 hours for a cadence up to a day, a day for a cadence up to a
/// week, else 4 days. By the continuous rules, the maximum for a cadence below a day is a sixth of the cadence.
pub fn max_jitter(rules: DueRules, cadence: Cadence) -> Duration {
    let every = cadence.interval();
    match rules {
        DueRules::Continuous if every < DAY => Duration::from_secs(every.as_secs() / 6),
        _ if every <= DAY => 4 * HOUR,
        _ if every <= WEEK => DAY,
        _ => 4 * DAY,
    }
}

/// Draws the jitter of one document: whole seconds from 0 to `most`, both included. The same seed yields the same
/// value.
pub fn draw_jitter(seed: u64, document: DocumentId, most: Duration) -> Duration {
    // splitmix64, a pseudo-random generator.
    let mut mixed = seed ^ document.0.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let choices = u128::from(most.as_secs()) + 1;
    // The upper half of the product; a remainder would favour small values.
    Duration::from_secs(u64::try_from((u128::from(mixed) * choices) >> 64).unwrap_or(0))
}

/// Returns true if `now` is on a later day than `before`, in UTC.
pub fn is_another_day(before: Timestamp, now: Timestamp) -> bool {
    now.micros().div_euclid(DAY_MICROS) > before.micros().div_euclid(DAY_MICROS)
}

/// Limits of one schedule pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassLimits {
    /// Maximum number of documents that one pass enqueues for one account.
    pub per_account: u32,
    /// Maximum number of documents that one pass enqueues.
    pub total: u32,
    /// Number of ready jobs above which a pass enqueues nothing.
    pub queue_depth: u32,
}

impl Default for PassLimits {
    /// Returns Chatwoot's default limits, 50 and 1,000, and a queue depth of 10,000.
    fn default() -> Self {
        Self { per_account: 50, total: 1_000, queue_depth: 10_000 }
    }
}

/// Settings of the schedule (sections `[schedule]`, `[plans]` and `[accounts]`), except `schedule.enabled`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// Plans and their accounts. If there are none, the plans of a Chatwoot database apply.
    pub plans: PlanTable,
    pub rules: DueRules,
    /// Maximum number of documents that one pass enqueues for one account. `None` means Chatwoot's setting on a
    /// Chatwoot database, else 50.
    pub per_account: Option<u32>,
    /// Maximum number of documents that one pass enqueues. `None` means Chatwoot's setting on a Chatwoot database, else
    /// 1,000.
    pub total: Option<u32>,
    /// Number of ready jobs above which a pass enqueues nothing.
    pub queue_depth: u32,
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        Self {
            plans: PlanTable::default(),
            rules: DueRules::default(),
            per_account: None,
            total: None,
            queue_depth: PassLimits::default().queue_depth,
        }
    }
}

impl ScheduleSettings {
    /// Returns the limits of the settings, with those of `otherwise` where a setting is absent.
    pub fn limits(&self, otherwise: PassLimits) -> PassLimits {
        PassLimits {
            per_account: self.per_account.unwrap_or(otherwise.per_account),
            total: self.total.unwrap_or(otherwise.total),
            queue_depth: self.queue_depth,
        }
    }
}

/// Result of a pass, or of a dry run, for one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPass {
    pub account: AccountId,
    pub plan: Option<PlanName>,
    pub decision: AccountDecision,
    /// Times of the plan, if it has them in place of an interval.
    pub at: Option<CronTimes>,
    pub enqueued: u32,
    /// Limit that ended the account's part of the pass, if more documents may be due.
    pub stopped_by: Option<StoppedBy>,
}

/// Limit that ended an account's part of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    AccountLimit,
    TotalLimit,
    QueueDepth,
}

impl StoppedBy {
    /// Describes the limit in plain language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountLimit => "the limit of an account is reached",
            Self::TotalLimit => "the limit of a pass is reached",
            Self::QueueDepth => "the queue has reached its depth limit",
        }
    }
}

/// Document whose row cannot be scheduled, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRow {
    pub document: DocumentId,
    pub account: AccountId,
    /// Reason why the row cannot be scheduled, in plain language.
    pub reason: SafeLine,
}

/// Result of one schedule pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// Plan to which the pass was restricted, if it was.
    pub only: Option<PlanName>,
    pub limits: PassLimits,
    /// Result per account with documents, in the order in which the accounts were served.
    pub accounts: Vec<AccountPass>,
    /// Rows that cannot be scheduled and have not been reported before.
    pub skipped: Vec<SkippedRow>,
    /// Number of ready jobs, if there were too many for the pass to enqueue anything.
    pub blocked_at_depth: Option<u64>,
    /// True for a dry run: the pass wrote nothing.
    pub dry_run: bool,
}

/// Summary of a pass (assets/docs/json.md, "schedule"): first the fields of Chatwoot's own log line in their order,
/// then those of this program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PassSummary {
    /// Always `completed`.
    pub event: &'static str,
    /// Plan to which the pass was restricted, if it was.
    pub plan_name: Option<String>,
    /// True if the pass enqueued as many documents as it could in all.
    pub global_cap_hit: bool,
    /// Maximum number of documents that the pass could enqueue for one account.
    pub per_account_batch_limit: u32,
    /// Maximum number of documents that the pass could enqueue.
    pub global_batch_limit: u32,
    /// Number of documents that the pass could still have enqueued.
    pub remaining_global_capacity: u32,
    /// Number of accounts that have documents.
    pub accounts_scanned: usize,
    /// Number of scanned accounts whose feature is on and which the pass did not skip for their plan's name.
    pub accounts_enabled: usize,
    /// Number of enabled accounts with a cadence.
    pub accounts_scheduled: usize,
    pub documents_enqueued: u32,
    /// Number of rows that cannot be scheduled and are reported for the first time. Chatwoot has no such field.
    pub documents_skipped: usize,
    /// Number of ready jobs, if there were too many for the pass to enqueue anything. Chatwoot has no such field.
    #[serde(rename = "held_back_by_queue")]
    pub blocked_at_depth: Option<u64>,
    /// True for a dry run: the pass wrote nothing. Chatwoot has no such field.
    pub dry_run: bool,
}

impl Pass {
    /// Returns the number of jobs that the pass created.
    pub fn enqueued(&self) -> u32 {
        self.accounts.iter().map(|account| account.enqueued).sum()
    }

    /// Counts the pass's accounts, documents and limits for the log.
    pub fn summary(&self) -> PassSummary {
        let enqueued = self.enqueued();
        let count = |fits: fn(&AccountDecision) -> bool| self.accounts.iter().filter(|one| fits(&one.decision)).count();
        PassSummary {
            event: "completed",
            plan_name: self.only.as_ref().map(ToString::to_string),
            global_cap_hit: enqueued >= self.limits.total,
            per_account_batch_limit: self.limits.per_account,
            global_batch_limit: self.limits.total,
            remaining_global_capacity: self.limits.total.saturating_sub(enqueued),
            accounts_scanned: self.accounts.len(),
            accounts_enabled: count(|verdict| {
                !matches!(verdict, AccountDecision::FeatureOff | AccountDecision::OtherPlan)
            }),
            accounts_scheduled: count(|verdict| matches!(verdict, AccountDecision::Scheduled(_))),
            documents_enqueued: enqueued,
            documents_skipped: self.skipped.len(),
            blocked_at_depth: self.blocked_at_depth,
            dry_run: self.dry_run,
        }
    }
}

#[cfg(test)]
mod tests;
