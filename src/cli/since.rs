//! The start of a range of time on the command line: a span until now, a date, or a time in the forms that the program
//! prints.

use super::exit::CliError;
use super::output::shortened;
use crate::domain::filter::parse_span;
use crate::domain::time::Timestamp;
use jiff::ToSpan as _;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Start of a range of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Since {
    Ago(std::time::Duration),
    At(Timestamp),
    /// Date and time of day in the zone of the user.
    Local(DateTime),
    /// Midnight in the zone of the user, so many days before today.
    DaysAgo(i64),
}

impl Since {
    /// Reads `2h`, `today`, `yesterday`, `2026-11-25`, `2026-11-25 14:02:31` in local time, as `log` prints it, or a time
    /// with an offset, as JSON has it.
    pub(super) fn parse(text: &str) -> Result<Self, CliError> {
        let text = text.trim();
        let word = match text {
            "today" => Some(Self::DaysAgo(0)),
            "yesterday" => Some(Self::DaysAgo(1)),
            _ => None,
        };
        let at = || Timestamp::parse_rfc3339(text).map(Self::At);
        let local = || text.parse().ok().map(Self::Local);
        word.or_else(|| parse_span(text).map(Self::Ago)).or_else(at).or_else(local).ok_or_else(|| {
            CliError::Usage(format!(
                "--since: \"{}\" is neither a span such as 2h, nor a date such as 2026-11-25, nor a time such as \
                 \"2026-11-25 14:02:31\", nor today or yesterday",
                shortened(text)
            ))
        })
    }

    /// Returns the instant, which for a local time that a change of clocks skips or repeats is the earlier one.
    pub(super) fn resolve(&self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        match self {
            Self::Ago(span) => now.minus(*span),
            Self::At(at) => *at,
            Self::Local(time) => instant(*time, zone, now),
            Self::DaysAgo(days) => {
                let today = jiff::Timestamp::from_microsecond(now.micros()).unwrap_or_default();
                let date = zone.to_datetime(today).date();
                instant(date.saturating_sub(days.days()).to_datetime(jiff::civil::Time::midnight()), zone, now)
            }
        }
    }
}

/// Returns the instant of a local time; `now` for one beyond the range of instants.
fn instant(time: DateTime, zone: &TimeZone, now: Timestamp) -> Timestamp {
    let found = zone.to_ambiguous_timestamp(time).earlier();
    found.map_or(now, |at| Timestamp::from_micros(at.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-28 10:00:00 in Berlin.
    fn now() -> Timestamp {
        Timestamp::parse_rfc3339("2026-11-28T09:00:00Z").expect("a time")
    }

    #[test]
    fn every_form_names_its_instant() {
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        for (text, expected) in [
            ("2h", "2026-11-28T07:00:00Z"),
            ("2026-11-25T08:02:31+01:00", "2026-11-25T07:02:31Z"),
            ("2026-11-25T07:00:00Z", "2026-11-25T07:00:00Z"),
            ("2026-11-25T07:02:31.000042Z", "2026-11-25T07:02:31.000042Z"),
            ("2026-11-25 14:02:31", "2026-11-25T13:02:31Z"),
            ("2026-11-25T14:02", "2026-11-25T13:02:00Z"),
            (" 2026-07-25 14:02 ", "2026-07-25T12:02:00Z"),
            ("2026-11-25", "2026-11-24T23:00:00Z"),
            ("today", "2026-11-27T23:00:00Z"),
            ("yesterday", "2026-11-26T23:00:00Z"),
            // Skipped and repeated by the change of clocks.
            ("2026-03-29 02:30", "2026-03-29T00:30:00Z"),
            ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
        ] {
            let since = Since::parse(text).expect(text);
            let expected = Timestamp::parse_rfc3339(expected).expect("a time");
            assert_eq!(since.resolve(now(), &zone), expected, "{text}");
        }
    }

    #[test]
    fn what_log_prints_is_read() {
        let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
        let printed = now().date_clock(&zone);
        assert_eq!(Since::parse(&printed).expect("a time").resolve(now(), &zone), now());
    }

    #[test]
    fn other_texts_are_wrong_use() {
        for text in ["", "tomorrow", "2026-13-01", "25.11.2026", "14:02", "\x1b[31m"] {
            let error = Since::parse(text).expect_err(text).to_string();
            assert!(error.contains("2026-11-25 14:02:31") && !error.contains('\x1b'), "{error}");
        }
    }
}
