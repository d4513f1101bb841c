//! The disk use of a store as text.

use super::number::{bytes, count};
use crate::domain::time::Timestamp;

/// Returns the size of a store and the number of its outcomes: `the store takes 210 MB, of which 12 MB are unused; it has
/// 300,000 outcomes, the oldest of 2026-09-01 00:00:00 UTC`. `unused` is the unused part of a file.
pub fn disk_use(size: u64, unused: Option<u64>, outcomes: u64, oldest: Option<Timestamp>) -> String {
    let mut message = format!("the store takes {}", bytes(size));
    if let Some(unused) = unused.filter(|unused| *unused > 0) {
        message.push_str(&format!(", of which {} are unused", bytes(unused)));
    }
    message.push_str(&format!("; it has {}", count(outcomes, "outcome")));
    if let Some(oldest) = oldest {
        message.push_str(&format!(", the oldest of {} UTC", oldest.date_clock_utc()));
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let at = Timestamp::from_micros(1_764_000_000_000_000);
        let whole = "the store takes 210 MB, of which 12 MB are unused; it has 2 outcomes, the oldest of \
                     2025-11-24 16:00:00 UTC";
        assert_eq!(disk_use(210_000_000, Some(12_000_000), 2, Some(at)), whole);
        assert_eq!(disk_use(8_000, Some(0), 0, None), "the store takes 8.0 kB; it has 0 outcomes");
    }
}
