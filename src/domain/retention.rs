//! Retention: how long outcomes, ended jobs and earlier texts are kept. A pure rule decides which outcomes may be removed;
//! the store removes them in small steps.

use crate::domain::id::Seq;
use crate::domain::time::Timestamp;
use std::time::Duration;

/// Age up to which an outcome is kept whatever their number is: followers of the log, and figures of the last hour, must
/// not lose what they have not read.
pub const MIN_OUTCOME_AGE: Duration = Duration::from_secs(86_400);

/// Settings of `[retention]`. `None` keeps for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Age from which outcomes are removed.
    pub outcomes: Option<Duration>,
    /// Number of outcomes above which the oldest are removed, if they are older than [`MIN_OUTCOME_AGE`].
    pub max_outcomes: Option<u64>,
    /// Time after its end from which a job is removed.
    pub jobs: Option<Duration>,
    /// Number of earlier texts that are kept of each document.
    pub versions: u32,
}

impl Default for Retention {
    /// Keeps a store of 20,000 documents with one sync a day below 200 MB, apart from its texts.
    fn default() -> Self {
        Self {
            outcomes: Some(Duration::from_secs(90 * 86_400)),
            max_outcomes: Some(200_000),
            jobs: Some(Duration::from_secs(90 * 86_400)),
            versions: 5,
        }
    }
}

/// Limits on the outcomes that may be removed, whatever their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutcomeBounds {
    /// Number of the newest outcome.
    pub last: Seq,
    /// Lowest number of an outcome whose message a subscriber has not received; `None` if all are delivered.
    pub undelivered: Option<Seq>,
}

impl Retention {
    /// Returns the number up to which outcomes may be removed at the time `now`; `None` if none may be. `oldest` are the
    /// oldest outcomes, in the order of their numbers, without a gap. The result is the number of one of them, so what is
    /// removed is a prefix of the log, and never reaches an undelivered message. A time that lies in the future comes
    /// from a clock that was wrong, and is no reason to keep an outcome for longer than those after it.
    pub fn removable_outcomes(
        &self,
        oldest: &[(Seq, Timestamp)],
        bounds: OutcomeBounds,
        now: Timestamp,
    ) -> Option<Seq> {
        let surplus = self.max_outcomes.map(|max| bounds.last.0.saturating_sub(i64::try_from(max).unwrap_or(i64::MAX)));
        let mut removable = None;
        for &(seq, at) in oldest {
            if bounds.undelivered.is_some_and(|undelivered| seq >= undelivered) {
                break;
            }
            if at > now {
                continue;
            }
            let age = now.since(at);
            let is_old = self.outcomes.is_some_and(|most| age >= most);
            let is_surplus = surplus.is_some_and(|surplus| seq.0 <= surplus) && age >= MIN_OUTCOME_AGE;
            if !is_old && !is_surplus {
                break;
            }
            removable = Some(seq);
        }
        removable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn days_ago(days: &[i32]) -> Vec<(Seq, Timestamp)> {
        let at = |days: i32| match u32::try_from(days) {
            Ok(days) => NOW.minus(DAY * days),
            Err(_) => NOW.plus(DAY * days.unsigned_abs()),
        };
        (1..).map(Seq).zip(days.iter().map(|days| at(*days))).collect()
    }

    fn bounds(last: i64) -> OutcomeBounds {
        OutcomeBounds { last: Seq(last), undelivered: None }
    }

    #[test]
    fn outcomes_are_removed_by_age_and_by_number_but_never_on_their_first_day() {
        let keep = Retention { outcomes: Some(DAY * 90), max_outcomes: Some(2), ..Retention::default() };
        let oldest = days_ago(&[200, 91, 90, 89, 3, 0]);
        assert_eq!(keep.removable_outcomes(&oldest, bounds(6), NOW), Some(Seq(4)), "by number");
        let by_age = Retention { max_outcomes: None, ..keep.clone() };
        assert_eq!(by_age.removable_outcomes(&oldest, bounds(6), NOW), Some(Seq(3)));
        let for_ever = Retention { outcomes: None, ..by_age };
        assert_eq!(for_ever.removable_outcomes(&oldest, bounds(6), NOW), None);
        assert_eq!(keep.removable_outcomes(&days_ago(&[0, 0, 0, 0]), bounds(4), NOW), None, "the first day");
        assert_eq!(keep.removable_outcomes(&[], bounds(0), NOW), None);
    }

    #[test]
    fn a_clock_that_was_wrong_keeps_nothing_for_ever() {
        let keep = Retention { max_outcomes: None, ..Retention::default() };
        assert_eq!(keep.removable_outcomes(&days_ago(&[100, -9_000, 99, 5]), bounds(4), NOW), Some(Seq(3)));
        assert_eq!(keep.removable_outcomes(&days_ago(&[100, -9_000, 5]), bounds(3), NOW), Some(Seq(1)));
    }

    proptest! {
        #[test]
        fn what_is_removed_is_a_prefix_before_every_undelivered_message(
            days in prop::collection::vec(-2..200_i32, 0..40),
            undelivered in prop::option::of(0..50_i64),
            max in prop::option::of(0..60_u64),
            age in prop::option::of(1..150_u32),
        ) {
            let keep = Retention { outcomes: age.map(|age| DAY * age), max_outcomes: max, ..Retention::default() };
            let oldest = days_ago(&days);
            let last = days.len() as i64;
            let bounds = OutcomeBounds { last: Seq(last), undelivered: undelivered.map(Seq) };
            if let Some(Seq(removed)) = keep.removable_outcomes(&oldest, bounds, NOW) {
                prop_assert!((1..=last).contains(&removed));
                prop_assert!(undelivered.is_none_or(|undelivered| removed < undelivered));
                for (Seq(seq), at) in oldest.iter().filter(|(seq, at)| seq.0 <= removed && *at <= NOW) {
                    let old = keep.outcomes.is_some_and(|most| NOW.since(*at) >= most);
                    let surplus = max.is_some_and(|max| *seq <= last - max as i64) && NOW.since(*at) >= MIN_OUTCOME_AGE;
                    prop_assert!(old || surplus, "{seq} may not be removed");
                }
            }
        }
    }
}
