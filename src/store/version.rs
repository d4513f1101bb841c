//! The schema version of this process, checked in every write transaction: a process that is older than the store must
//! not write into tables that it does not know.
//!
//! Such a process writes nothing any more, not even the ends of its attempts: it cannot know what a newer schema
//! requires for them (a column, a row in another table). A newer worker takes over its jobs as after a crash, but does
//! not count a crash; see `attempts::rescue`.

use super::Result;
use super::StoreError;
use super::migrations::SCHEMA_VERSION;
use std::fmt;
use tokio::sync::watch;

/// A store whose schema version differs from the one that this process was built for. `Display` says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaMismatch {
    pub store: i64,
    pub program: i64,
}

impl SchemaMismatch {
    /// Returns the mismatch for a store at version `store`; `None` if that is this program's version.
    pub(super) fn of(store: i64) -> Option<Self> {
        (store != SCHEMA_VERSION).then_some(Self { store, program: SCHEMA_VERSION })
    }
}

impl fmt::Display for SchemaMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, program } = self;
        if store > program {
            write!(
                f,
                "the store was migrated to version {store} by a newer quarterdeck; this process supports version \
                 {program}: upgrade and restart"
            )
        } else {
            write!(
                f,
                "the store is at version {store} and this process needs version {program}; was an older copy \
                 restored? Run `quarterdeck migrate` and restart"
            )
        }
    }
}

/// Publishes the mismatch for a store at version `store`, if there is one that is not published yet. Without a
/// mismatch, a published one stays.
fn notify(mismatches: &watch::Sender<Option<SchemaMismatch>>, store: i64) {
    mismatches.send_if_modified(|published| {
        let found = SchemaMismatch::of(store);
        let is_new = found.is_some() && *published != found;
        if is_new {
            *published = found;
        }
        is_new
    });
}

/// Publishes the mismatch if the store is newer than this program. An older version is ignored: the task that read it
/// may have opened another file that is about to be moved away, and the next write decides.
pub(super) fn notify_if_newer(mismatches: &watch::Sender<Option<SchemaMismatch>>, store: i64) {
    if store > SCHEMA_VERSION {
        notify(mismatches, store);
    }
}

/// Fails with [`StoreError::Schema`] if `store`, the store's version, is not this program's version; also publishes the
/// mismatch.
pub(super) fn check(mismatches: &watch::Sender<Option<SchemaMismatch>>, store: i64) -> Result<()> {
    let Some(mismatch) = SchemaMismatch::of(store) else { return Ok(()) };
    notify(mismatches, store);
    Err(StoreError::Schema(mismatch))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mismatch_says_which_side_is_older_and_what_to_do() {
        assert_eq!(SchemaMismatch::of(SCHEMA_VERSION), None);
        let of = |store| SchemaMismatch::of(store).map(|mismatch| mismatch.to_string()).unwrap_or_default();
        assert!(of(SCHEMA_VERSION + 1).ends_with("upgrade and restart"), "{}", of(SCHEMA_VERSION + 1));
        assert!(of(SCHEMA_VERSION - 1).contains("Run `quarterdeck migrate`"), "{}", of(SCHEMA_VERSION - 1));
    }

    #[test]
    fn a_mismatch_is_told_once_and_stays() {
        let mismatches = watch::Sender::new(None);
        let mut published = mismatches.subscribe();
        notify(&mismatches, SCHEMA_VERSION);
        notify_if_newer(&mismatches, SCHEMA_VERSION - 1);
        assert!(!published.has_changed().is_ok_and(|changed| changed));
        notify(&mismatches, SCHEMA_VERSION + 1);
        assert_eq!(*published.borrow_and_update(), SchemaMismatch::of(SCHEMA_VERSION + 1));
        notify(&mismatches, SCHEMA_VERSION + 1);
        notify_if_newer(&mismatches, SCHEMA_VERSION + 1);
        notify(&mismatches, SCHEMA_VERSION);
        assert!(!published.has_changed().is_ok_and(|changed| changed));
        assert!(published.borrow().is_some());
    }
}
