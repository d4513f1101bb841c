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
        let zone = self.zone(of_plan);
        let local = now.local(&zone);
        let minute = u32::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or_default();
        let is_open = match self.from < self.to {
            true => (self.from..self.to).contains(&minute),
            false => minute >= self.from || minute < self.to,
        };
        if is_open {
            return None;
        }
        let opening = self.opening()?;
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

/// A window that is closed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedWindow {
    /// Time at which it opens.
    pub opens_at: Timestamp,
    /// Zone of the window's times.
    pub zone: TimeZone,
}

impl DayWindow {
    /// Returns the last time, not after `now`, at which the window opened; `of_plan` as for [`opens_at`](Self::opens_at).
    pub fn opened_at(&self, now: Timestamp, of_plan: Option<&TimeZone>) -> Option<Timestamp> {
        let zone = self.zone(of_plan);
        let opening = self.opening()?;
        let mut day = now.local(&zone).date();
        for _ in 0..3 {
            if let Some(at) = instant(&zone, day.to_datetime(opening)).filter(|at| *at <= now) {
                return Some(at);
            }
            day = day.yesterday().ok()?;
        }
        None
    }

    fn opening(&self) -> Option<Time> {
        Some(Time::constant(i8::try_from(self.from / 60).ok()?, i8::try_from(self.from % 60).ok()?, 0, 0))
    }

    /// Returns the zone of its times; `of_plan` is that of the plan's other times.
    pub fn zone(&self, of_plan: Option<&TimeZone>) -> TimeZone {
        self.zone.as_ref().or(of_plan).cloned().unwrap_or(TimeZone::UTC)
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
mod tests;
