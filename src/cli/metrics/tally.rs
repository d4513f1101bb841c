//! Counts of the outcomes that this process has recorded.

use crate::domain::histogram::DurationHistogram;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::stages::{Stage, Stages};
use std::time::Duration;

/// Number of outcomes by result, and the durations of attempts.
#[derive(Clone)]
pub(super) struct Tally {
    /// Each result, from the start on, so that the first increase is seen.
    results: Vec<(OutcomeResult, u64)>,
    pub(super) durations: DurationHistogram,
    /// Durations of the stages of fetches, in their order.
    stages: [DurationHistogram; Stage::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            results: OutcomeResult::ALL.map(|result| (result, 0)).into(),
            durations: DurationHistogram::default(),
            stages: Stage::ALL.map(|_| DurationHistogram::default()),
        }
    }
}

impl Tally {
    pub(super) fn count(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            for (_, count) in self.results.iter_mut().filter(|(result, _)| *result == outcome.result) {
                *count += 1;
            }
            for (stage, duration) in outcome.stages.into_iter().flat_map(Stages::iter) {
                self.stages[stage as usize].observe(duration);
            }
            // An exhaustion repeats the duration of its failure, if any.
            if outcome.result.kind().ends_attempt()
                && let Some(ms) = outcome.duration_ms
            {
                self.durations.observe(Duration::from_millis(ms));
            }
        }
    }

    /// Returns the durations by stage.
    pub(super) fn stages(&self) -> impl Iterator<Item = (Stage, &DurationHistogram)> {
        Stage::ALL.into_iter().zip(&self.stages)
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
