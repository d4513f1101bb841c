//! The schedule's rules: when a document is due, how its time is drawn, and the result of a pass
//! (assets/docs/scheduling.md). Pure: the time and the seed are passed in.

use super::document::SyncStatus;
use super::id::{AccountId, DocumentId};
use super::plan::{Cadence, PlanName, PlanTable, Verdict};
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::word_enum;
use serde::Serialize;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Microseconds since 1970 of a day.
const DAY_MICROS: i64 = 86_400_000_000;
/// Age up to which a `syncing` row without a job of ours is another program's work; Chatwoot uses the same limit.
pub const LEFT_TO_OTHERS: Duration = Duration::from_secs(2 * 3_600);
/// A page that failed for good is never left alone for longer, unless its cadence is.
pub const FARTHEST_LOOK: Duration = Duration::from_secs(30 * 86_400);

word_enum! {
    /// Whose rules say what is due.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum DueRules {
        /// Ours: continuous, due once the cadence has passed, never-synced documents too, failures with growing distance.
        #[default]
        Continuous = "continuous",
        /// Chatwoot's: once a day for the plans of that day, due after half the cadence, failures alike.
        HalfCadence = "chatwoot",
    }
}

impl DueRules {
    /// A synced document is due when its last success is before this.
    pub fn synced_before(self, cadence: Cadence, now: Timestamp) -> Timestamp {
        now.minus(match self {
            Self::Continuous => cadence.every(),
            Self::HalfCadence => window(cadence),
        })
    }

    /// The distance of the look that follows `failures` permanent failures in a row (none: another kind of failure).
    /// Ours starts at a day, or the cadence when that is shorter, and doubles to 30 days, or the cadence when that is
    /// longer; Chatwoot looks again after half the cadence for ever.
    pub fn distance(self, cadence: Cadence, failures: u32) -> Duration {
        let (first, farthest) = self.distances(cadence);
        first.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(DOUBLINGS))).min(farthest)
    }

    /// The first and the farthest distance of a look after failures.
    pub fn distances(self, cadence: Cadence) -> (Duration, Duration) {
        match self {
            Self::Continuous => (cadence.every().min(DAY), cadence.every().max(FARTHEST_LOOK)),
            Self::HalfCadence => (window(cadence), window(cadence)),
        }
    }
}

/// Returns the time at which the schedule checks a document without a job again, by the continuous rules; `None` for a
/// row that another program is syncing.
pub fn next_look(
    cadence: Cadence,
    sync_status: Option<SyncStatus>,
    attempted_at: Option<Timestamp>,
    synced_at: Option<Timestamp>,
    failures: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let rules = DueRules::Continuous;
    let at = match sync_status {
        None => None,
        Some(SyncStatus::Synced) => synced_at.map(|at| at.plus(cadence.every())),
        Some(SyncStatus::Failed) => attempted_at.map(|at| at.plus(rules.distance(cadence, failures))),
        Some(SyncStatus::Syncing) => return None,
    };
    Some(at.unwrap_or(now))
}

/// Largest number of doublings; from one minute, 30 days are reached long before.
pub const DOUBLINGS: u32 = 16;

/// Chatwoot's due window: half the cadence in whole seconds, so that a late run does not skip the next window.
fn window(cadence: Cadence) -> Duration {
    Duration::from_secs(cadence.every().as_secs() / 2)
}

/// The longest wait that is drawn: 4 hours up to a day, a day up to a week, else 4 days. Ours is a sixth of a cadence
/// below a day, which meets the 4 hours there.
pub fn jitter(rules: DueRules, cadence: Cadence) -> Duration {
    let every = cadence.every();
    match rules {
        DueRules::Continuous if every < DAY => Duration::from_secs(every.as_secs() / 6),
        _ if every <= DAY => 4 * HOUR,
        _ if every <= WEEK => DAY,
        _ => 4 * DAY,
    }
}

/// The wait of one document: whole seconds from 0 to `most`, both included. The same seed draws the same.
pub fn draw(seed: u64, document: DocumentId, most: Duration) -> Duration {
    // splitmix64
    let mut mixed = seed ^ document.0.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let choices = u128::from(most.as_secs()) + 1;
    // The product's upper half: no remainder that favours the early ones.
    Duration::from_secs(u64::try_from((u128::from(mixed) * choices) >> 64).unwrap_or(0))
}

/// Returns true if a day of UTC has begun since `before`.
pub fn is_another_day(before: Timestamp, now: Timestamp) -> bool {
    now.micros().div_euclid(DAY_MICROS) > before.micros().div_euclid(DAY_MICROS)
}

/// Limits of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassLimits {
    /// Documents of one account in one pass.
    pub per_account: u32,
    /// Documents in one pass.
    pub total: u32,
    /// Ready jobs above which nothing is put in the queue.
    pub queue_depth: u32,
}

