//! Instants, always in UTC; only text for people is in another time zone.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::time::Duration;

/// Instant in UTC, in whole microseconds since 1970, as this program's own tables store it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Creates an instant from microseconds since 1970, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since 1970, UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the instant that is later by `by`, saturating at the end of the range.
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(micros(by)))
    }

    /// Returns the instant that is earlier by `by`, saturating at the start of the range.
    pub fn minus(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(micros(by)))
    }

    /// Returns the time since `earlier`; zero if `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Formats the instant as RFC 3339 in UTC with exactly six fractional digits, the form used in files and JSON.
    pub fn rfc3339(self) -> String {
        self.civil(&TimeZone::UTC, "%Y-%m-%dT%H:%M:%S%.6fZ")
    }

    /// Reads an instant as RFC 3339 with any offset; `None` for other texts.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let instant: jiff::Timestamp = text.parse().ok()?;
        Some(Self(instant.as_microsecond()))
    }

    /// Formats the time of day in `zone`: `14:02:31`.
    pub fn clock(self, zone: &TimeZone) -> String {
        self.civil(zone, "%H:%M:%S")
    }

    /// Formats date and time of day in `zone`: `2026-11-25 14:02:31`.
    pub fn date_clock(self, zone: &TimeZone) -> String {
        self.civil(zone, "%Y-%m-%d %H:%M:%S")
    }

    /// Formats date and time of day in UTC: `2026-11-25 14:02:31`.
    pub fn date_clock_utc(self) -> String {
        self.date_clock(&TimeZone::UTC)
    }

    /// Returns the abbreviation of `zone` at this instant: `CET`.
    pub fn zone_name(self, zone: &TimeZone) -> String {
        self.civil(zone, "%Z")
    }

    /// Returns the minute of the day in UTC, 0 to 1,439.
    pub fn minute_of_day(self) -> u32 {
        let at = self.utc();
        u32::try_from(i32::from(at.hour()) * 60 + i32::from(at.minute())).unwrap_or_default()
    }

    /// Returns date and time of day in UTC.
    pub(super) fn utc(self) -> DateTime {
        TimeZone::UTC.to_datetime(self.instant())
    }

    /// Returns date and time of day in `zone`.
    pub(super) fn local(self, zone: &TimeZone) -> DateTime {
        zone.to_datetime(self.instant())
    }

    fn civil(self, zone: &TimeZone, format: &str) -> String {
        self.instant().to_zoned_datetime(zone.clone()).strftime(format).to_string()
    }

    fn instant(self) -> jiff::Timestamp {
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(end)
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_rfc3339(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

/// Returns an age in one unit: `4s`, `12m`, `3h`, `9d`, `2y`.
pub fn age(of: Duration) -> String {
    let seconds = of.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        86_400..31_536_000 => format!("{}d", seconds / 86_400),
        _ => format!("{}y", seconds / 31_536_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_out_with_microseconds_and_come_back() {
        let t = Timestamp::from_micros(1_764_054_151_000_042);
        assert_eq!(t.rfc3339(), "2025-11-25T07:02:31.000042Z");
        assert_eq!(Timestamp::parse_rfc3339(&t.rfc3339()), Some(t));
        assert_eq!(Timestamp::parse_rfc3339("2025-11-25T08:02:31.000042+01:00"), Some(t));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            let _ = Timestamp::from_micros(micros).rfc3339();
        }
        assert_eq!(Timestamp::from_micros(5).since(Timestamp::from_micros(9)), Duration::ZERO);
    }
}
