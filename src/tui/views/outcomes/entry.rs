//! One entry of the outcome panel: an outcome, together with later outcomes that are shown in the same entry.

use crate::domain::content::ContentChange;
use crate::domain::id::Seq;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::text::SafeLine;
use std::collections::VecDeque;

/// Number of newest entries that are searched for the failure before an exhaustion (the outcome that ends the retries).
/// A small number is enough, because the store writes both outcomes together.
const EXHAUSTION_SCAN_LIMIT: usize = 64;

/// An outcome, with the exhaustion (the outcome that ends the retries) if one followed, or a run of equal outcomes of a
/// bulk action (cancelled or purged jobs).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The outcome; for a run, the first outcome.
    pub outcome: Outcome,
    /// Number of outcomes in the entry, without the exhaustion.
    pub count: u64,
    /// The exhaustion that followed the failure; also set if `outcome` is itself an exhaustion.
    pub exhausted: Option<OutcomeResult>,
    /// The detail text of the exhaustion that followed the failure, if it has one.
    pub exhaustion_detail: Option<SafeLine>,
    /// Sequence number of the last outcome in the entry.
    pub last: Seq,
}

impl Entry {
    /// Creates an entry of one outcome.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            exhausted: outcome.result.is_exhaustion().then_some(outcome.result),
            exhaustion_detail: None,
            count: 1,
            last: outcome.seq,
            outcome,
        }
    }

    /// Returns the entry's identity: the sequence number of its first outcome.
    pub fn seq(&self) -> Seq {
        self.outcome.seq
    }

    /// Returns the result to show: the exhaustion if there is one, else the result of the outcome.
    pub fn result(&self) -> OutcomeResult {
        self.exhausted.unwrap_or(self.outcome.result)
    }

    /// Returns true if the result of the outcome is `unchanged`, except for first or quarantined content.
    pub fn is_quiet(&self) -> bool {
        self.outcome.result == OutcomeResult::Unchanged
            && !matches!(self.outcome.content, Some(ContentChange::First | ContentChange::Quarantined))
    }

    /// Returns true if the entry stands for several documents.
    pub fn is_run(&self) -> bool {
        self.count > 1
    }

    fn takes_exhaustion(&self, next: &Outcome) -> bool {
        self.exhausted.is_none()
            && self.outcome.result.is_failure()
            && self.outcome.job_id == next.job_id
            && self.outcome.attempt == next.attempt
    }

    fn takes_into_run(&self, next: &Outcome) -> bool {
        next.result.kind().is_combined() && self.outcome.result == next.result && self.outcome.detail == next.detail
    }
}

/// Adds an outcome to the entry to which it belongs, or appends a new entry.
pub fn push(entries: &mut VecDeque<Entry>, outcome: Outcome) {
    if outcome.result.is_exhaustion() {
        let failure =
            entries.iter_mut().rev().take(EXHAUSTION_SCAN_LIMIT).find(|entry| entry.takes_exhaustion(&outcome));
        if let Some(entry) = failure {
            entry.exhausted = Some(outcome.result);
            entry.exhaustion_detail.clone_from(&outcome.detail);
            // The entry may already contain a newer outcome.
            entry.last = entry.last.max(outcome.seq);
            return;
        }
    }
    if let Some(entry) = entries.back_mut()
        && entry.takes_into_run(&outcome)
    {
        entry.count += 1;
        entry.last = outcome.seq;
        return;
    }
    entries.push_back(Entry::new(outcome));
}
