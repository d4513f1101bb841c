//! What people see of a batch.

use super::{BatchAct, BatchCounts, BatchOrder, BatchOrigin, BatchSelection, BatchState};
use crate::domain::id::BatchId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;

/// A batch with the counts of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchSummary {
    pub id: BatchId,
    pub act: BatchAct,
    pub origin: BatchOrigin,
    pub selection: BatchSelection,
    /// The filter that selected the documents; empty for every document, `None` if no filter did.
    pub filter: Option<SafeLine>,
    pub created_at: Timestamp,
    pub created_by: SafeLine,
    /// Time at which it begins, UTC; until then it can be undone.
    pub begins_at: Timestamp,
    pub state: BatchState,
    /// Name of the process that acts on the members, `None` if that process is gone, or no member waits.
    pub holder: Option<SafeLine>,
    /// Time of the end, UTC; `None` until nothing of it waits or runs.
    pub ended_at: Option<Timestamp>,
    pub counts: BatchCounts,
}

/// What a batch does now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchPhase {
    /// It gathers its members or waits for its begin.
    Waiting,
    Working,
    Paused,
    /// Members wait, and the process that acted on them is gone.
    Left,
    /// Stopped, while running attempts come to their end.
    Stopping,
    Ended(BatchState),
}

impl BatchSummary {
    /// Returns what the batch does now.
    pub const fn phase(&self) -> BatchPhase {
        let is_left = self.holder.is_none() && self.counts.waiting > 0;
        match self.state {
            BatchState::Gathering | BatchState::Waiting | BatchState::Acting if is_left => BatchPhase::Left,
            BatchState::Gathering | BatchState::Waiting => BatchPhase::Waiting,
            BatchState::Acting if self.counts.left() == 0 => BatchPhase::Ended(BatchState::Done),
            BatchState::Acting => BatchPhase::Working,
            BatchState::Paused => BatchPhase::Paused,
            BatchState::Stopped if self.counts.live() > 0 => BatchPhase::Stopping,
            over => BatchPhase::Ended(over),
        }
    }

    /// Returns true if the batch has come to its end and the store has not noted that yet.
    pub const fn is_to_be_finished(&self) -> bool {
        self.ended_at.is_none() && matches!(self.phase(), BatchPhase::Ended(_))
    }

    /// Returns true if a person may give the batch this order now.
    pub const fn takes(&self, order: BatchOrder) -> bool {
        match (self.phase(), order) {
            (BatchPhase::Ended(_), _) => false,
            // One whose process died at it left jobs in the queue.
            (BatchPhase::Paused, BatchOrder::Pause) => self.counts.queued > 0,
            // Another process acts on them.
            (BatchPhase::Waiting | BatchPhase::Working, BatchOrder::Resume) => false,
            _ => self.state.after(order).is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(state: BatchState, waiting: u64, queued: u64, is_held: bool) -> BatchSummary {
        BatchSummary {
            id: BatchId(1),
            act: BatchAct::Sync,
            origin: BatchOrigin::Console,
            selection: BatchSelection::Marked,
            filter: None,
            created_at: Timestamp::from_micros(0),
            created_by: "ana".into(),
            begins_at: Timestamp::from_micros(0),
            state,
            holder: is_held.then(|| "vm:7".into()),
            ended_at: None,
            counts: BatchCounts { waiting, queued, done: 3, ..BatchCounts::default() },
        }
    }

    #[test]
    fn the_phase_tells_a_batch_that_was_left_from_one_that_goes_on() {
        use BatchState::{Acting, Paused, Stopped, Undone, Waiting};
        for (state, waiting, queued, is_held, phase) in [
            (Waiting, 5, 0, true, BatchPhase::Waiting),
            (Waiting, 5, 0, false, BatchPhase::Left),
            (Acting, 5, 2, true, BatchPhase::Working),
            (Acting, 5, 2, false, BatchPhase::Left),
            (Acting, 0, 2, false, BatchPhase::Working),
            (Acting, 0, 0, false, BatchPhase::Ended(BatchState::Done)),
            (Paused, 5, 0, false, BatchPhase::Paused),
            (Stopped, 5, 2, false, BatchPhase::Stopping),
            (Stopped, 5, 0, false, BatchPhase::Ended(Stopped)),
            (Undone, 8, 0, false, BatchPhase::Ended(Undone)),
        ] {
            assert_eq!(batch(state, waiting, queued, is_held).phase(), phase, "{state:?} {waiting} {queued} {is_held}");
        }
    }

    #[test]
    fn only_a_batch_that_nobody_carries_on_is_resumed() {
        let takes = |state, waiting, is_held| batch(state, waiting, 1, is_held).takes(BatchOrder::Resume);
        assert!(!takes(BatchState::Acting, 5, true) && !takes(BatchState::Acting, 0, false));
        assert!(takes(BatchState::Acting, 5, false) && takes(BatchState::Paused, 5, false));
        assert!(!takes(BatchState::Gathering, 5, false), "it has not all of its members");
        let gathering = batch(BatchState::Gathering, 5, 0, false);
        assert!(gathering.takes(BatchOrder::Stop));
        let stopped = |live| batch(BatchState::Stopped, 5, live, false);
        assert!(stopped(1).takes(BatchOrder::Stop), "the process that stopped it may have died at it");
        assert!(!stopped(1).takes(BatchOrder::Pause) && !stopped(0).takes(BatchOrder::Stop));
    }
}
