//! Times of the calendar: rules of cron with a time zone, and windows of a day.
//!
//! A local time that a change of the clocks skips stands for the first one after it; one that comes twice counts once, the
//! first time.

use super::time::Timestamp;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::fmt;
use std::time::Duration;

/// Number of days that are searched: nine years, so that the 29th of February is found around the year 2100, too.
const MAX_DAYS: u32 = 9 * 366;
/// Smallest and largest number of each field: minute, hour, day of the month, month, day of the week.
const RANGES: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
/// Number of minutes of a day.
const MINUTES: u32 = 1_440;
/// Number of times from whose distances the longest one is taken.
const SAMPLED: usize = 400;

/// Rule of cron: five fields of numbers, ranges, lists and steps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fields {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// True if a day must fit both its fields, since one of them is `*`.
    both: bool,
}

impl Fields {
    fn parse(words: [&str; 5]) -> Option<Self> {
        let mut sets = [0_u64; 5];
        for ((set, field), range) in sets.iter_mut().zip(words).zip(RANGES) {
            *set = numbers(field, range)?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        let both = words[2] == "*" || words[4] == "*";
        // Sunday is 0 and 7.
        Some(Self { minutes, hours, days, months, weekdays: weekdays | (weekdays >> 7 & 1), both })
    }

    fn has_day(&self, day: Date) -> bool {
        let by_month_day = has(self.days, day.day());
        let by_weekday = has(self.weekdays, day.weekday().to_sunday_zero_offset());
        let is_day = if self.both { by_month_day && by_weekday } else { by_month_day || by_weekday };
        has(self.months, day.month()) && is_day
    }

    /// Returns the times of a day, in order.
    fn times(&self) -> impl DoubleEndedIterator<Item = Time> {
        let minutes = self.minutes;
        let hours = (0..24_i8).filter(|hour| has(self.hours, *hour));
        hours.flat_map(move |hour| {
            let minutes = (0..60_i8).filter(move |minute| has(minutes, *minute));
            minutes.map(move |minute| Time::constant(hour, minute, 0, 0))
        })
    }
}

fn has(set: u64, number: i8) -> bool {
    set >> number & 1 == 1
}

/// Parses a field to a set of bits.
fn numbers(field: &str, (least, most): (u32, u32)) -> Option<u64> {
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

/// Times at which something happens: a rule of cron in a time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronTimes {
    fields: Fields,
    zone: TimeZone,
    text: String,
}

impl CronTimes {
    /// Reads five fields and, after them, the name of a time zone; without one it is UTC. The zone is looked up in the
    /// system's database.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (fields, zone) = match words[..] {
            [a, b, c, d, e] => ([a, b, c, d, e], TimeZone::UTC),
            [a, b, c, d, e, zone] => ([a, b, c, d, e], zone_named(zone)?),
            _ => return Err("must have the five fields of cron, then a time zone if it is not UTC".to_owned()),
        };
        let wrong = "must have five fields of cron with numbers, ranges, lists and steps, such as \"0 3 * * 1-5\"";
        let fields = Fields::parse(fields).ok_or_else(|| wrong.to_owned())?;
        let times = Self { fields, zone, text: words.join(" ") };
        // Such as the 30th of February.
        times.after(Timestamp::from_micros(0)).ok_or_else(|| format!("never happens: \"{text}\""))?;
        Ok(times)
    }

    /// Returns the time zone of the rule.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Returns the first time after `now`; `None` if there is none within nine years.
    pub fn after(&self, now: Timestamp) -> Option<Timestamp> {
        let mut day = now.local(&self.zone).date();
        for _ in 0..MAX_DAYS {
            if self.fields.has_day(day) {
                let found = self.fields.times().map(|time| instant(&self.zone, day.to_datetime(time)));
                if let Some(at) = found.flatten().find(|at| *at > now) {
                    return Some(at);
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// Returns the last time that is not after `now`; `None` if there is none within nine years.
    pub fn last(&self, now: Timestamp) -> Option<Timestamp> {
        let mut day = now.local(&self.zone).date();
        for _ in 0..MAX_DAYS {
            if self.fields.has_day(day) {
                let found = self.fields.times().rev().map(|time| instant(&self.zone, day.to_datetime(time)));
                if let Some(at) = found.flatten().find(|at| *at <= now) {
                    return Some(at);
                }
            }
            day = day.yesterday().ok()?;
        }
        None
    }

    /// Returns the longest time between two of the next times after `from`.
    pub fn longest_gap(&self, from: Timestamp) -> Duration {
        let mut longest = Duration::ZERO;
        let mut before = self.after(from);
        for _ in 0..SAMPLED {
            let Some(at) = before else { break };
            let next = self.after(at);
            longest = longest.max(next.map(|next| next.since(at)).unwrap_or_default());
            before = next;
        }
        longest
    }
}

impl fmt::Display for CronTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Looks a time zone up in the system's database.
fn zone_named(name: &str) -> Result<TimeZone, String> {
    match name {
        "UTC" | "Etc/UTC" => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| format!("has the unknown time zone \"{name}\"")),
    }
}

/// Returns the instant of a local time, as the module describes.
fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    let at = match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok()?,
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok()?,
        AmbiguousOffset::Gap { before, .. } => {
            // The clock that was not changed would show the local time then, so the change was before.
            let later = before.to_timestamp(local).ok()? + SignedDuration::from_nanos(1);
            zone.preceding(later).next()?.timestamp()
        }
    };
    Some(Timestamp::from_micros(at.as_microsecond()))
}

