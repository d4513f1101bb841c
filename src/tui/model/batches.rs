//! The batches (acts on many documents) that the console knows, and the one of its status line.

use super::reads::ReadState;
use crate::domain::batch::{BatchPhase, BatchState, BatchSummary};
use crate::domain::id::BatchId;
use crate::domain::time::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// Shortest time between two reads while a batch is under way: its members are counted at each.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// Time over which the rate of a batch is averaged.
const RATE_TIME: Duration = Duration::from_secs(20);

/// The batches that the console knows.
#[derive(Clone, Debug, Default)]
pub struct BatchList {
    /// Those that have not ended, and the newest others; the newest first.
    pub list: Vec<BatchSummary>,
    pub read: ReadState,
    /// Time of the last successful read.
    pub read_at: Option<Timestamp>,
    /// Batches that this console has made or resumed.
    own: BTreeSet<BatchId>,
    /// The own batch that ended last and whose results the person has not dismissed.
    ended: Option<BatchId>,
    /// Number of requested batches that are not made yet.
    pub beginning: u32,
    /// The person wants to undo the next batch as soon as it is made.
    pub is_undo_wanted: bool,
    /// Numbers of members with which the shown batch was done, with the times of the reads, the oldest first.
    samples: VecDeque<(Timestamp, u64)>,
    sampled: Option<BatchId>,
}

impl BatchList {
    /// Notes a batch that this console acts on. Earlier results are no longer shown.
    pub fn add_own(&mut self, batch: BatchId) {
        self.own.insert(batch);
        self.ended = None;
    }

    /// Stores what was read at `now`. Returns true if something on the screen changes.
    pub fn take(&mut self, now: Timestamp, list: Vec<BatchSummary>) -> bool {
        let is_over = |batch: &BatchSummary| matches!(batch.phase(), BatchPhase::Ended(_));
        for batch in list.iter().filter(|batch| is_over(batch)) {
            if self.own.remove(&batch.id) && batch.phase() != BatchPhase::Ended(BatchState::Undone) {
                self.ended = Some(batch.id);
            }
        }
        let rate = self.rate();
        let changed = self.list != list;
        (self.list, self.read_at) = (list, Some(now));
        self.sample(now);
        changed || rate != self.rate()
    }

    fn sample(&mut self, now: Timestamp) {
        let working = self.shown().filter(|batch| batch.phase() == BatchPhase::Working);
        let Some((id, ended)) = working.map(|batch| (batch.id, batch.counts.ended())) else {
            self.samples.clear();
            return;
        };
        if self.sampled != Some(id) {
            self.samples.clear();
            self.sampled = Some(id);
        }
        self.samples.push_back((now, ended));
        while self.samples.len() > 2 && self.samples.front().is_some_and(|(at, _)| now.since(*at) > RATE_TIME) {
            self.samples.pop_front();
        }
    }

    /// Returns the members per second with which the shown batch was done lately; `None` if that is not known.
    pub fn rate(&self) -> Option<f64> {
        let ((from, before), (to, after)) = (self.samples.front()?, self.samples.back()?);
        let seconds = to.since(*from).as_secs_f64();
        (seconds >= 1.0 && after > before).then(|| (after - before) as f64 / seconds)
    }

    /// Returns the batch of the status line: one of this console first, then one that somebody has to decide about.
    pub fn shown(&self) -> Option<&BatchSummary> {
        let rank = |batch: &BatchSummary| match (batch.phase(), self.own.contains(&batch.id)) {
            (BatchPhase::Waiting, true) => Some(0),
            (BatchPhase::Working | BatchPhase::Stopping, true) => Some(1),
            (BatchPhase::Ended(_), _) => (self.ended == Some(batch.id)).then_some(2),
            (BatchPhase::Left, _) => Some(3),
            (BatchPhase::Paused, _) => Some(4),
            (BatchPhase::Waiting | BatchPhase::Working | BatchPhase::Stopping, false) => Some(5),
        };
        let ranked = self.list.iter().filter_map(|batch| Some((rank(batch)?, batch)));
        ranked.min_by_key(|(rank, batch)| (*rank, Reverse(batch.id))).map(|(_, batch)| batch)
    }

