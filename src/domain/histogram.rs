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

#[cfg(test)]
mod tests {
    use super::*;
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