/// Part of each day in which automatic syncs may run. It may include midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayWindow {
    /// Minutes of the local day from which it is open, and from which it is not.
    from: u32,
    to: u32,
    /// `None` for the zone of the plan.
    zone: Option<TimeZone>,
    text: String,
}

impl DayWindow {
    /// Reads `22:00-06:00` and, after it, the name of a time zone; without one it is that of the plan.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("must be a part of a day such as \"22:00-06:00 Europe/Berlin\", not \"{text}\"");
        let mut words = text.split_whitespace();
        let (from, to) = words.next().and_then(|span| span.split_once('-')).ok_or_else(wrong)?;
        let (from, to) = minute(from).zip(minute(to)).filter(|(from, to)| from != to).ok_or_else(wrong)?;
        let zone = words.next().map(zone_named).transpose()?;
        if words.next().is_some() {
            return Err(wrong());
        }
        Ok(Self { from, to, zone, text: text.trim().to_owned() })
    }

    /// Returns the time at which the window opens; `None` if it is open at `now`. `of_plan` is the zone of the plan's other
    /// times; without one it is UTC.
    pub fn opens_at(&self, now: Timestamp, of_plan: Option<&TimeZone>) -> Option<Timestamp> {
        let zone = self.zone.as_ref().or(of_plan).cloned().unwrap_or(TimeZone::UTC);
        let local = now.local(&zone);
        let minute = u32::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default();
        let is_open = match self.from < self.to {
            true => (self.from..self.to).contains(&minute),
            false => minute >= self.from || minute < self.to,
        };
        if is_open {
            return None;
        }
        let opening = Time::constant(i8::try_from(self.from / 60).ok()?, i8::try_from(self.from % 60).ok()?, 0, 0);
        let mut day = local.date();
        for _ in 0..3 {
            if let Some(at) = instant(&zone, day.to_datetime(opening)).filter(|at| *at > now) {
                return Some(at);
            }
            day = day.tomorrow().ok()?;
        }
        None
    }
}

