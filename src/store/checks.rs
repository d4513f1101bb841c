//! Names of the checks that `quarterdeck doctor` runs on a store, and the finding for a check that ended with an error.

use crate::domain::finding::{CheckStatus, Finding};
use crate::store::StoreError;

/// The extent of a check whose duration grows with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckDepth {
    /// Checks what takes no longer in a large store: a part of it.
    Quick,
    /// Checks everything.
    Full,
}

/// Check that the store exists and responds.
pub(in crate::store) const STORE: &str = "store";
/// Check that the schema has the version that this program needs.
pub(in crate::store) const SCHEMA: &str = "schema";
/// Check that the user or database role has the rights that this program needs.
pub(in crate::store) const RIGHTS: &str = "rights";
/// Check that the data is consistent, as far as the database itself can tell.
pub(in crate::store) const INTEGRITY: &str = "integrity";
/// Check that no process keeps the others from writing.
pub(in crate::store) const WRITE_LOCK: &str = "write lock";
/// Check that the disk has free space for more data.
pub(in crate::store) const SPACE: &str = "space";
/// Check that the database's clock agrees with this machine's.
pub(in crate::store) const CLOCK: &str = "clock";

/// Returns the finding for a check that ended with `error`. Its status is `Unreachable` for
/// [`StoreError::Unavailable`], else `Fail`.
pub(in crate::store) fn of_error(check: &'static str, error: &StoreError) -> Finding {
    let verdict =
        if matches!(error, StoreError::Unavailable(_)) { CheckStatus::Unreachable } else { CheckStatus::Fail };
    Finding::of_message(check, verdict, &error.to_string())
}
