//! Plans: the interval at which an account's documents are synced, and the account's share of the runner.
//!
//! A plan comes from this program's settings or from those of Chatwoot (module `chatwoot::settings`); both yield one
//! [`AccountPlan`] per account.

use super::calendar::{ClosedWindow, CronTimes, DayWindow};
use super::id::AccountId;
use super::time::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Name of a plan in lower case, so that names are compared without regard to case, as in Chatwoot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanName(String);

impl PlanName {
    /// Trims the name and converts it to lower case; `None` if it is blank.
    pub fn new(name: &str) -> Option<Self> {
        let name = name.trim().to_lowercase();
        if name.is_empty() { None } else { Some(Self(name)) }
    }

    /// Returns the name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Interval between two syncs of a document, from one minute to a hundred years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cadence(Duration);

impl Cadence {
    /// Shortest cadence. Below it, a worker would spend all its time on the queue.
    pub const MIN: Duration = Duration::from_secs(60);
    /// Longest cadence, a hundred years, so that no sum of times overflows.
    pub const MAX: Duration = Duration::from_secs(100 * 31_557_600);

    /// Creates a cadence. Returns `None` for less than a minute; cuts more than a hundred years to a hundred years.
    pub fn new(interval: Duration) -> Option<Self> {
        if interval < Self::MIN { None } else { Some(Self(interval.min(Self::MAX))) }
    }

    /// Returns the interval between two syncs.
    pub const fn interval(self) -> Duration {
        self.0
    }
}

impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0.as_secs();
        let (number, unit) = match s {
            _ if s.is_multiple_of(604_800) => (s / 604_800, "week"),
            _ if s.is_multiple_of(86_400) => (s / 86_400, "day"),
            _ if s.is_multiple_of(3_600) => (s / 3_600, "hour"),
            _ if s.is_multiple_of(60) => (s / 60, "minute"),
            _ => (s, "second"),
        };
        write!(f, "every {number} {unit}{}", if number == 1 { "" } else { "s" })
    }
}

/// Plan as the settings define it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Interval between syncs; `None`, also without [`at`](Self::at): documents are synced on request only.
    pub cadence: Option<Cadence>,
    /// Times at which all documents are due, in place of an interval.
    pub at: Option<Timetable>,
    /// Part of each day in which automatic syncs may run; `None`: always.
    pub between: Option<DayWindow>,
    /// Share of the runner that each account of this plan gets, relative to other accounts; 1 if not set.
    pub weight: Option<u32>,
    /// Maximum number of running jobs per account. If not set, the plan adds no limit.
    pub max_running: Option<u32>,
}

/// Times at which the documents of a plan are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    pub times: CronTimes,
    /// Longest time between two of them: a document that was synced longer ago is stale.
    pub longest: Cadence,
}

impl Timetable {
    /// Reads a rule of cron with a time zone. Fails if it names times that are less than a minute or more than a hundred
    /// years apart, which no rule does.
    pub fn parse(text: &str) -> Result<Self, String> {
        let times = CronTimes::parse(text)?;
        let longest = Cadence::new(times.longest_gap(Timestamp::from_micros(SAMPLE_START)));
        longest.map(|longest| Self { times, longest }).ok_or_else(|| "must name more than one time".to_owned())
    }
}

/// Start of the times from whose distances the longest one is taken, in microseconds since 1970: the year 2024.
const SAMPLE_START: i64 = 1_704_067_200_000_000;

/// Plans of the settings, and their assignment to accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanTable {
    pub plans: BTreeMap<PlanName, Plan>,
    /// Plan of the accounts that are not listed.
    pub default: Option<PlanName>,
    /// Plans that are assigned to single accounts.
    pub accounts: BTreeMap<AccountId, PlanName>,
}

impl PlanTable {
    /// Returns true if the settings define no plan.
    pub fn is_empty(&self) -> bool {
        self.plans.is_empty()
    }

    /// Returns the account's plan according to the settings: the plan assigned to the account, else the default plan.
    pub fn of(&self, account: AccountId) -> AccountPlan {
        let name = self.accounts.get(&account).or(self.default.as_ref());
        let plan = name.and_then(|name| self.plans.get(name)).cloned().unwrap_or_default();
        AccountPlan {
            account,
            name: name.cloned(),
            cadence: plan.cadence.or(plan.at.as_ref().map(|at| at.longest)),
            at: plan.at.map(|at| at.times),
            between: plan.between,
            weight: Some(plan.weight.unwrap_or(1)),
            max_running: plan.max_running,
            feature: true,
        }
    }
}

/// Calendar of a plan: when its documents are due, in place of an interval, and when automatic syncs may run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanCalendar {
    pub at: Option<CronTimes>,
    pub between: Option<DayWindow>,
}

impl PlanCalendar {
    /// Reads the rule and the window as the store keeps them; one that this machine cannot read, as without its time zone,
    /// counts as none.
    pub fn from_stored(at: Option<&str>, between: Option<&str>) -> Self {
        Self {
            at: at.and_then(|at| CronTimes::parse(at).ok()),
            between: between.and_then(|between| DayWindow::parse(between).ok()),
        }
    }

    /// Returns the first time of the rule after `time`; `None` without a rule.
    pub fn after(&self, time: Timestamp) -> Option<Timestamp> {
        self.at.as_ref()?.after(time)
    }

    /// Returns `time` if automatic syncs may run then, else the time at which the window opens after it.
    pub fn open(&self, time: Timestamp) -> Timestamp {
        let zone = self.at.as_ref().map(CronTimes::zone);
        self.between.as_ref().and_then(|between| between.opens_at(time, zone)).unwrap_or(time)
    }

