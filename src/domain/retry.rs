//! Retry policy: number and spacing of the attempts after a failure. Transient and unexpected failures are counted
//! separately, as in Chatwoot's job, and lost workers in a third counter.

use super::failure::FailureClass;
use std::time::Duration;

/// Longest `Retry-After` that is honoured; longer waits are cut to this.
pub const RETRY_AFTER_CAP: Duration = Duration::from_secs(3_600);
/// Number of lost workers after which a job runs alone: see [`Counters::runs_alone`].
pub const RISKY_FROM: u32 = 2;
/// Number of lost workers after which a job fails for good: [`RISKY_FROM`] that ran it beside others, then two that ran
/// it alone, one [`LAST_ATTEMPT_WAIT`] after the other.
pub const CRASH_LIMIT: u32 = RISKY_FROM + 2;
/// Number of lost workers, forgotten ones included, after which a job fails whatever else is lost: a page that exhausts
/// the memory of a machine stops workers that do not run it, too.
pub const LOSS_LIMIT: u32 = 10;
/// Wait after the first worker that was lost while it ran the job alone. Workers that are lost during this time are lost
/// without the job, so something else stops them; a page that does it stops none meanwhile.
pub const LAST_ATTEMPT_WAIT: Duration = Duration::from_secs(30);

/// Waits between the attempts of a job, per failure class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Waits after transient failures; their number plus one is the number of attempts.
    pub transient_waits: Vec<Duration>,
    /// Waits after unexpected failures; their number plus one is the number of attempts.
    pub unexpected_waits: Vec<Duration>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            transient_waits: [30, 120, 300].map(Duration::from_secs).into(),
            unexpected_waits: [5, 5].map(Duration::from_secs).into(),
        }
    }
}

impl RetryPolicy {
    /// Returns the number of attempts that a class allows, the first one included.
    pub fn attempts(&self, class: FailureClass) -> u32 {
        let waits = match class {
            FailureClass::Permanent => 0,
            FailureClass::Transient => self.transient_waits.len(),
            FailureClass::Unexpected => self.unexpected_waits.len(),
        };
        u32::try_from(waits).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Returns the wait after the `failures`-th failure of `class`, from 1; `None` if that was the last attempt. A
    /// server's `retry_after` may lengthen the wait after a transient failure, never shorten it.
    pub fn wait(&self, class: FailureClass, failures: u32, retry_after: Option<Duration>) -> Option<Duration> {
        let index = usize::try_from(failures.checked_sub(1)?).ok()?;
        match class {
            FailureClass::Permanent => None,
            FailureClass::Transient => {
                let wait = *self.transient_waits.get(index)?;
                Some(wait.max(retry_after.unwrap_or_default().min(RETRY_AFTER_CAP)))
            }
            FailureClass::Unexpected => self.unexpected_waits.get(index).copied(),
        }
    }
}

/// Attempts and failures of a job. The store keeps them, so unlike Chatwoot's they survive restarts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counters {
    /// Number of claims that count as an attempt, including the running attempt.
    pub attempt: u32,
    pub transient: u32,
    pub unexpected: u32,
    /// Number of workers that were lost while they ran the job, including those whose lease a person broke. Those that
    /// were lost while it ran alone are forgotten when workers are lost without such a job.
    pub crashes: u32,
}

/// Cause of a worker's loss, for a job that the worker ran alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossCause {
    /// Nothing but the job is known that may have stopped the worker.
    Suspect,
    /// Workers without such a job are lost, too: by kills from outside, a shortage of memory, a loop of deployments.
    Elsewhere,
}

impl LossCause {
    /// Returns the cause of losses at the same time, from the jobs of each lost worker: elsewhere if one of the workers
    /// ran no job alone.
    pub fn of_losses<'a>(workers: impl IntoIterator<Item = &'a Vec<Counters>>) -> Self {
        let runs_none_alone = |jobs: &Vec<Counters>| !jobs.iter().any(Counters::runs_alone);
        if workers.into_iter().any(runs_none_alone) { Self::Elsewhere } else { Self::Suspect }
    }
}

impl Counters {
    /// Returns true if a worker runs the job only while it runs no other such job: two workers have died while they ran
    /// it, so it may be what kills them, and the next death would be counted for all such jobs beside it. One death says
    /// little: a killed worker has a loss for each of its jobs.
    pub const fn runs_alone(&self) -> bool {
        self.crashes >= RISKY_FROM
    }

    /// Returns the number of attempts whose worker was lost, the forgotten ones and the running attempt included.
    pub(super) const fn losses(self) -> u32 {
        self.attempt.saturating_sub(self.transient + self.unexpected)
    }

    /// Returns true if no further worker may be lost while it runs the job.
    pub(super) const fn are_exhausted(self) -> bool {
        self.crashes >= CRASH_LIMIT || self.losses() >= LOSS_LIMIT
    }

    /// Returns the counters after the loss of a worker that ran the job.
    pub(super) fn lost(self, cause: LossCause) -> Self {
        let crashes = self.crashes + 1;
        match cause {
            LossCause::Suspect => Self { crashes, ..self },
            LossCause::Elsewhere => Self { crashes: crashes.min(RISKY_FROM), ..self },
        }
    }

    /// Returns the number of failures of `class`; permanent ones are not counted, since the first ends the job.
    pub const fn of(&self, class: FailureClass) -> u32 {
        match class {
            FailureClass::Permanent => 0,
            FailureClass::Transient => self.transient,
            FailureClass::Unexpected => self.unexpected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_waits() {
        let policy = RetryPolicy::default();
        let wait = |class, n| policy.wait(class, n, None).map(|wait| wait.as_secs());
        assert_eq!([1, 2, 3, 4].map(|n| wait(FailureClass::Transient, n)), [Some(30), Some(120), Some(300), None]);
        assert_eq!([1, 2, 3].map(|n| wait(FailureClass::Unexpected, n)), [Some(5), Some(5), None]);
        assert_eq!(wait(FailureClass::Permanent, 1), None);
        assert_eq!((policy.attempts(FailureClass::Transient), policy.attempts(FailureClass::Unexpected)), (4, 3));
    }

    #[test]
    fn retry_after_lengthens_up_to_an_hour() {
        let policy = RetryPolicy::default();
        let wait = |asked| policy.wait(FailureClass::Transient, 1, Some(Duration::from_secs(asked)));
        assert_eq!(wait(5), Some(Duration::from_secs(30)));
        assert_eq!(wait(90), Some(Duration::from_secs(90)));
        assert_eq!(wait(90_000), Some(Duration::from_secs(3_600)));
    }
}
