//! Counts of the outcomes that this process has recorded.

use crate::domain::histogram::DurationHistogram;
use crate::domain::outcome::{Outcome, OutcomeResult};
use std::time::Duration;

/// Number of outcomes by result, and the durations of attempts.
#[derive(Clone)]
pub(super) struct Tally {
    /// Each result, from the start on, so that the first increase is seen.
    results: Vec<(OutcomeResult, u64)>,
    pub(super) durations: DurationHistogram,
}

impl Default for Tally {
    fn default() -> Self {
        Self { results: OutcomeResult::ALL.map(|result| (result, 0)).into(), durations: DurationHistogram::default() }
    }
}

impl Tally {
    pub(super) fn count(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            for (_, count) in self.results.iter_mut().filter(|(result, _)| *result == outcome.result) {
                *count += 1;
            }
            // An exhaustion repeats the duration of its failure, if any.
            if outcome.result.kind().ends_attempt()
                && let Some(ms) = outcome.duration_ms
            {
                self.durations.observe(Duration::from_millis(ms));
            }
        }
    }

    /// Returns the number of ended attempts by result.
    pub(super) fn attempts(&self) -> impl Iterator<Item = (OutcomeResult, u64)> {
        self.results.iter().copied().filter(|(result, _)| result.kind().ends_attempt())
    }

    /// Returns the number of jobs that were given up, by result.
    pub(super) fn exhaustions(&self) -> impl Iterator<Item = (OutcomeResult, u64)> {
        self.results.iter().copied().filter(|(result, _)| result.is_exhaustion())
    }
}