    /// Returns the newest batch of this console that can be undone.
    pub fn undoable(&self) -> Option<&BatchSummary> {
        self.list.iter().find(|batch| batch.phase() == BatchPhase::Waiting && self.own.contains(&batch.id))
    }

    /// Stops to show the results of the batch that ended last.
    pub fn dismiss(&mut self) {
        self.ended = None;
    }

    /// Returns the time to wait before the next read.
    pub fn wait(&self, now: Timestamp) -> Duration {
        let is_under_way = self.list.iter().any(|batch| batch.ended_at.is_none());
        let read_at = self.read_at.filter(|_| is_under_way);
        read_at.map_or(Duration::ZERO, |at| at.plus(MIN_INTERVAL).since(now))
    }

    /// Returns true if time alone may change a batch: the process that acts on its members may be gone.
    pub fn depends_on_time(&self) -> bool {
        self.list.iter().any(|batch| batch.holder.is_some() && batch.counts.waiting > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::batch::{BatchAct, BatchCounts, BatchOrigin, BatchSelection};

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000).plus(Duration::from_secs(seconds))
    }

    fn batch(id: i64, state: BatchState, waiting: u64, queued: u64) -> BatchSummary {
        BatchSummary {
            id: BatchId(id),
            act: BatchAct::Sync,
            origin: BatchOrigin::Console,
            selection: BatchSelection::Marked,
            filter: None,
            created_at: at(0),
            created_by: "ana".into(),
            begins_at: at(5),
            state,
            holder: Some("vm:7".into()),
            ended_at: None,
            counts: BatchCounts { waiting, queued, done: 100 - waiting - queued, ..BatchCounts::default() },
        }
    }

    #[test]
    fn the_status_line_has_the_batch_that_matters_most() {
        let mut batches = BatchList::default();
        let shown = |batches: &BatchList| batches.shown().map(|batch| batch.id.0);
        let left = BatchSummary { holder: None, ..batch(1, BatchState::Acting, 40, 0) };
        let foreign = batch(2, BatchState::Acting, 0, 9);
        assert!(batches.take(at(0), vec![foreign.clone(), left.clone()]));
        assert_eq!(shown(&batches), Some(1), "somebody has to decide about it");
        batches.add_own(BatchId(3));
        batches.take(at(1), vec![batch(3, BatchState::Waiting, 100, 0), foreign.clone(), left.clone()]);
        assert_eq!((shown(&batches), batches.undoable().map(|batch| batch.id.0)), (Some(3), Some(3)));
        batches.take(at(2), vec![batch(3, BatchState::Acting, 0, 100), foreign.clone(), left.clone()]);
        assert_eq!((shown(&batches), batches.undoable().is_none()), (Some(3), true));
        batches.take(at(12), vec![batch(3, BatchState::Acting, 0, 80), foreign.clone(), left.clone()]);
        assert_eq!(batches.rate(), Some(2.0));
        batches.take(at(13), vec![batch(3, BatchState::Done, 0, 0), foreign.clone(), left.clone()]);
        assert_eq!((shown(&batches), batches.rate()), (Some(3), None), "its results");
        batches.dismiss();
        assert_eq!(shown(&batches), Some(1));
        batches.take(at(14), vec![batch(3, BatchState::Done, 0, 0), foreign]);
        assert_eq!(shown(&batches), Some(2));
    }

    #[test]
    fn members_are_counted_at_most_once_a_second() {
        let mut batches = BatchList::default();
        assert_eq!(batches.wait(at(0)), Duration::ZERO);
        batches.take(at(0), Vec::new());
        assert_eq!(batches.wait(at(0)), Duration::ZERO, "nothing is counted");
        batches.take(at(1), vec![batch(1, BatchState::Acting, 0, 9)]);
        assert_eq!((batches.wait(at(1)), batches.wait(at(9))), (Duration::from_secs(1), Duration::ZERO));
        assert!(!batches.depends_on_time());
        batches.take(at(2), vec![batch(1, BatchState::Acting, 5, 0)]);
        assert!(batches.depends_on_time(), "its lease ends");
    }
}
