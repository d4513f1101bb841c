//! Back-off between attempts to use a service (a database, Redis) that does not respond.
//!
//! The retry policy ([`retry`](super::retry)) sets the waits between attempts on a *document*. The circuit breaker
//! ([`host_backoff`](super::host_backoff)) sets the periods in which nothing is fetched from a *host*.

use std::time::Duration;

/// Growing wait: each consecutive failure uses the next step of the schedule, and the last step repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backoff {
    schedule: &'static [Duration],
    failures: usize,
}

impl Backoff {
    /// Creates the back-off for a connection or a statement of this process, from 50 ms to 300 ms. The waits are short,
    /// because a finished attempt may be waiting to be written: within a second after the service is back, it is.
    pub const fn of_service() -> Self {
        const SCHEDULE: [Duration; 4] = [
            Duration::from_millis(50),
            Duration::from_millis(100),
            Duration::from_millis(200),
            Duration::from_millis(300),
        ];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// Creates the back-off for the claims of a runner, from 200 ms to 600 ms. The waits are longer, because a late claim
    /// loses nothing, and all workers retry at the same time.
    pub const fn of_claims() -> Self {
        const SCHEDULE: [Duration; 3] =
            [Duration::from_millis(200), Duration::from_millis(400), Duration::from_millis(600)];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// Creates the back-off for a wait that is displayed as a countdown, in whole seconds from 1 s to 5 s.
    pub const fn of_countdown() -> Self {
        const SCHEDULE: [Duration; 4] =
            [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(3), Duration::from_secs(5)];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// Creates the back-off for a message that its receiver did not accept, from 2 s to 1 h. The waits are long,
    /// because a mistake at the receiver is fixed within minutes or hours, and other messages are delivered meanwhile.
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

    /// Creates the back-off for a receiver of notifications that does not answer, from 1 s to 5 min: the server is
    /// somebody else's, and is away for minutes rather than seconds.
    pub const fn of_receiver() -> Self {
        const SCHEDULE: [Duration; 6] = [
            Duration::from_secs(1),
            Duration::from_secs(5),
            Duration::from_secs(15),
            Duration::from_secs(60),
            Duration::from_secs(2 * 60),
            Duration::from_secs(5 * 60),
        ];
        Self { schedule: &SCHEDULE, failures: 0 }
    }

    /// Sets the number of consecutive failures, for a caller that stores the number itself.
    pub const fn after(mut self, failures: usize) -> Self {
        self.failures = failures;
        self
    }

    /// Records a failure and returns the wait before the next attempt.
    pub fn wait(&mut self) -> Duration {
        let last = self.schedule.len().saturating_sub(1);
        let wait = self.schedule.get(self.failures.min(last)).copied().unwrap_or_default();
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// Records a success: the next failure starts with the first step.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Returns the number of consecutive failures so far.
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
        let of_receivers = [Backoff::of_delivery(), Backoff::of_receiver()];
        let of_services = [Backoff::of_service(), Backoff::of_claims(), Backoff::of_countdown()];
        let schedules: Vec<Backoff> = of_services.into_iter().chain(of_receivers).collect();
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
        // A connection and what needs it have one each: the first outcome comes within a second after an outage.
        let longest = |backoff: Backoff| backoff.after(100).wait();
        assert!(longest(Backoff::of_service()) + longest(Backoff::of_claims()) < Duration::from_secs(1));
    }
}
