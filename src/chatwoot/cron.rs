//! The next time of a rule of cron with five fields, in UTC, as far as sidekiq-cron's rules need it.

use crate::domain::day::Day;
use crate::domain::time::Timestamp;

/// Number of minutes of a day.
const MINUTES: u32 = 1_440;
/// Number of days that are searched: five years, so that the 29th of February is found.
const MAX_DAYS: u32 = 5 * 366;
/// Smallest and largest number of each field: minute, hour, day of the month, month, day of the week.
const RANGES: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];

/// Returns the first time after `now` that the rule names; `None` if it is not one of five fields of numbers, ranges,
/// lists and steps, or names no time. A time zone after them is not supported, except UTC.
pub fn next_run(rule: &str, now: Timestamp) -> Option<Timestamp> {
    let words: Vec<&str> = rule.split_whitespace().collect();
    let fields = match words[..] {
        [a, b, c, d, e] | [a, b, c, d, e, "UTC" | "Etc/UTC"] => [a, b, c, d, e],
        _ => return None,
    };
    let mut sets = [0_u64; 5];
    for ((set, field), range) in sets.iter_mut().zip(fields).zip(RANGES) {
        *set = parse(field, range)?;
    }
    let [minutes, hours, days, months, weekdays] = sets;
    // Sunday is 0 and 7.
    let weekdays = weekdays | (weekdays >> 7 & 1);
    let (any_day, any_weekday) = (fields[2] == "*", fields[4] == "*");
    let has = |set: u64, number: i8| set >> number & 1 == 1;
    let is_named = |day: Day| {
        let (by_month_day, by_weekday) = (has(days, day.of_month()), has(weekdays, day.of_week()));
        let is_day = match (any_day, any_weekday) {
            (false, false) => by_month_day || by_weekday,
            _ => by_month_day && by_weekday,
        };
        has(months, day.month()) && is_day
    };
    let time = |minute: u32| Some((i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?));
    // The rest of this day, then whole days.
    let (mut day, mut first) = (Day::of(now), now.minute_of_day() + 1);
    for _ in 0..MAX_DAYS {
        let minutes_left = if is_named(day) { first..MINUTES } else { 0..0 };
        let mut times = minutes_left.filter_map(time);
        if let Some((hour, minute)) = times.find(|(hour, minute)| has(hours, *hour) && has(minutes, *minute)) {
            return day.at(hour, minute);
        }
        (day, first) = (day.next()?, 0);
    }
    None
}

/// Parses a field to a set of bits.
fn parse(field: &str, (least, most): (u32, u32)) -> Option<u64> {
    let mut set = 0;
    for part in field.split(',') {
        let (span, step) = match part.split_once('/') {
            Some((span, step)) => (span, step.parse::<usize>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (least, most),
            Some((from, to)) => (from.parse().ok()?, to.parse().ok()?),
            None if part.contains('/') => (span.parse().ok()?, most),
            None => {
                let number = span.parse().ok()?;
                (number, number)
            }
        };
        if from < least || to > most || from > to {
            return None;
        }
        (from..=to).step_by(step).for_each(|number| set |= 1_u64 << number);
    }
    Some(set)
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
            ("0 0 31 2 *", None),
            ("0 0 * * * Europe/Berlin", None),
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
