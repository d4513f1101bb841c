//! Numbers, sizes, shares and rates.

/// Returns a number with a comma between thousands: `1,204`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a number with its noun, in the plural unless it is 1: `1 document`, `1,204 documents`.
pub fn count(of: u64, noun: &str) -> String {
    if of == 1 { format!("1 {noun}") } else { format!("{} {noun}s", number(of)) }
}

/// Returns a number, shortened if it needs more than `cells` terminal cells: `1,204`, `120k`, `3.1M`. Five cells
/// suffice for any number below a thousand billion.
pub fn short_number(of: u64, cells: usize) -> String {
    let whole = number(of);
    if whole.len() <= cells { whole } else { scaled(of, ["", "k", "M", "G"]).replace(' ', "") }
}

/// Returns a size in bytes, with 1,000 bytes per kilobyte: `512 B`, `3.1 kB`, `40 MB`.
pub fn bytes(number: u64) -> String {
    scaled(number, ["B", "kB", "MB", "GB"])
}

/// Returns a number of characters: `820 chars`, `9.8k chars`.
pub fn chars(number: u64) -> String {
    match number {
        1 => "1 char".to_owned(),
        ..1_000 => format!("{number} chars"),
        _ => format!("{} chars", scaled(number, ["", "k", "M", "G"]).replace(' ', "")),
    }
}

fn scaled(number: u64, units: [&str; 4]) -> String {
    let mut value = number as f64;
    let mut unit = 0;
    // 999.5 and above would be rounded to 1000.
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    if unit > 0 && value < 9.95 { format!("{value:.1} {}", units[unit]) } else { format!("{value:.0} {}", units[unit]) }
}

/// Returns a rate per second: `0/s`, `0.4/s`, `42/s`.
pub fn rate(of: f64) -> String {
    if of == 0.0 || of >= 9.95 { format!("{of:.0}/s") } else { format!("{of:.1}/s") }
}

/// Returns `part` of `of` in whole per cent, rounded. The result is 0 only if one of the two is 0, and 100 only if
/// `part` is at least `of`.
pub fn percent(part: u64, of: u64) -> u64 {
    if part == 0 || of == 0 {
        return 0;
    }
    let rounded = (part.saturating_mul(200).saturating_add(of)) / of.saturating_mul(2);
    if part >= of { 100 } else { rounded.clamp(1, 99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_skip_a_unit() {
        assert_eq!(
            ["0", "999", "1,000", "1,234,567"],
            [0, 999, 1_000, 1_234_567].map(number).each_ref().map(|s| s.as_str())
        );
        let sizes = [0, 999, 1_000, 3_140, 9_949, 9_950, 999_499, 999_500, 40_000_000];
        let texts = ["0 B", "999 B", "1.0 kB", "3.1 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "40 MB"];
        assert_eq!(sizes.map(bytes), texts);
        assert_eq!([chars(1), chars(820), chars(9_800)], ["1 char", "820 chars", "9.8k chars"]);
        assert_eq!([rate(0.0), rate(0.4), rate(42.2)], ["0/s", "0.4/s", "42/s"]);
        assert_eq!(
            [short_number(1_204, 5), short_number(120_400, 5), short_number(3_140_000, 5), short_number(12, 3)],
            ["1,204", "120k", "3.1M", "12"]
        );
        assert_eq!([count(1, "document"), count(1_204, "document")], ["1 document", "1,204 documents"]);
    }

    #[test]
    fn a_few_of_many_are_not_none_and_all_but_a_few_are_not_all() {
        let of_thousand = [0, 1, 5, 15, 499, 995, 999, 1_000].map(|part| percent(part, 1_000));
        assert_eq!(of_thousand, [0, 1, 1, 2, 50, 99, 99, 100]);
        assert_eq!([percent(1, 3), percent(2, 3), percent(0, 0), percent(5, 0)], [33, 67, 0, 0]);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
