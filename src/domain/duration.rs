//! Durations as people write them in the configuration: `"30s"`, `"1h 30m"`, `"1 week"`, `"4.2s"`.
//!
//! The syntax accepts more than that of the crate jiff: months, a decimal part on every term, days and weeks of fixed
//! length. Existing configuration files rely on each of them, so the table in the tests is the contract.

use std::time::Duration;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const DAY: u64 = 86_400;
/// Length of a month in seconds: 30.44 days.
const MONTH: u64 = 2_630_016;
/// Length of a year in seconds: 365.25 days.
const YEAR: u64 = 31_557_600;

/// Unit with its spellings, which are case-sensitive: `m` is a minute, `M` a month.
struct Unit {
    spellings: &'static [&'static str],
    /// Length in seconds; 0 for units below a second.
    seconds: u64,
    /// Length in nanoseconds, the resolution of a decimal part; 0 for units whose decimal part must yield whole
    /// seconds.
    nanos: u64,
}

const fn unit(spellings: &'static [&'static str], seconds: u64, nanos: u64) -> Unit {
    Unit { spellings, seconds, nanos }
}

const UNITS: [Unit; 10] = [
    unit(&["nanos", "nsec", "ns"], 0, 1),
    unit(&["usec", "us", "µs"], 0, 1_000),
    unit(&["millis", "msec", "ms"], 0, 1_000_000),
    unit(&["seconds", "second", "secs", "sec", "s"], 1, NANOS_PER_SECOND),
    unit(&["minutes", "minute", "mins", "min", "m"], 60, 60 * NANOS_PER_SECOND),
    unit(&["hours", "hour", "hrs", "hr", "h"], 3_600, 0),
    unit(&["days", "day", "d"], DAY, 0),
    unit(&["weeks", "week", "wks", "wk", "w"], 7 * DAY, 0),
    unit(&["months", "month", "M"], MONTH, 0),
    unit(&["years", "year", "yrs", "yr", "y"], YEAR, 0),
];

impl Unit {
    fn of(spelling: &str) -> Option<&'static Self> {
        UNITS.iter().find(|unit| unit.spellings.contains(&spelling))
    }

    fn times(&self, number: &Number) -> Option<Duration> {
        let whole = if self.seconds > 0 {
            Duration::from_secs(number.whole.checked_mul(self.seconds)?)
        } else {
            Duration::from_nanos(number.whole.checked_mul(self.nanos)?)
        };
        let Some((numerator, denominator)) = number.fraction else { return Some(whole) };
        let exact = |length: u64| {
            let product = numerator.checked_mul(length)?;
            product.is_multiple_of(denominator).then_some(product / denominator)
        };
        let part = match self.nanos {
            0 => Duration::from_secs(exact(self.seconds)?),
            // A nanosecond cannot be divided.
            1 => return None,
            nanos => Duration::from_nanos(exact(nanos)?),
        };
        whole.checked_add(part)
    }
}

/// Number before a unit, with numerator and denominator of its decimal part.
struct Number {
    whole: u64,
    fraction: Option<(u64, u64)>,
}

impl Number {
    /// Reads a number from the start of `text`, and returns it with the rest of the text; `None` if there is no number
    /// or it is too large. White space between digits is allowed.
    fn read(text: &str) -> Option<(Self, &str)> {
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (whole, _, rest) = digits(text)?;
        let Some(rest) = rest.strip_prefix('.') else { return Some((Self { whole, fraction: None }, rest)) };
        let (numerator, denominator, rest) = digits(rest)?;
        (denominator > 1).then_some((Self { whole, fraction: Some((numerator, denominator)) }, rest))
    }
}

/// Reads digits. Returns their value, ten to the power of their count (0 if that is too large), and the rest of the
/// text; `None` if the value is too large.
fn digits(text: &str) -> Option<(u64, u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !c.is_whitespace()).unwrap_or(text.len());
    let (mut value, mut power) = (0_u64, Some(1_u64));
    for digit in text[..end].chars().filter_map(|c| c.to_digit(10)) {
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        power = power.and_then(|power| power.checked_mul(10));
    }
    // Only decimal parts use the power; in a whole number, leading zeros can make it overflow.
    Some((value, power.unwrap_or(0), &text[end..]))
}

/// Reads a duration: terms of a number and a unit, with or without white space between them. A lone `0` needs no unit.
/// Returns `None` for any other text, for a value that is not a whole number of nanoseconds (of seconds, for hours and
/// longer units), and for a value that is too long to be represented.
pub fn parse(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let (mut total, mut rest) = (Duration::ZERO, text.trim());
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = Number::read(rest)?;
        let end = after.find(|c: char| !c.is_ascii_alphabetic() && c != 'µ').unwrap_or(after.len());
        total = total.checked_add(Unit::of(&after[..end])?.times(&number)?)?;
        rest = after[end..].trim_start();
    }
    Some(total)
}

