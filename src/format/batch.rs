//! Batches (acts on many documents) as text.

use super::number::{count, number};
use super::time::until;
use crate::domain::batch::{BatchPhase, BatchState, BatchSummary};
use crate::domain::time::Timestamp;

/// Returns what a batch does, and to how many documents: `sync 2,000 documents`.
pub fn batch_title(batch: &BatchSummary) -> String {
    format!("{} {}", batch.act.verb(), count(batch.counts.total(), "document"))
}

/// Returns what became of the members so far: `1,969 synced, 31 failed`; empty if nothing did.
pub fn batch_results(batch: &BatchSummary) -> String {
    let counts = &batch.counts;
    let mut parts = Vec::new();
    for (members, word) in [
        (counts.done, batch.act.past_tense()),
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
        (counts.skipped, "skipped"),
        (counts.moved, "moved to a later batch"),
    ] {
        if members > 0 {
            parts.push(format!("{} {word}", number(members)));
        }
    }
    if batch.state.is_over() && counts.waiting > 0 {
        parts.push(format!("{} not begun", number(counts.waiting)));
    }
    parts.join(", ")
}

/// Returns what the batch does at `now`: `begins in 4s`, `working`, `left unfinished`.
pub fn batch_phase(batch: &BatchSummary, now: Timestamp) -> String {
    match batch.phase() {
        BatchPhase::Waiting if batch.begins_at > now => format!("begins {}", until(now, batch.begins_at)),
        BatchPhase::Waiting => "begins now".to_owned(),
        BatchPhase::Working => "working".to_owned(),
        BatchPhase::Paused => "paused".to_owned(),
        BatchPhase::Left => "left unfinished".to_owned(),
        BatchPhase::Stopping => "stopping".to_owned(),
        BatchPhase::Ended(BatchState::Stopped) => "stopped".to_owned(),
        BatchPhase::Ended(BatchState::Undone) => "undone".to_owned(),
        BatchPhase::Ended(_) => "done".to_owned(),
    }
}

/// Description of the documents that a filter without terms selects.
pub const EVERY_DOCUMENT: &str = "every document";

/// Returns how the documents of a batch were selected.
pub fn batch_selection(batch: &BatchSummary) -> String {
    use crate::domain::batch::BatchSelection::{Due, Filter, Marked, Named};
    match (batch.selection, batch.filter.as_deref()) {
        (Filter, None | Some("")) => EVERY_DOCUMENT.to_owned(),
        (Filter, Some(filter)) => filter.to_owned(),
        (Named, _) => "named one by one".to_owned(),
        (Marked, _) => "marked".to_owned(),
        (Due, _) => "due by their plans".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::batch::{BatchAct, BatchCounts, BatchOrigin, BatchSelection};
    use crate::domain::id::BatchId;
    use std::time::Duration;

    fn batch(state: BatchState, counts: BatchCounts) -> BatchSummary {
        let at = Timestamp::from_micros(1_764_000_000_000_000);
        BatchSummary {
            id: BatchId(12),
            act: BatchAct::Retry,
            origin: BatchOrigin::Console,
            selection: BatchSelection::Filter,
            filter: Some("host:a.test".into()),
            created_at: at,
            created_by: "ana".into(),
            begins_at: at.plus(Duration::from_secs(5)),
            state,
            holder: Some("vm:7".into()),
            ended_at: None,
            counts,
        }
    }

    #[test]
    fn a_batch_says_what_it_does_and_what_it_has_done() {
        let counts = BatchCounts { waiting: 1_200, ..BatchCounts::default() };
        let waiting = batch(BatchState::Waiting, counts);
        assert_eq!(batch_title(&waiting), "retry 1,200 documents");
        assert_eq!(batch_phase(&waiting, waiting.created_at), "begins in 0:05");
        assert_eq!(batch_phase(&waiting, waiting.begins_at), "begins now");
        assert_eq!((batch_results(&waiting), batch_selection(&waiting)), (String::new(), "host:a.test".to_owned()));
        let counts = BatchCounts { done: 1_969, failed: 31, waiting: 2, ..BatchCounts::default() };
        let stopped = batch(BatchState::Stopped, counts);
        assert_eq!(batch_results(&stopped), "1,969 synced, 31 failed, 2 not begun");
        assert_eq!(batch_phase(&stopped, stopped.begins_at), "stopped");
        assert_eq!(batch_results(&batch(BatchState::Acting, counts)), "1,969 synced, 31 failed");
    }
}
