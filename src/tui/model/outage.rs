//! A database that does not answer: since when, when it is tried again, and what the console says about it.

use super::Model;
use super::toast::Level;
use crate::domain::time::Timestamp;
use crate::runner::event::Health;
use std::time::Duration;

/// Time after an entry about a failed read in which others are not added: they have the same cause.
const SAME_CAUSE: Duration = Duration::from_secs(10);

/// A time in which the database does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Time of the first failure.
    pub since: Timestamp,
    /// Time of the next try.
    pub retry_at: Timestamp,
}

impl Model {
    /// Returns the outage that the last reads, or the runner's calls, have shown; `None` while the database answers.
    pub fn outage(&self) -> Option<Outage> {
        let reads = self.read_failure.as_ref().map(|failure| (failure.since, failure.retry_at));
        let runner = match self.health {
            Health::Unreachable { since, next_try_at, .. } => Some((since, next_try_at)),
            Health::Fine => None,
        };
        let of = |pick: fn((Timestamp, Timestamp)) -> Timestamp| reads.into_iter().chain(runner).map(pick).min();
        Some(Outage { since: of(|(since, _)| since)?, retry_at: of(|(_, retry_at)| retry_at)? })
    }

    /// Returns the time for which countdowns are shown. It stands still during an outage: nobody knows whether anything
    /// happens when they end.
    pub fn countdown_time(&self) -> Timestamp {
        self.outage().map_or(self.now, |outage| outage.since)
    }

    /// Adds a message about a failed read to the activity list, unless one about the same outage is there.
    pub fn log_failed_read(&mut self, text: String) {
        if self.begins_outage() {
            self.log(Level::Failed, text);
        }
    }

    /// Shows why the runner cannot write, such as the process that has the lock, unless a message about the same outage
    /// is there. Reads may work meanwhile.
    pub fn report_failed_call(&mut self, reason: &str) {
        if self.begins_outage() {
            self.notify(Level::Failed, reason);
        }
    }

    /// Returns true, and notes the time, if a failure is the first of an outage.
    fn begins_outage(&mut self) -> bool {
        let is_recent = self.failed_read_at.is_some_and(|at| self.now.since(at) < SAME_CAUSE);
        let begins = self.read_failure.is_none() && !is_recent;
        if begins {
            self.failed_read_at = Some(self.now);
        }
        begins
    }
}