/// Formats a duration without loss, so that [`parse`] reads the same duration from the text: `1h 30m`, `2days`,
/// `100ms`.
pub fn exact(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), u64::from(duration.subsec_nanos()));
    let day = seconds % YEAR % MONTH;
    let plural = |name: &'static str, names: &'static str, count: u64| (if count == 1 { name } else { names }, count);
    let terms = [
        plural("year", "years", seconds / YEAR),
        plural("month", "months", seconds % YEAR / MONTH),
        plural("day", "days", day / DAY),
        ("h", day % DAY / 3_600),
        ("m", day % 3_600 / 60),
        ("s", day % 60),
        ("ms", nanos / 1_000_000),
        ("us", nanos / 1_000 % 1_000),
        ("ns", nanos % 1_000),
    ];
    let shown: Vec<_> =
        terms.iter().filter(|(_, count)| *count > 0).map(|(unit, count)| format!("{count}{unit}")).collect();
    if shown.is_empty() { "0s".to_owned() } else { shown.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every spelling of every unit, with the unit's length in nanoseconds.
    const SPELLINGS: &[(&str, u128)] = &[
        ("nanos", 1),
        ("nsec", 1),
        ("ns", 1),
        ("usec", 1_000),
        ("us", 1_000),
        ("µs", 1_000),
        ("millis", 1_000_000),
        ("msec", 1_000_000),
        ("ms", 1_000_000),
        ("seconds", 1_000_000_000),
        ("second", 1_000_000_000),
        ("secs", 1_000_000_000),
        ("sec", 1_000_000_000),
        ("s", 1_000_000_000),
        ("minutes", 60_000_000_000),
        ("minute", 60_000_000_000),
        ("mins", 60_000_000_000),
        ("min", 60_000_000_000),
        ("m", 60_000_000_000),
        ("hours", 3_600_000_000_000),
        ("hour", 3_600_000_000_000),
        ("hrs", 3_600_000_000_000),
        ("hr", 3_600_000_000_000),
        ("h", 3_600_000_000_000),
        ("days", 86_400_000_000_000),
        ("day", 86_400_000_000_000),
        ("d", 86_400_000_000_000),
        ("weeks", 604_800_000_000_000),
        ("week", 604_800_000_000_000),
        ("wks", 604_800_000_000_000),
        ("wk", 604_800_000_000_000),
        ("w", 604_800_000_000_000),
        ("months", 2_630_016_000_000_000),
        ("month", 2_630_016_000_000_000),
        ("M", 2_630_016_000_000_000),
        ("years", 31_557_600_000_000_000),
        ("year", 31_557_600_000_000_000),
        ("yrs", 31_557_600_000_000_000),
        ("yr", 31_557_600_000_000_000),
        ("y", 31_557_600_000_000_000),
    ];

    #[test]
    fn every_unit_is_read_in_every_spelling_and_in_no_other_case() {
        for (spelling, nanos) in SPELLINGS {
            let read = |text: String| parse(&text).map(|duration| duration.as_nanos());
            assert_eq!(read(format!("3{spelling}")), Some(3 * nanos), "{spelling}");
            assert_eq!(read(format!(" 12 {spelling} ")), Some(12 * nanos), "{spelling}");
            let other: String = spelling
                .chars()
                .map(|c| if c.is_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
                .collect();
            let expected = SPELLINGS.iter().find(|(known, _)| *known == other).map(|(_, nanos)| 3 * nanos);
            assert_eq!(read(format!("3{other}")), expected, "{other}");
        }
        assert_eq!(SPELLINGS.len(), UNITS.iter().map(|unit| unit.spellings.len()).sum::<usize>());
    }

    #[test]
    fn terms_add_up_and_decimals_count() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("30s", 30_000),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("1 h\t30 m", 5_400_000),
            ("2m 2m", 240_000),
            ("30s 1h", 3_630_000),
            ("1 week", 604_800_000),
            ("1week 2days 3hours 4min 5s 6ms", 788_645_006),
            ("1 0s", 10_000),
            ("007s", 7_000),
            ("00000000000000000000007s", 7_000),
            ("4.2s", 4_200),
            ("4 . 2 s", 4_200),
            ("0.5m", 30_000),
            ("1.5h", 5_400_000),
            ("0.25 days", 21_600_000),
            ("0.001s", 1),
            ("0.5ms 0.5ms", 1),
            ("1.5w", 907_200_000),
            ("0.5M", 1_315_008_000),
            ("1.25y", 39_447_000_000),
            ("100 years", 3_155_760_000_000),
        ] {
            assert_eq!(parse(text).map(|duration| duration.as_millis()), Some(millis), "{text}");
        }
        assert_eq!(parse("18446744073709551615s"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(parse("1.5us"), Some(Duration::from_nanos(1_500)));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            " ",
            "s",
            "1",
            "00",
            " 0 ",
            "0.0",
            "1.s",
            ".5s",
            "-1s",
            "+1s",
            "1_000s",
            "1,5s",
            "1h, 30m",
            "1h and 30m",
            "1h30",
            "1 h m",
            "1e3s",
            "5 S",
            "1 Week",
            "3 MIN",
            "1d2",
            "1\u{3bc}s",
            "١s",
            "1fortnight",
            "P1D",
            "PT1H",
            "1:30",
            "0x1s",
            "inf",
            "1s ago",
            "1.5ns",
            "0.0001us",
            "0.0001h",
            "0.000000000005m",
            // Too long to be represented, or with too many digits.
            "18446744073709551616s",
            "307445734561825861m",
            "18446744073709551615s 1s",
            "584542046091y",
            "0.00000000000000000001s",
            "18446744073709552us",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_formatted_is_read_back() {
        for (nanos, text) in [
            (0, "0s"),
            (1, "1ns"),
            (100_000_000, "100ms"),
            (1_500_000_000, "1s 500ms"),
            (1_000_001_001, "1s 1us 1ns"),
            (30_000_000_000, "30s"),
            (5_400_000_000_000, "1h 30m"),
            (86_400_000_000_000, "1day"),
            (604_800_000_000_000, "7days"),
            (2_630_016_000_000_000, "1month"),
            (31_557_600_000_000_000, "1year"),
            (34_277_215_006_000_000, "1year 1month 1day 53m 19s 6ms"),
            (3_155_760_000_000_000_000, "100years"),
        ] {
            let duration = Duration::from_nanos(nanos);
            assert_eq!(exact(duration), text);
            assert_eq!(parse(text), Some(duration));
        }
    }
}
