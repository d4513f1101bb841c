//! One entry of the outcome panel: an outcome with those that belong to it.

use crate::domain::content::ContentChange;
use crate::domain::id::Seq;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::text::SafeLine;
use std::collections::VecDeque;

/// Entries among which the failure of an exhaustion is looked for; they are written together.
const BACK: usize = 64;

/// An outcome, its exhaustion folded in, or a run of the same bulk result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The outcome, of a run the first.
    pub outcome: Outcome,
    /// How many outcomes it stands for, an exhaustion apart.
    pub count: u64,
    /// The exhaustion that followed it.
    pub exhausted: Option<OutcomeResult>,
    /// What the exhaustion says.
    pub given_up: Option<SafeLine>,
    /// The last outcome that it stands for.
    pub last: Seq,
}

impl Entry {
    /// An entry of one outcome.
    pub fn new(outcome: Outcome) -> Self {
        Self {
            exhausted: outcome.result.is_exhaustion().then_some(outcome.result),
            given_up: None,
            count: 1,
            last: outcome.seq,
            outcome,
        }
    }

    /// The number by which it is known: its first outcome's.
    pub fn seq(&self) -> Seq {
        self.outcome.seq
    }

    /// The result that counts: an exhaustion says more than its failure.
    pub fn result(&self) -> OutcomeResult {
        self.exhausted.unwrap_or(self.outcome.result)
    }

    /// Whether it brought nothing new and nothing is wrong.
    pub fn is_quiet(&self) -> bool {
        self.outcome.result == OutcomeResult::Unchanged
            && !matches!(self.outcome.content, Some(ContentChange::First | ContentChange::Held))
    }

    /// Whether it is a run of several documents.
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
        matches!(next.result, OutcomeResult::Cancelled | OutcomeResult::Purged)
            && self.outcome.result == next.result
            && self.outcome.detail == next.detail
    }
}

/// Adds the next outcome to a list of entries.
pub fn push(entries: &mut VecDeque<Entry>, outcome: Outcome) {
    if outcome.result.is_exhaustion() {
        let failure = entries.iter_mut().rev().take(BACK).find(|entry| entry.takes_exhaustion(&outcome));
        if let Some(entry) = failure {
            entry.exhausted = Some(outcome.result);
            entry.given_up.clone_from(&outcome.detail);
            // An interleaved neighbour may be newer already.
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