impl Default for PassLimits {
    /// Upstream's 50 and 1,000.
    fn default() -> Self {
        Self { per_account: 50, total: 1_000, queue_depth: 10_000 }
    }
}

/// Settings of the schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Plans and who has them. Without any, a database of Chatwoot has its own.
    pub plans: PlanTable,
    /// Whose rules say what is due.
    pub rules: DueRules,
    /// Documents of one account in one pass; `None`: Chatwoot's setting on its database, else 50.
    pub per_account: Option<u32>,
    /// Documents in one pass; `None`: Chatwoot's setting on its database, else 1,000.
    pub total: Option<u32>,
    /// Ready jobs above which nothing is put in the queue.
    pub queue_depth: u32,
}

impl Default for Terms {
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

impl Terms {
    /// Returns the limits of the settings, with `otherwise` where they say nothing.
    pub fn limits(&self, otherwise: PassLimits) -> PassLimits {
        PassLimits {
            per_account: self.per_account.unwrap_or(otherwise.per_account),
            total: self.total.unwrap_or(otherwise.total),
            queue_depth: self.queue_depth,
        }
    }
}

/// Result of a pass, or of a dry run, for an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPass {
    /// The account.
    pub account: AccountId,
    /// Plan of the account.
    pub plan: Option<PlanName>,
    /// Decision on the account.
    pub verdict: Verdict,
    /// Documents put in the queue.
    pub enqueued: u32,
    /// Why no more of them, if there may be more.
    pub stopped_by: Option<StoppedBy>,
}

/// Why an account got no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoppedBy {
    /// The limit of the account.
    AccountLimit,
    /// The limit of the pass.
    TotalLimit,
    /// The queue is deep enough.
    QueueDepth,
}

impl StoppedBy {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AccountLimit => "the limit of an account is reached",
            Self::TotalLimit => "the limit of a pass is reached",
            Self::QueueDepth => "the queue is deep enough",
        }
    }
}

/// A document that cannot be scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRow {
    /// The document.
    pub document: DocumentId,
    /// Account of the document.
    pub account: AccountId,
    /// Why, in plain language.
    pub reason: SafeLine,
}

/// Result of a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// The one plan that it was for.
    pub only: Option<PlanName>,
    /// Limits of the pass.
    pub limits: PassLimits,
    /// Result per account with documents, in the order in which they were served.
    pub accounts: Vec<AccountPass>,
    /// Rows that cannot be scheduled and had not been reported before.
    pub skipped: Vec<SkippedRow>,
    /// Nothing was put in the queue because it is this deep.
    pub held_back: Option<u64>,
    /// Nothing was written.
    pub dry_run: bool,
}

/// The summary of a pass (assets/docs/json.md, "schedule"): the fields of Chatwoot's own log line first and in its order,
/// then ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// `completed`
    pub event: &'static str,
    /// The one plan that the pass was for.
    pub plan_name: Option<String>,
    /// The limit of the pass was used up.
    pub global_cap_hit: bool,
    /// Documents of one account.
    pub per_account_batch_limit: u32,
    /// Documents of the pass.
    pub global_batch_limit: u32,
    /// Capacity of the pass that was left.
    pub remaining_global_capacity: u32,
    /// Accounts that have documents.
    pub accounts_scanned: usize,
    /// Of these, the ones that the pass was for.
    pub accounts_enabled: usize,
    /// Of these, the ones with a cadence.
    pub accounts_scheduled: usize,
    /// Jobs made.
    pub documents_enqueued: u32,
    /// Ours: rows that cannot be scheduled, told for the first time.
    pub documents_skipped: usize,
    /// Ours: how deep the queue was, if that held everything back.
    pub held_back_by_queue: Option<u64>,
    /// Ours: nothing was written.
    pub dry_run: bool,
}

impl Pass {
    /// Jobs made.
    pub fn enqueued(&self) -> u32 {
        self.accounts.iter().map(|account| account.enqueued).sum()
    }

    /// The pass in figures.
    pub fn summary(&self) -> Summary {
        let enqueued = self.enqueued();
        let count = |fits: fn(&Verdict) -> bool| self.accounts.iter().filter(|one| fits(&one.verdict)).count();
        Summary {
            event: "completed",
            plan_name: self.only.as_ref().map(ToString::to_string),
            global_cap_hit: enqueued >= self.limits.total,
            per_account_batch_limit: self.limits.per_account,
            global_batch_limit: self.limits.total,
            remaining_global_capacity: self.limits.total.saturating_sub(enqueued),
            accounts_scanned: self.accounts.len(),
            accounts_enabled: count(|verdict| !matches!(verdict, Verdict::FeatureOff | Verdict::OtherPlan)),
            accounts_scheduled: count(|verdict| matches!(verdict, Verdict::Looked(_))),
            documents_enqueued: enqueued,
            documents_skipped: self.skipped.len(),
            held_back_by_queue: self.held_back,
            dry_run: self.dry_run,
        }
    }
}

#[cfg(test)]
mod tests;
