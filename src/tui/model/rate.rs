//! Attempts per second, counted from the outcomes that arrive.

use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use std::collections::VecDeque;
use std::time::Duration;

/// Number of full seconds in the history.
pub const HISTORY_SECONDS: usize = 20;
/// Number of seconds over which the rate is averaged.
const MEAN_SECONDS: usize = 5;

/// Number of attempts that ended in each of the last seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// The second that the newest slot counts, in seconds since 1970.
    newest: i64,
    /// Slots: the number of attempts that ended in each second, oldest second first.
    slots: VecDeque<u32>,
    /// Time of the earliest counted outcome, in seconds since 1970.
    first_second: Option<i64>,
}

impl Rate {
    /// Counts an outcome in the second in which it was recorded. Outcomes that end no attempt, or are older than the
    /// oldest slot, do not count.
    pub fn count(&mut self, outcome: &Outcome) {
        if !outcome.result.kind().ends_attempt() {
            return;
        }
        let at = second(outcome.at);
        self.first_second = Some(self.first_second.map_or(at, |begun| begun.min(at)));
        self.advance_to(at);
        if let Ok(back) = usize::try_from(self.newest - at)
            && let Some(index) = self.slots.len().checked_sub(back + 1)
            && let Some(slot) = self.slots.get_mut(index)
        {
            *slot += 1;
        }
    }

    /// Returns the counts of the last [`HISTORY_SECONDS`] full seconds before `now`, oldest first. The current second
    /// is left out because it is not over yet.
    pub fn history(&self, now: Timestamp) -> Vec<u32> {
        let last = second(now) - 1;
        (0..HISTORY_SECONDS as i64)
            .rev()
            .map(|back| {
                let index = last - back - self.newest + self.slots.len() as i64 - 1;
                usize::try_from(index).ok().and_then(|index| self.slots.get(index)).copied().unwrap_or(0)
            })
            .collect()
    }

    /// Returns the attempts per second: the mean over the last five full seconds, or over the seconds since the first
    /// outcome if there are fewer. Before the first outcome it is 0.
    pub fn per_second(&self, now: Timestamp) -> f64 {
        let Some(begun) = self.first_second else { return 0.0 };
        let history = self.history(now);
        let since = usize::try_from(second(now) - begun).unwrap_or(0);
        let seconds = since.clamp(1, MEAN_SECONDS);
        let sum: u32 = history.iter().rev().take(seconds).sum();
        f64::from(sum) / seconds as f64
    }

    /// Returns true if the displayed counts may change within the next second.
    pub fn changes_next_second(&self, now: Timestamp) -> bool {
        self.history(now.plus(Duration::from_secs(1))).iter().any(|slot| *slot > 0)
            || self.history(now).iter().any(|slot| *slot > 0)
    }

    fn advance_to(&mut self, at: i64) {
        if self.slots.is_empty() || at - self.newest > HISTORY_SECONDS as i64 {
            self.newest = at;
            self.slots = VecDeque::from([0]);
        }
        while self.newest < at {
            self.newest += 1;
            self.slots.push_back(0);
        }
        while self.slots.len() > HISTORY_SECONDS + 1 {
            self.slots.pop_front();
        }
    }
}

fn second(at: Timestamp) -> i64 {
    at.micros().div_euclid(1_000_000)
}