impl fmt::Display for DayWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads a time of day, `06:00` or `24:00`, as minutes.
fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = hours * 60 + minutes;
    (digits(text.split_once(':')?.0) && digits(text.split_once(':')?.1) && minutes < 60 && total <= MINUTES)
        .then_some(total % MINUTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect(text)
    }

    fn minute_of(at: Timestamp) -> String {
        at.rfc3339()[..16].to_owned()
    }

    fn nexts(rule: &str, from: &str, count: usize) -> Vec<String> {
        let times = CronTimes::parse(rule).expect(rule);
        let mut now = at(from);
        (0..count)
            .map(|_| {
                now = times.after(now).expect("a time");
                assert_eq!(times.last(now), Some(now), "{rule}");
                minute_of(now)
            })
            .collect()
    }

    #[test]
    fn daylight_saving_skips_and_repeats_no_run() {
        for (rule, from, expected) in [
            // Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00.
            ("0 3 * * 1-5 Europe/Berlin", "2026-03-26T12:00:00Z", &["2026-03-27T02:00", "2026-03-30T01:00"][..]),
            ("30 2 * * * Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00", "2026-03-30T00:30"]),
            ("*/20 2 * * * Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00", "2026-03-30T00:00"]),
            ("30 2 * * * Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T00:30", "2026-10-26T01:30"]),
            ("0 3 * * * Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T02:00", "2026-10-26T02:00"]),
            // New York, and Lord Howe, whose clocks change by half an hour.
            ("30 2 * * * America/New_York", "2026-03-08T00:00:00Z", &["2026-03-08T07:00", "2026-03-09T06:30"]),
            ("15 2 * * * Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-03T15:30", "2026-10-04T15:15"]),
            // Leap days, also around 2100.
            ("0 0 29 2 *", "2026-01-01T00:00:00Z", &["2028-02-29T00:00", "2032-02-29T00:00"]),
            ("0 0 29 2 *", "2096-03-01T00:00:00Z", &["2104-02-29T00:00"]),
            ("0 12 31 12 * Asia/Kolkata", "2026-01-01T00:00:00Z", &["2026-12-31T06:30"]),
            ("59 23 * * * Pacific/Kiritimati", "2026-01-01T00:00:00Z", &["2026-01-01T09:59", "2026-01-02T09:59"]),
        ] {
            assert_eq!(nexts(rule, from, expected.len()), expected, "{rule}");
        }
    }

    #[test]
    fn a_clock_that_is_set_changes_only_what_is_next() {
        let times = CronTimes::parse("0 3 * * *").expect("a rule");
        let (before, after) = (at("2026-05-27T02:59:59Z"), at("2026-05-27T03:00:00Z"));
        assert_eq!(times.last(before), Some(at("2026-05-26T03:00:00Z")));
        assert_eq!(times.last(after), Some(after));
        assert_eq!(times.after(after), Some(at("2026-05-28T03:00:00Z")));
        // Set back by a day: the last time is an earlier one, so nothing that was synced since is due.
        assert_eq!(times.last(before.minus(Duration::from_secs(86_400))), Some(at("2026-05-25T03:00:00Z")));
    }

    #[test]
    fn wrong_rules_are_refused() {
        for rule in [
            "",
            "0 3 * *",
            "60 3 * * *",
            "0 3 * * * Mars/Olympus",
            "0 3 30 2 *",
            "0 3 * * mon",
            "@daily",
            "0 3 * * * UTC x",
        ] {
            assert!(CronTimes::parse(rule).is_err(), "{rule}");
        }
    }

    #[test]
    fn the_longest_gap_is_that_of_a_weekend() {
        let gap =
            |rule: &str| CronTimes::parse(rule).expect(rule).longest_gap(at("2026-01-01T00:00:00Z")).as_secs() / 3_600;
        assert_eq!(gap("0 3 * * 1-5"), 72);
        assert_eq!(gap("0 3 * * * Europe/Berlin"), 25);
        assert_eq!(gap("0 */6 * * *"), 6);
    }

    #[test]
    fn a_window_opens_and_closes_in_its_zone() {
        let window = |text: &str| DayWindow::parse(text).expect(text);
        for (text, now, opens) in [
            ("22:00-06:00", "2026-05-27T23:00:00Z", None),
            ("22:00-06:00", "2026-05-27T05:59:59Z", None),
            ("22:00-06:00", "2026-05-27T06:00:00Z", Some("2026-05-27T22:00")),
            ("08:30-17:00", "2026-05-27T17:00:00Z", Some("2026-05-28T08:30")),
            ("22:00-06:00 Europe/Berlin", "2026-05-27T04:30:00Z", Some("2026-05-27T20:00")),
            // The window opens in the hour that is skipped.
            ("02:30-04:00 Europe/Berlin", "2026-03-28T12:00:00Z", Some("2026-03-29T01:00")),
        ] {
            assert_eq!(window(text).opens_at(at(now), None).map(minute_of).as_deref(), opens, "{text} at {now}");
        }
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        assert_eq!(window("22:00-06:00").opens_at(at("2026-05-27T20:00:00Z"), Some(&berlin)), None);
        assert!(window("22:00-06:00 UTC").opens_at(at("2026-05-27T20:00:00Z"), Some(&berlin)).is_some());
        for text in [
            "",
            "00:00-24:00",
            "22-06",
            "22:00",
            "22:00-22:00",
            "25:00-06:00",
            "22:60-06:00",
            "22:00-06:00 X/Y",
            "2:00-06:00",
        ] {
            assert!(DayWindow::parse(text).is_err(), "{text}");
        }
    }
}
