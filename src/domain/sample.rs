//! Samples: what happened in one minute of a store, and how long its queue was after it. A minute in which nobody took a
//! sample is unknown, which is not the same as quiet.

use super::histogram::DurationCounts;
use super::outcome::OutcomeResult;
use super::time::Timestamp;
use std::ops::AddAssign;
use std::time::Duration;

/// Time for which samples are kept.
pub const KEPT: Duration = Duration::from_secs(7 * 86_400);
/// Length of a sample.
pub const MINUTE: Duration = Duration::from_secs(60);

/// Outcomes of attempts by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResultCounts([u64; COUNTED.len()]);

/// The results that are counted. The first ones end an attempt; the exhaustions, which share an entry, follow a failure
/// that is counted, too.
const COUNTED: [OutcomeResult; 7] = [
    OutcomeResult::Updated,
    OutcomeResult::Unchanged,
    OutcomeResult::PermanentFailure,
    OutcomeResult::TransientFailure,
    OutcomeResult::UnexpectedFailure,
    OutcomeResult::WorkerLost,
    OutcomeResult::TransientRetryExhausted,
];

impl ResultCounts {
    /// Number of entries.
    pub const LEN: usize = COUNTED.len();

    /// Creates counts from their entries.
    pub const fn from_entries(entries: [u64; Self::LEN]) -> Self {
        Self(entries)
    }

    /// Returns the entries: updated, unchanged, permanent, transient and unexpected failures, lost workers, jobs that
    /// were given up.
    pub const fn entries(self) -> [u64; Self::LEN] {
        self.0
    }

    /// Adds outcomes. Those of other results, such as a refusal, are not counted.
    pub fn add(&mut self, result: OutcomeResult, number: u64) {
        let counted = if result.is_exhaustion() { OutcomeResult::TransientRetryExhausted } else { result };
        if let Some(index) = COUNTED.iter().position(|known| *known == counted) {
            self.0[index] += number;
        }
    }

    /// Returns the number of attempts.
    pub fn attempts(self) -> u64 {
        self.0[..Self::LEN - 1].iter().sum()
    }

    pub const fn updated(self) -> u64 {
        self.0[0]
    }

    pub const fn unchanged(self) -> u64 {
        self.0[1]
    }

    /// Returns the number of jobs that ended with a failure.
    pub const fn failed(self) -> u64 {
        self.0[2] + self.0[6]
    }

    /// Returns the number of failures after which the document is attempted again, or given up.
    pub const fn retrying(self) -> u64 {
        self.0[3] + self.0[4]
    }

    pub const fn lost(self) -> u64 {
        self.0[5]
    }
}

impl AddAssign for ResultCounts {
    fn add_assign(&mut self, other: Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, other)| *count += other);
    }
}

/// The queue at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLevel {
    pub ready: u64,
    pub running: u64,
    /// Time for which the oldest ready job has waited; `None` without one.
    pub oldest: Option<Duration>,
}

/// A minute of a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MinuteSample {
    pub results: ResultCounts,
    /// Attempts by duration.
    pub durations: DurationCounts,
    /// The queue some seconds after the minute; `None` for a minute that is not sampled yet.
    pub queue: Option<QueueLevel>,
    /// Size of the store in bytes; `None` for a minute that is not sampled yet.
    pub disk: Option<u64>,
}

impl MinuteSample {
    /// Adds another minute: the outcomes are summed, of the queue the longest counts, of the disk the later one.
    pub fn merge(&mut self, later: &Self) {
        self.results += later.results;
        self.durations.merge(&later.durations);
        self.queue = match (self.queue, later.queue) {
            (Some(one), Some(other)) => Some(QueueLevel {
                ready: one.ready.max(other.ready),
                running: one.running.max(other.running),
                oldest: one.oldest.max(other.oldest),
            }),
            (one, other) => one.or(other),
        };
        self.disk = later.disk.or(self.disk);
    }
}

/// Returns the start of the minute that a time lies in, UTC.
pub fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.micros() - at.micros().rem_euclid(MINUTE.as_micros() as i64))
}

/// Returns the samples as `slots` slots of `length` each, the last of which `now` lies in; `None` for a slot in which
/// no minute is known.
pub fn slots(
    minutes: &[(Timestamp, MinuteSample)],
    now: Timestamp,
    slots: usize,
    length: Duration,
) -> Vec<Option<MinuteSample>> {
    let length = i64::try_from(length.as_micros()).unwrap_or(i64::MAX).max(1);
    let last = now.micros().div_euclid(length);
    let mut found = vec![None; slots];
    for (minute, sample) in minutes {
        let before = usize::try_from(last - minute.micros().div_euclid(length)).ok();
        let Some(index) = before.and_then(|before| slots.checked_sub(before + 1)) else { continue };
        match &mut found[index] {
            Some(slot) => MinuteSample::merge(slot, sample),
            slot => *slot = Some(sample.clone()),
        }
    }
    found
}

/// Returns the sum of all known slots.
pub fn total(slots: &[Option<MinuteSample>]) -> MinuteSample {
    let mut total = MinuteSample::default();
    slots.iter().flatten().for_each(|slot| total.merge(slot));
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(updated: u64, ready: u64) -> MinuteSample {
        let mut sample = MinuteSample::default();
        sample.results.add(OutcomeResult::Updated, updated);
        sample.queue = Some(QueueLevel { ready, ..QueueLevel::default() });
        sample
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(minute * 60_000_000)
    }

    #[test]
    fn a_minute_that_nobody_sampled_is_a_gap_and_a_quiet_one_is_not() {
        let minutes = [(at(100), sample(3, 1)), (at(101), sample(0, 0)), (at(103), sample(5, 2))];
        let by_minute = slots(&minutes, at(103).plus(Duration::from_secs(59)), 4, MINUTE);
        let updated: Vec<_> = by_minute.iter().map(|slot| slot.as_ref().map(|slot| slot.results.updated())).collect();
        assert_eq!(updated, [Some(3), Some(0), None, Some(5)]);
        assert_eq!(total(&by_minute).results.attempts(), 8);
        let longer = slots(&minutes, at(103), 2, MINUTE * 2);
        let of = |slot: &Option<MinuteSample>| {
            slot.as_ref().map(|slot| (slot.results.updated(), slot.queue.map(|queue| queue.ready)))
        };
        assert_eq!(longer.iter().map(of).collect::<Vec<_>>(), [Some((3, Some(1))), Some((5, Some(2)))]);
        assert!(slots(&minutes, at(50), 3, MINUTE).iter().all(Option::is_none), "samples of the future");
        assert!(slots(&minutes, at(500), 3, MINUTE).iter().all(Option::is_none), "samples that are too old");
    }

    #[test]
    fn an_exhaustion_is_no_attempt_but_a_failure() {
        let mut counts = ResultCounts::default();
        for result in OutcomeResult::ALL {
            counts.add(result, 1);
        }
        let attempts = OutcomeResult::ALL.into_iter().filter(|result| result.kind().ends_attempt()).count();
        assert_eq!(counts.attempts(), attempts as u64);
        let failed = OutcomeResult::ALL.into_iter().filter(|result| result.fails_for_good()).count();
        assert_eq!((counts.failed(), counts.retrying(), counts.lost()), (failed as u64, 2, 1));
    }

    #[test]
    fn a_minute_begins_at_its_first_second_before_1970_too() {
        assert_eq!(minute_of(Timestamp::from_micros(59_999_999)), at(0));
        assert_eq!(minute_of(Timestamp::from_micros(60_000_000)), at(1));
        assert_eq!(minute_of(Timestamp::from_micros(-1)), at(-1));
    }
}
