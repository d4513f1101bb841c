//! Times in words, and when those words change by themselves.

use crate::domain::time::{Timestamp, countdown};
use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// How soon: `now`, `in 1:20`, `in 6d`.
pub fn until(now: Timestamp, at: Timestamp) -> String {
    match at.since(now) {
        left if left < Duration::from_secs(1) => "now".to_owned(),
        left => format!("in {}", countdown(left)),
    }
}

/// Returns the next moment after `now` at which the age of `at` reads differently.
pub fn age_changes_at(at: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.since(at).as_secs();
    let unit = match age {
        0..MINUTE => SECOND,
        MINUTE..HOUR => MINUTE,
        HOUR..DAY => HOUR,
        _ => DAY,
    };
    let turns = at.plus(Duration::from_secs((age / unit + 1) * unit));
    if turns > now { turns } else { now.plus(Duration::from_secs(unit)) }
}

/// Returns the next moment after `now` at which the countdown to `at` reads differently; none once it is over.
pub fn countdown_changes_at(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if at <= now {
        return None;
    }
    let left = at.since(now);
    let unit = match left.as_secs() {
        0..=HOUR => SECOND,
        3_601..=DAY => HOUR,
        _ => DAY,
    };
    // Whole units left until the moment itself; the text turns just below one.
    let units = left.as_micros().div_ceil(u128::from(unit) * 1_000_000).saturating_sub(1);
    let rest = Duration::from_secs(unit.saturating_mul(u64::try_from(units).unwrap_or(u64::MAX)));
    Some(at.minus(rest).plus(Duration::from_micros(1)).max(now.plus(Duration::from_millis(20))))
}

/// Returns the beginning of the next second.
pub fn next_second(now: Timestamp) -> Timestamp {
    next_whole(now, SECOND)
}

/// Returns the beginning of the next minute.
pub fn next_minute(now: Timestamp) -> Timestamp {
    next_whole(now, MINUTE)
}

fn next_whole(now: Timestamp, seconds: u64) -> Timestamp {
    let unit = i64::try_from(seconds * 1_000_000).unwrap_or(i64::MAX);
    Timestamp::from_micros((now.micros().div_euclid(unit) + 1).saturating_mul(unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{age, countdown};

    #[test]
    fn the_text_changes_at_the_moment_and_not_before() {
        let now = Timestamp::from_micros(1_764_054_151_300_000);
        let just = Duration::from_millis(1);
        for secs in [0, 5, 59, 60, 61, 3_599, 3_600, 90_000, 200_000] {
            let at = now.minus(Duration::from_millis(secs * 1_000 + 250));
            let turns = age_changes_at(at, now);
            assert_eq!(age(turns.minus(just).since(at)), age(now.since(at)), "{secs}");
            assert_ne!(age(turns.since(at)), age(now.since(at)), "{secs}");
        }
        for secs in [1, 30, 80, 3_000, 90_000, 200_000] {
            let at = now.plus(Duration::from_millis(secs * 1_000 + 250));
            let turns = countdown_changes_at(at, now).expect("it is still to come");
            let text = |then: Timestamp| if at <= then { "now".into() } else { countdown(at.since(then)) };
            assert_eq!(text(turns.minus(just * 30).max(now)), text(now), "{secs}");
            assert_ne!(text(turns.plus(just)), text(now), "{secs}");
        }
        assert_eq!(countdown_changes_at(now, now), None);
    }
}
