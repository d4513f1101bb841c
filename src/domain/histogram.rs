//! Histogram of durations with fixed bounds.

use std::time::Duration;

/// Upper bounds of the buckets, in seconds: from a name look-up to the time limit of a whole fetch and beyond. A duration
/// above the last one counts in the total only.
pub const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Durations by size, with their number and sum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DurationHistogram {
    /// Number of durations up to each bound and above the bound before.
    counts: [u64; BOUNDS.len()],
    total: u64,
    sum: Duration,
}

impl DurationHistogram {
    /// Adds a duration.
    pub fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        if let Some(index) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            self.counts[index] += 1;
        }
        self.total += 1;
        self.sum = self.sum.saturating_add(duration);
    }

    /// Returns each bound, in seconds, with the number of durations between the bound before and this one.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS.into_iter().zip(self.counts)
    }

    /// Returns the number of all durations.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns the sum of all durations.
    pub const fn sum(&self) -> Duration {
        self.sum
    }
}

/// Number of durations by size: one for each of [`BOUNDS`], and one for those above the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurationCounts([u64; BOUNDS.len() + 1]);

impl DurationCounts {
    /// Adds durations of one bucket; those of an unknown one count as the longest.
    pub fn add(&mut self, bucket: usize, number: u64) {
        self.0[bucket.min(BOUNDS.len())] += number;
    }

    /// Adds the durations of another.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, other)| *count += other);
    }

    /// Returns the counts as a JSON array.
    pub fn packed(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Reads a JSON array; `None` if it is not one of numbers. Buckets that are missing are empty.
    pub fn unpack(packed: &str) -> Option<Self> {
        let numbers: Vec<u64> = serde_json::from_str(packed).ok()?;
        let mut counts = Self::default();
        numbers.into_iter().enumerate().for_each(|(bucket, number)| counts.add(bucket, number));
        Some(counts)
    }

    /// Returns the duration that a share of all durations, from 0 to 1, does not exceed; within a bucket they are taken
    /// as evenly spread. `None` without a duration. Of those above the last bound only that is known.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let total: u64 = self.0.iter().sum();
        if total == 0 {
            return None;
        }
        let rank = share * total as f64;
        let (mut below, mut from) = (0.0, 0.0);
        for (count, bound) in self.0.into_iter().zip(BOUNDS) {
            let count = count as f64;
            if count > 0.0 && below + count >= rank {
                let part = ((rank - below) / count).clamp(0.0, 1.0);
                return Some(Duration::from_secs_f64(from + (bound - from) * part));
            }
            (below, from) = (below + count, bound);
        }
        Some(Duration::from_secs_f64(from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_packed_merged_and_asked_for_quantiles() {
        let mut counts = DurationCounts::default();
        assert_eq!(counts.quantile(0.5), None);
        // 90 of up to 100 ms and more than 50, 10 of up to 30 s and more than 10.
        counts.add(4, 90);
        counts.add(11, 10);
        assert_eq!(DurationCounts::unpack(&counts.packed()), Some(counts.clone()));
        assert_eq!(counts.quantile(0.9), Some(Duration::from_millis(100)));
        assert_eq!(counts.quantile(0.45), Some(Duration::from_millis(75)));
        assert_eq!(counts.quantile(0.95), Some(Duration::from_secs(20)));
        let mut slow = DurationCounts::default();
        slow.add(99, 200);
        slow.merge(&counts);
        assert_eq!(slow.quantile(0.95), Some(Duration::from_secs(300)), "the last bound");
        assert_eq!(DurationCounts::unpack("[1,2]").map(|counts| counts.0[1]), Some(2));
        assert_eq!(DurationCounts::unpack("{}"), None);
    }
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_duration_is_counted_once(micros in prop::collection::vec(0_u64..1_000_000_000, 0..50)) {
            let mut histogram = DurationHistogram::default();
            micros.iter().for_each(|micros| histogram.observe(Duration::from_micros(*micros)));
            prop_assert_eq!(histogram.total(), micros.len() as u64);
            prop_assert_eq!(histogram.sum(), Duration::from_micros(micros.iter().sum()));
            let mut below = 0.0;
            for (bound, count) in histogram.buckets() {
                let within = |micros: &&u64| {
                    let seconds = Duration::from_micros(**micros).as_secs_f64();
                    seconds <= bound && (seconds > below || below == 0.0)
                };
                prop_assert_eq!(count, micros.iter().filter(within).count() as u64);
                below = bound;
            }
        }
    }
}
