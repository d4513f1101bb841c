//! Days on which Chatwoot's scheduler serves a plan.

use crate::domain::day::Day;
use crate::domain::plan::PlanName;
use crate::domain::time::Timestamp;

/// Returns the plans that Chatwoot's daily trigger serves on the day of `now` in UTC: `enterprise` every day,
/// `business` on Sundays, `startups` on the first of a month.
pub fn plans_of_day(now: Timestamp) -> Vec<PlanName> {
    let day = Day::of(now);
    [("enterprise", true), ("business", day.of_week() == 0), ("startups", day.of_month() == 1)]
        .into_iter()
        .filter(|(_, is_served)| *is_served)
        .filter_map(|(name, _)| PlanName::new(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn the_daily_trigger_has_its_plans() {
        let names = |day: &str| plans_of_day(at(day)).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(names("2026-05-27T00:00:00Z"), "enterprise", "T1");
        assert_eq!(names("2026-05-24T00:00:00Z"), "enterprise business", "T2, a Sunday");
        assert_eq!(names("2026-06-01T00:00:00Z"), "enterprise startups", "T3, the first");
        assert_eq!(names("2026-05-25T00:00:00Z"), "enterprise", "T4");
        assert_eq!(names("2026-11-01T23:59:59Z"), "enterprise business startups");
    }
}
