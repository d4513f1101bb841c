//! The schema version that a process works with, checked in every write transaction: a process that is older than the
//! store must not write into tables that it does not know.
//!
//! Nothing of such a process is written any more, ends of attempts included: what a newer schema wants with them (a
//! column, a row elsewhere) it cannot know. What it ran is taken up by a newer worker, as after a crash, but without a
//! loss: see `workers`.

use super::Result;
use super::StoreError;
use super::migrations::VERSION;
use std::fmt;
use tokio::sync::watch;

/// The store's schema has another version than the one that this process was built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaMismatch {
    /// The version of the store.
    pub store: i64,
    /// The version that this process works with.
    pub program: i64,
}

impl SchemaMismatch {
    /// The mismatch of a store at version `store`, if it is one for this program.
    pub(super) fn of(store: i64) -> Option<Self> {
        (store != VERSION).then_some(Self { store, program: VERSION })
    }
}

impl fmt::Display for SchemaMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, program } = self;
        if store > program {
            write!(
                f,
                "the store was migrated to version {store} by a newer quarterdeck; this process knows version \
                 {program}: upgrade and start again"
            )
        } else {
            write!(
                f,
                "the store is at version {store} and this process needs version {program}; was an older copy of it put \
                 back? Run `quarterdeck migrate` and start again"
            )
        }
    }
}

/// Tells those who watch of a store at version `store`, once.
fn tell(mismatches: &watch::Sender<Option<SchemaMismatch>>, store: i64) {
    mismatches.send_if_modified(|told| {
        let found = SchemaMismatch::of(store);
        let news = found.is_some() && *told != found;
        if news {
            *told = found;
        }
        news
    });
}

/// Tells those who watch of a newer store. A watcher that finds an older version may be looking at another file that is
/// about to be moved away: the next write decides.
pub(super) fn seen(mismatches: &watch::Sender<Option<SchemaMismatch>>, store: i64) {
    if store > VERSION {
        tell(mismatches, store);
    }
}

/// Refuses a transaction on a schema of version `store` unless this process knows it, and lets those who watch know.
pub(super) fn check(mismatches: &watch::Sender<Option<SchemaMismatch>>, store: i64) -> Result<()> {
    let Some(mismatch) = SchemaMismatch::of(store) else { return Ok(()) };
    tell(mismatches, store);
    Err(StoreError::Schema(mismatch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_says_which_side_is_older_and_what_to_do() {
        assert_eq!(SchemaMismatch::of(VERSION), None);
        let of = |store| SchemaMismatch::of(store).map(|mismatch| mismatch.to_string()).unwrap_or_default();
        assert!(of(VERSION + 1).ends_with("upgrade and start again"), "{}", of(VERSION + 1));
        assert!(of(VERSION - 1).contains("Run `quarterdeck migrate`"), "{}", of(VERSION - 1));
    }

    #[test]
    fn a_mismatch_is_told_once_and_stays() {
        let mismatches = watch::Sender::new(None);
        let mut told = mismatches.subscribe();
        tell(&mismatches, VERSION);
        seen(&mismatches, VERSION - 1);
        assert!(!told.has_changed().is_ok_and(|changed| changed));
        tell(&mismatches, VERSION + 1);
        assert_eq!(*told.borrow_and_update(), SchemaMismatch::of(VERSION + 1));
        tell(&mismatches, VERSION + 1);
        seen(&mismatches, VERSION + 1);
        tell(&mismatches, VERSION);
        assert!(!told.has_changed().is_ok_and(|changed| changed));
        assert!(told.borrow().is_some());
    }
}
