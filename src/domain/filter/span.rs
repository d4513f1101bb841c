//! Time spans as people type them: `90m`, `2d`, `1w`, `1h30m`.

use std::time::Duration;

/// Units with their seconds, largest first. A span is written in the first unit of which it is a whole multiple.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
/// Maximum span in seconds, a century: longer ones are typing errors, and databases cannot represent instants that far
/// away.
const MAX_SECONDS: u64 = 36_525 * 86_400;

/// Reads numbers with the units s, m, h, d and w, each directly after its number. Returns `None` for other texts and
/// for more than a century.
pub fn parse_span(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut number: Option<u64> = None;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit))?);
        } else {
            let (_, unit) = UNITS.into_iter().find(|(letter, _)| *letter == c.to_ascii_lowercase())?;
            seconds = seconds.checked_add(number.take()?.checked_mul(unit)?)?;
        }
    }
    let whole = number.is_none() && !text.is_empty() && seconds <= MAX_SECONDS;
    whole.then(|| Duration::from_secs(seconds))
}

/// Formats a span in its canonical form: in the largest unit of which it is a whole multiple; zero as `0s`.
pub(in crate::domain) fn print_span(span: Duration) -> String {
    let seconds = span.as_secs();
    let (letter, unit) =
        UNITS.into_iter().find(|(_, unit)| seconds > 0 && seconds.is_multiple_of(*unit)).unwrap_or(('s', 1));
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, seconds, canonical) in [
            ("90m", 5_400, "90m"),
            ("2d", 172_800, "2d"),
            ("1w", 604_800, "1w"),
            ("14D", 1_209_600, "2w"),
            ("1h30m", 5_400, "90m"),
            ("0s", 0, "0s"),
            ("3601s", 3_601, "3601s"),
        ] {
            assert_eq!(parse_span(text), Some(Duration::from_secs(seconds)), "{text}");
            assert_eq!(print_span(Duration::from_secs(seconds)), canonical);
        }
        for text in
            ["", "1", "h", "1x", "-1h", "1 h", "1h30", "99999999999999999999s", "99999999999999999w", "101y", "5300w"]
        {
            assert_eq!(parse_span(text), None, "{text}");
        }
    }
}
