//! The last visit of a person to the console, which ended with the last key before a pause.

use crate::domain::time::Timestamp;
use std::time::Duration;

/// Pause between two keys after which the person is taken to have been away.
const AWAY: Duration = Duration::from_secs(60);

/// The end of the last visit, and the keys since then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastVisit {
    /// The last key before the person was away; in a new console the end of the one before it.
    pub at: Option<Timestamp>,
    last_key: Option<Timestamp>,
}

impl LastVisit {
    /// Returns the state of a console after one that ended at `at`.
    pub const fn since(at: Timestamp) -> Self {
        Self { at: Some(at), last_key: None }
    }

    /// Notes a key. After a pause, the key before it ended the last visit.
    pub fn note_key(&mut self, now: Timestamp) {
        if let Some(before) = self.last_key.replace(now)
            && now.since(before) >= AWAY
        {
            self.at = Some(before);
        }
    }

    /// Notes that the person has seen what has happened up to now.
    pub fn catch_up(&mut self, now: Timestamp) {
        self.at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_ends_with_the_last_key_before_a_pause() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        let mut visit = LastVisit::default();
        visit.note_key(at(10));
        visit.note_key(at(69));
        assert_eq!(visit.at, None, "the person was there all the time");
        visit.note_key(at(129));
        assert_eq!(visit.at, Some(at(69)));
        visit.note_key(at(130));
        assert_eq!(visit.at, Some(at(69)));
        visit.catch_up(at(131));
        assert_eq!(visit.at, Some(at(131)));
        assert_eq!(LastVisit::since(at(5)).at, Some(at(5)));
    }
}
