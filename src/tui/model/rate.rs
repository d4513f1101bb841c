//! Attempts per second, from the outcomes that arrive.

use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Seconds that are kept.
pub const SECONDS: usize = 20;
/// Seconds over which the figure is a mean.
const MEAN: usize = 5;

/// Attempts in each of the last seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// The second of the newest slot, since 1970.
    newest: i64,
    /// One slot a second, oldest first.
    slots: VecDeque<u32>,
    /// When the first outcome was counted.
    begun: Option<i64>,
}

impl Rate {
    /// Counts an outcome at the second in which it was recorded. What is no attempt's end does not count.
    pub fn count(&mut self, outcome: &Outcome) {
        let ends_attempt = !outcome.result.is_exhaustion()
            && !matches!(
                outcome.result,
                OutcomeResult::AlreadySyncing | OutcomeResult::Cancelled | OutcomeResult::Purged
            );
        if !ends_attempt {
            return;
        }
        let at = second(outcome.at);
        self.begun = Some(self.begun.map_or(at, |begun| begun.min(at)));
        self.turn_to(at);
        if let Ok(back) = usize::try_from(self.newest - at)
            && let Some(place) = self.slots.len().checked_sub(back + 1)
            && let Some(slot) = self.slots.get_mut(place)
        {
            *slot += 1;
        }
    }

    /// The seconds up to `now`, oldest first; the running second is not among them, it is not full yet.
    pub fn history(&self, now: Timestamp) -> Vec<u32> {
        let last = second(now) - 1;
        (0..SECONDS as i64)
            .rev()
            .map(|back| {
                let place = last - back - self.newest + self.slots.len() as i64 - 1;
                usize::try_from(place).ok().and_then(|place| self.slots.get(place)).copied().unwrap_or(0)
            })
            .collect()
    }

    /// Attempts per second over the last few full seconds, or over those since the first outcome.
    pub fn per_second(&self, now: Timestamp) -> f64 {
        let Some(begun) = self.begun else { return 0.0 };
        let history = self.history(now);
        let since = usize::try_from(second(now) - begun).unwrap_or(0);
        let seconds = since.clamp(1, MEAN);
        let sum: u32 = history.iter().rev().take(seconds).sum();
        f64::from(sum) / seconds as f64
    }

    /// Whether a second that passes changes anything that is shown.
    pub fn moves(&self, now: Timestamp) -> bool {
        self.history(now.plus(Duration::from_secs(1))).iter().any(|slot| *slot > 0)
            || self.history(now).iter().any(|slot| *slot > 0)
    }

    fn turn_to(&mut self, at: i64) {
        if self.slots.is_empty() || at - self.newest > SECONDS as i64 {
            self.newest = at;
            self.slots = VecDeque::from([0]);
        }
        while self.newest < at {
            self.newest += 1;
            self.slots.push_back(0);
        }
        while self.slots.len() > SECONDS + 1 {
            self.slots.pop_front();
        }
    }
}

fn second(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}