    /// Returns the time since which a job that is ready since `ready_at` may run; `None` if it may not at `now`.
    pub fn ready_since(&self, ready_at: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let Some(between) = &self.between else { return Some(ready_at) };
        let zone = self.at.as_ref().map(CronTimes::zone);
        match between.opens_at(now, zone) {
            Some(_) => None,
            None => Some(between.opened_at(now, zone).map_or(ready_at, |opened_at| opened_at.max(ready_at))),
        }
    }

    /// Returns the window that is closed until `opens_at`; `None` without a window.
    pub fn closed_until(&self, opens_at: Timestamp) -> Option<ClosedWindow> {
        let zone = self.between.as_ref()?.zone(self.at.as_ref().map(CronTimes::zone));
        Some(ClosedWindow { opens_at, zone })
    }
}

/// Resolved plan of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountPlan {
    pub account: AccountId,
    pub name: Option<PlanName>,
    /// Interval between syncs, or the longest one between the times of [`at`](Self::at); `None`: documents are synced on
    /// request only.
    pub cadence: Option<Cadence>,
    /// Times at which all documents are due, in place of an interval.
    pub at: Option<CronTimes>,
    /// Part of each day in which automatic syncs may run; `None`: always.
    pub between: Option<DayWindow>,
    /// Share of the runner relative to other accounts; `None` leaves the stored weight as it is.
    pub weight: Option<u32>,
    /// Maximum number of running jobs of the account; `None` if the plan adds no limit.
    pub max_running: Option<u32>,
    /// True if automatic syncs are enabled. Chatwoot has a feature bit for this; in plans of this program's settings it
    /// is always true.
    pub feature: bool,
}

impl AccountPlan {
    /// Returns the time at which automatic syncs may run again; `None` if they may at `now`.
    pub fn opens_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.between.as_ref()?.opens_at(now, self.at.as_ref().map(CronTimes::zone))
    }

    /// Decides whether a schedule pass scans the account's documents. `only` restricts the pass to one plan.
    pub fn decision(&self, only: Option<&PlanName>) -> AccountDecision {
        match (self.feature, &self.name, self.cadence) {
            (false, ..) => AccountDecision::FeatureOff,
            (true, name, _) if only.is_some_and(|only| Some(only) != name.as_ref()) => AccountDecision::OtherPlan,
            (true, None, None) => AccountDecision::NoPlan,
            (true, _, None) => AccountDecision::NoCadence,
            (true, _, Some(cadence)) => AccountDecision::Scheduled(cadence),
        }
    }
}

/// Decision of a schedule pass on an account, made before the pass reads any document. The conditions are tested in the
/// order of Chatwoot's scheduler: feature, requested plan, interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountDecision {
    /// Automatic syncs are disabled for the account.
    FeatureOff,
    /// The pass is for another plan.
    OtherPlan,
    NoPlan,
    /// The plan has no cadence.
    NoCadence,
    /// The account's documents are scanned for due ones, at this cadence.
    Scheduled(Cadence),
}

impl AccountDecision {
    /// Describes why the account's documents are not scanned; `None` if they are.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::FeatureOff => Some("automatic syncs are disabled for the account"),
            Self::OtherPlan => Some("is on another plan"),
            Self::NoPlan => Some("has no plan"),
            Self::NoCadence => Some("its plan has no interval"),
            Self::Scheduled(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PlanName {
        PlanName::new(text).expect("a name")
    }

    #[test]
    fn a_cadence_is_a_minute_at_least() {
        for (seconds, words) in [
            (0, None),
            (59, None),
            (60, Some("every 1 minute")),
            (90, Some("every 90 seconds")),
            (7_200, Some("every 2 hours")),
            (86_400, Some("every 1 day")),
            (172_800, Some("every 2 days")),
            (604_800, Some("every 1 week")),
            (2_592_000, Some("every 30 days")),
        ] {
            let cadence = Cadence::new(Duration::from_secs(seconds));
            assert_eq!(cadence.map(|cadence| cadence.to_string()).as_deref(), words, "{seconds}");
        }
        assert_eq!(Cadence::new(Duration::MAX).map(Cadence::interval), Some(Cadence::MAX));
    }

    #[test]
    fn an_account_has_its_own_plan_then_the_default() {
        let cadence = Cadence::new(Duration::from_secs(3_600));
        let mut table = PlanTable::default();
        assert!(table.is_empty() && table.of(AccountId(7)).decision(None) == AccountDecision::NoPlan);
        table.plans.insert(name("Gold"), Plan { cadence, weight: Some(4), max_running: Some(2), ..Plan::default() });
        table.plans.insert(name("none"), Plan::default());
        table.accounts.insert(AccountId(7), name(" GOLD "));
        table.default = Some(name("none"));
        let gold = table.of(AccountId(7));
        assert_eq!((gold.weight, gold.max_running, gold.cadence), (Some(4), Some(2), cadence));
        assert_eq!(gold.decision(None), AccountDecision::Scheduled(cadence.expect("an hour")));
        assert_eq!(gold.decision(Some(&name("gold"))), gold.decision(None));
        assert_eq!(gold.decision(Some(&name("none"))), AccountDecision::OtherPlan);
        assert_eq!(AccountPlan { feature: false, ..gold }.decision(None), AccountDecision::FeatureOff);
        let other = table.of(AccountId(8));
        assert_eq!((other.weight, other.decision(None)), (Some(1), AccountDecision::NoCadence));
        assert_eq!(PlanName::new("  "), None);
    }
}
