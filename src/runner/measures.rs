//! Figures that a runner gathers about its own work, since its start.

use crate::domain::histogram::DurationHistogram;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The figures of a runner, which its tasks add to.
#[derive(Debug, Default)]
pub struct Measures(Mutex<RunnerFigures>);

/// A copy of a runner's figures.
#[derive(Clone, Debug, Default)]
pub struct RunnerFigures {
    /// Attempts whose lease was lost to another worker, or ended, while they ran.
    pub lost_leases: u64,
    /// Time between the last sign of life of a dead worker and the rescue of its jobs by this one, for each job.
    pub rescue_delays: DurationHistogram,
    /// Time that a claim which found jobs took.
    pub claims: DurationHistogram,
    /// Time from the end of an attempt until its result was on the disk.
    pub writes: DurationHistogram,
}

impl Measures {
    /// Returns a copy of the figures.
    pub fn figures(&self) -> RunnerFigures {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note_lost_lease(&self) {
        self.change(|figures| figures.lost_leases += 1);
    }

    pub(super) fn note_rescues(&self, delays: &[Duration]) {
        self.change(|figures| delays.iter().for_each(|delay| figures.rescue_delays.observe(*delay)));
    }

    pub(super) fn note_claim(&self, took: Duration) {
        self.change(|figures| figures.claims.observe(took));
    }

    pub(super) fn note_write(&self, took: Duration) {
        self.change(|figures| figures.writes.observe(took));
    }

    fn change(&self, change: impl FnOnce(&mut RunnerFigures)) {
        // Every change is complete before anything can panic.
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
