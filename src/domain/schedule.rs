//! When a document is due, how its time is drawn, and what a pass of the schedule comes to (design.md 5.5,
//! upstream.md 5.3). Pure: the time and the seed are passed in.

use super::document::SyncStatus;
use super::id::{AccountId, DocumentId};
use super::plan::{Cadence, PlanName, PlanTable, Verdict};
use super::text::SafeLine;
use super::time::Timestamp;
use serde::Serialize;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// Microseconds since 1970 of a day.
const DAY_MICROS: i64 = 86_400_000_000;
/// A `syncing` row that is nobody's job of ours is left to whoever is at it for so long (upstream.md 5.3).
pub const LEFT_TO_OTHERS: Duration = Duration::from_secs(2 * 3_600);
/// A page that failed for good is never left alone for longer, unless its cadence is.
pub const FARTHEST_LOOK: Duration = Duration::from_secs(30 * 86_400);

/// Whose rules say what is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// Ours: continuous, due once the cadence has passed, never-synced documents too, failures with growing distance.
    #[default]
    Continuous,
    /// Chatwoot's: once a day for the plans of that day, due after half the cadence, failures alike.
    Chatwoot,
}

impl Rules {
    /// The word in the settings.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Continuous => "continuous",
            Self::Chatwoot => "chatwoot",
        }
    }

    /// Reads the settings' word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Continuous, Self::Chatwoot].into_iter().find(|rules| rules.word() == word)
    }

    /// A synced document is due when its last success is before this.
    pub fn synced_before(self, cadence: Cadence, now: Timestamp) -> Timestamp {
        now.minus(match self {
            Self::Continuous => cadence.every(),
            Self::Chatwoot => window(cadence),
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
            Self::Chatwoot => (window(cadence), window(cadence)),
        }
    }
}

/// When the schedule looks again, by our rules, at a document whose row stands so and that has no job; `None` for a row
/// that somebody is syncing.
pub fn next_look(
    cadence: Cadence,
    sync_status: Option<SyncStatus>,
    attempted_at: Option<Timestamp>,
    synced_at: Option<Timestamp>,
    failures: u32,
    now: Timestamp,
) -> Option<Timestamp> {
    let rules = Rules::Continuous;
    let at = match sync_status {
        None => None,
        Some(SyncStatus::Synced) => synced_at.map(|at| at.plus(cadence.every())),
        Some(SyncStatus::Failed) => attempted_at.map(|at| at.plus(rules.distance(cadence, failures))),
        Some(SyncStatus::Syncing) => return None,
    };
    Some(at.unwrap_or(now))
}

/// How often the distance doubles; from a minute it is 30 days long before.
pub const DOUBLINGS: u32 = 16;

/// Half the cadence in whole seconds, so that a late run does not skip the next window (upstream.md 5.3).
fn window(cadence: Cadence) -> Duration {
    Duration::from_secs(cadence.every().as_secs() / 2)
}

/// The longest wait that is drawn: 4 hours up to a day, a day up to a week, else 4 days. Ours is a sixth of a cadence
/// below a day, which meets the 4 hours there.
pub fn jitter(rules: Rules, cadence: Cadence) -> Duration {
    let every = cadence.every();
    match rules {
        Rules::Continuous if every < DAY => Duration::from_secs(every.as_secs() / 6),
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

/// Whether a day of UTC has begun since `before`.
pub fn is_another_day(before: Timestamp, now: Timestamp) -> bool {
    now.micros().div_euclid(DAY_MICROS) > before.micros().div_euclid(DAY_MICROS)
}

/// The plans that Chatwoot's daily trigger looks at on the day of `now`, UTC (upstream.md 5.1): `enterprise` every
/// day, `business` on Sundays, `startups` on the first of a month.
pub fn triggered(now: Timestamp) -> Vec<PlanName> {
    let days = now.micros().div_euclid(DAY_MICROS);
    // 1970-01-01 was a Thursday.
    let is_sunday = (days + 4).rem_euclid(7) == 0;
    let is_first = now.rfc3339().get(8..10) == Some("01");
    [("enterprise", true), ("business", is_sunday), ("startups", is_first)]
        .into_iter()
        .filter(|(_, is_on)| *is_on)
        .filter_map(|(name, _)| PlanName::new(name))
        .collect()
}

/// How much a pass may put in the queue.
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

/// What the schedule goes by: the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Plans and who has them. Without any, a database of Chatwoot has its own.
    pub plans: PlanTable,
    /// Whose rules say what is due.
    pub rules: Rules,
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
            rules: Rules::default(),
            per_account: None,
            total: None,
            queue_depth: PassLimits::default().queue_depth,
        }
    }
}

impl Terms {
    /// What somebody says, over what stands elsewhere.
    pub fn limits(&self, otherwise: PassLimits) -> PassLimits {
        PassLimits {
            per_account: self.per_account.unwrap_or(otherwise.per_account),
            total: self.total.unwrap_or(otherwise.total),
            queue_depth: self.queue_depth,
        }
    }
}

/// What one pass did with an account, or would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPass {
    /// The account.
    pub account: AccountId,
    /// Its plan.
    pub plan: Option<PlanName>,
    /// Whether its documents were looked at.
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
    /// Its account.
    pub account: AccountId,
    /// Why, in plain language.
    pub reason: SafeLine,
}

/// What a pass came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// The one plan that it was for.
    pub only: Option<PlanName>,
    /// What it was allowed.
    pub limits: PassLimits,
    /// What became of each account with documents, in the order in which they were served.
    pub accounts: Vec<AccountPass>,
    /// Rows that cannot be scheduled and had not been reported before.
    pub skipped: Vec<SkippedRow>,
    /// Nothing was put in the queue because it is this deep.
    pub held_back: Option<u64>,
    /// Nothing was written.
    pub dry_run: bool,
}

/// The summary as upstream's job logs it, its fields first and in its order, then ours (upstream.md 5.3).
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
    /// What was left of them.
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

    /// The line of upstream's log.
    pub fn rails_line(&self) -> String {
        let summary = serde_json::to_string(&self.summary()).unwrap_or_default();
        format!("[Captain::Documents::ScheduleSyncsJob] {summary}")
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
