//! Names of the checks that `quarterdeck doctor` makes of a store, and the finding of a check that could not be made.

use crate::domain::finding::{Finding, Verdict};
use crate::store::StoreError;

/// The store as a whole: whether it is there and answers.
pub(in crate::store) const STORE: &str = "store";
/// Whether it is set up for this version.
pub(in crate::store) const SCHEMA: &str = "schema";
/// Whether this user may do what the program does.
pub(in crate::store) const RIGHTS: &str = "rights";
/// Whether its data is whole.
pub(in crate::store) const INTEGRITY: &str = "integrity";
/// Whether there is room for more.
pub(in crate::store) const SPACE: &str = "space";
/// Whether its clock is this machine's.
pub(in crate::store) const CLOCK: &str = "clock";

/// The finding of a check that ended with an error.
pub(in crate::store) fn of_error(check: &'static str, error: &StoreError) -> Finding {
    let verdict = if matches!(error, StoreError::Unavailable(_)) { Verdict::Unreachable } else { Verdict::Fail };
    Finding::of_message(check, verdict, &error.to_string())
}
