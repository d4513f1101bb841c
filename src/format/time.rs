//! Ages, countdowns and durations, and the times at which such a text changes.

pub use crate::domain::time::age;

use crate::domain::calendar::ClosedWindow;
use crate::domain::time::Timestamp;
use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// Returns a countdown: minutes and seconds below an hour (`0:42`, `2:54`), then one unit as in [`age`].
pub fn countdown(left: Duration) -> String {
    let s = left.as_secs();
    if s < HOUR { format!("{}:{:02}", s / MINUTE, s % MINUTE) } else { age(left) }
}

/// Returns a duration for a sentence: `212 ms`, `1.4 s`, `20 s`, `5 min`, `3 h`, `2 d`.
pub fn duration(of: Duration) -> String {
    let ms = of.as_millis();
    let s = of.as_secs();
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..10_000 if ms % 1_000 >= 50 => format!("{:.1} s", of.as_secs_f64()),
        1_000..120_000 => format!("{s} s"),
        120_000..7_200_000 => format!("{} min", s / MINUTE),
        7_200_000..172_800_000 => format!("{} h", s / HOUR),
        _ => format!("{} d", s / DAY),
    }
}

/// Formats the estimated time of syncs: `about 3 min, if they end as the last time`. At least a second.
pub fn estimate(time: Duration) -> String {
    format!("about {}, if they end as the last time", duration(time.max(Duration::from_secs(1))))
}

/// Says that a job waits for the window of its plan: `waits for its window, opens 22:00 Europe/Berlin`.
pub fn closed_window(window: &ClosedWindow) -> String {
    format!("waits for its {}", closed_window_short(window).replacen(' ', ", ", 1))
}

/// The same for a column: `window opens 22:00 Europe/Berlin`.
pub fn closed_window_short(window: &ClosedWindow) -> String {
    let clock = window.opens_at.clock(&window.zone);
    let zone = window.zone.iana_name().unwrap_or("UTC");
    format!("window opens {} {zone}", &clock[..clock.len().min(5)])
}

/// Returns the time left until `at`: `now`, `in 1:20`, `in 6d`.
pub fn until(now: Timestamp, at: Timestamp) -> String {
    match at.since(now) {
        left if left < Duration::from_secs(1) => "now".to_owned(),
        left => format!("in {}", countdown(left)),
    }
}

/// Returns the next time after `now` at which the text for the age of `at` can change: the exact time for ages below a
/// year, and at most a day ahead for longer ones.
pub fn age_changes_at(at: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.since(at).as_secs();
    let unit = match age {
        0..MINUTE => SECOND,
        MINUTE..HOUR => MINUTE,
        HOUR..DAY => HOUR,
        _ => DAY,
    };
    let changes_at = at.plus(Duration::from_secs((age / unit + 1) * unit));
    if changes_at > now { changes_at } else { now.plus(Duration::from_secs(unit)) }
}

/// Returns the next time, at least 20 ms after `now`, at which the text of the countdown to `at` can change; `None`
/// once the countdown is over.
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
    // Number of whole units left at the next change of the text, which follows just after that instant.
    let units = left.as_micros().div_ceil(u128::from(unit) * 1_000_000).saturating_sub(1);
    let rest = Duration::from_secs(unit.saturating_mul(u64::try_from(units).unwrap_or(u64::MAX)));
    Some(at.minus(rest).plus(Duration::from_micros(1)).max(now.plus(Duration::from_millis(20))))
}

/// Returns the start of the next second.
pub fn next_second(now: Timestamp) -> Timestamp {
    next_whole(now, SECOND)
}

/// Returns the start of the next minute.
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

    #[test]
    fn ages_have_one_unit() {
        let of = |s| age(Duration::from_secs(s));
        assert_eq!([of(0), of(59), of(60), of(3_599), of(7_200), of(90_000)], ["0s", "59s", "1m", "59m", "2h", "1d"]);
        assert_eq!([of(31_535_999), of(31_536_000)], ["364d", "1y"]);
        assert_eq!(countdown(Duration::from_secs(174)), "2:54");
        assert_eq!(countdown(Duration::from_secs(7_300)), "2h");
        let of = |ms| duration(Duration::from_millis(ms));
        assert_eq!([of(212), of(1_400), of(20_013), of(300_000)], ["212 ms", "1.4 s", "20 s", "5 min"]);
    }

    #[test]
    fn the_text_changes_at_the_moment_and_not_before() {
        let now = Timestamp::from_micros(1_764_054_151_300_000);
        let just = Duration::from_millis(1);
        for secs in [0, 5, 59, 60, 61, 3_599, 3_600, 90_000, 200_000] {
            let at = now.minus(Duration::from_millis(secs * 1_000 + 250));
            let changes_at = age_changes_at(at, now);
            assert_eq!(age(changes_at.minus(just).since(at)), age(now.since(at)), "{secs}");
            assert_ne!(age(changes_at.since(at)), age(now.since(at)), "{secs}");
        }
        for secs in [1, 30, 80, 3_000, 90_000, 200_000] {
            let at = now.plus(Duration::from_millis(secs * 1_000 + 250));
            let changes_at = countdown_changes_at(at, now).expect("it is still to come");
            let text = |then: Timestamp| if at <= then { "now".into() } else { countdown(at.since(then)) };
            assert_eq!(text(changes_at.minus(just * 30).max(now)), text(now), "{secs}");
            assert_ne!(text(changes_at.plus(just)), text(now), "{secs}");
        }
        assert_eq!(countdown_changes_at(now, now), None);
    }
}
