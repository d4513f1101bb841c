//! Waits between tries of a service (a database, Redis) that does not answer.
//!
//! The waits between attempts of a *document* are the retry policy's ([`retry`](super::retry)), those of a *host* are
//! its circuit breaker's ([`politeness`](super::politeness)).

use std::time::Duration;

/// A growing wait: each failure in a row takes the next step of the schedule, the last step is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    schedule: &'static [Duration],
    failures: usize,
}

impl Backoff {
    /// For a connection or a statement of this process: a restart of the service is over within seconds, and a
    /// finished attempt is waiting to be written.
    pub const fn of_service() -> Self {
        const SCHEDULE: [Duration; 5] = [
            Duration::from_millis(50),
            Duration::from_millis(250),
            Duration::from_millis(500),
            Duration::from_secs(1),
            Duration::from_secs(2),
        ];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// For the claims of a runner: nothing is lost while they wait, and every worker asks at the same time.
    pub const fn of_claims() -> Self {
        const SCHEDULE: [Duration; 5] = [
            Duration::from_millis(250),
            Duration::from_millis(500),
            Duration::from_secs(1),
            Duration::from_secs(2),
            Duration::from_secs(5),
        ];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// For a wait that is shown as a countdown of whole seconds.
    pub const fn of_countdown() -> Self {
        const SCHEDULE: [Duration; 4] =
            [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3), Duration::from_secs(5)];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// For a message that its receiver did not accept: a mistake there is mended within minutes or hours, and others are
    /// delivered meanwhile.
    pub const fn of_delivery() -> Self {
        const SCHEDULE: [Duration; 6] = [
            Duration::from_secs(2),
            Duration::from_secs(10),
            Duration::from_secs(30),
            Duration::from_secs(2 * 60),
            Duration::from_secs(10 * 60),
            Duration::from_secs(60 * 60),
        ];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// The same after `failures` in a row that were recorded elsewhere.
    pub const fn after(mut self, failures: usize) -> Self {
        self.failures = failures;
        self
    }

    /// Records a failure and returns the wait before the next try.
    pub fn wait(&mut self) -> Duration {
        let last = self.schedule.len().saturating_sub(1);
        let wait = self.schedule.get(self.failures.min(last)).copied().unwrap_or_default();
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// Records a success: the next failure waits for the first step again.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Failures in a row so far.
    pub const fn failures(&self) -> usize {
        self.failures
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::of_service()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_at_the_last_step_and_begin_again_after_a_success() {
        let schedules = [Backoff::of_service(), Backoff::of_claims(), Backoff::of_countdown(), Backoff::of_delivery()];
        for fresh in schedules {
            let mut backoff = fresh.clone();
            let waits: Vec<Duration> = (0..9).map(|_| backoff.wait()).collect();
            assert!(waits.is_sorted() && waits[0] < waits[8] && waits[7] == waits[8], "{waits:?}");
            assert_eq!(backoff.failures(), 9);
            for (failures, wait) in waits.iter().enumerate() {
                assert_eq!(fresh.clone().after(failures).wait(), *wait);
            }
            backoff.reset();
            assert_eq!((backoff.wait(), backoff.failures()), (waits[0], 1));
        }
    }
}
