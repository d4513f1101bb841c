//! Days of the calendar in UTC, for rules that name days of the week or of the month.

use super::time::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// A day in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day(Date);

impl Day {
    /// Returns the day of an instant.
    pub fn of(at: Timestamp) -> Self {
        Self(at.utc().date())
    }

    /// Returns the month, 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// Returns the day of the month, from 1.
    pub fn of_month(self) -> i8 {
        self.0.day()
    }

    /// Returns the day of the week: 0 is Sunday.
    pub fn of_week(self) -> i8 {
        self.0.weekday().to_sunday_zero_offset()
    }

    /// Returns the day after; `None` at the end of the calendar.
    pub fn next(self) -> Option<Self> {
        self.0.tomorrow().ok().map(Self)
    }

    /// Returns the instant at a time of this day; `None` if the hour is above 23 or the minute above 59.
    pub fn at(self, hour: i8, minute: i8) -> Option<Timestamp> {
        let time = jiff::civil::Time::new(hour, minute, 0, 0).ok()?;
        let instant = TimeZone::UTC.to_timestamp(self.0.to_datetime(time)).ok()?;
        Some(Timestamp::from_micros(instant.as_microsecond()))
    }
}
