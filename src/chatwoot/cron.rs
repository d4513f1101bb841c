//! The next time of a rule of sidekiq-cron.

use crate::domain::calendar::CronTimes;
use crate::domain::time::Timestamp;

/// Returns the first time after `now` that the rule names; `None` if it is not one of five fields of numbers, ranges,
/// lists and steps, with or without a time zone, or names no time.
pub fn next_run(rule: &str, now: Timestamp) -> Option<Timestamp> {
    CronTimes::parse(rule).ok()?.after(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_the_next_time() {
        let now = Timestamp::parse_rfc3339("2026-05-27T10:30:30Z").expect("a time");
        for (rule, expected) in [
            ("0 0 * * *", Some("2026-05-28T00:00")),
            ("*/15 * * * *", Some("2026-05-27T10:45")),
            ("31 10 * * *", Some("2026-05-27T10:31")),
            ("30 10 * * *", Some("2026-05-28T10:30")),
            ("0 12 * * 0", Some("2026-05-31T12:00")),
            ("0 12 * * 7", Some("2026-05-31T12:00")),
            ("0 0 1 * *", Some("2026-06-01T00:00")),
            ("0 0 1,15 * 5", Some("2026-05-29T00:00")),
            ("5-7/2 8-9 * 2 *", Some("2027-02-01T08:05")),
            ("0 0 29 2 * UTC", Some("2028-02-29T00:00")),
            ("0 0 * * * Europe/Berlin", Some("2026-05-27T22:00")),
            ("0 0 31 2 *", None),
            ("60 0 * * *", None),
            ("0 0 * *", None),
            ("@daily", None),
            ("0 0 * * mon", None),
            ("*/0 * * * *", None),
        ] {
            let next = next_run(rule, now).map(|at| at.rfc3339()[..16].to_owned());
            assert_eq!(next.as_deref(), expected, "{rule}");
        }
    }
}
