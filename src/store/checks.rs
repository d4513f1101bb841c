//! Names of the checks that `quarterdeck doctor` runs on a store, and the finding for a check that ended with an error.

use crate::domain::finding::{CheckStatus, Finding};
use crate::store::StoreError;

/// The store exists and responds.
pub(in crate::store) const STORE: &str = "store";
/// The schema has the version that this program needs.
pub(in crate::store) const SCHEMA: &str = "schema";
/// The database user has the privileges that the program needs.
pub(in crate::store) const RIGHTS: &str = "rights";
/// The data is consistent, as far as the database itself can check it.
pub(in crate::store) const INTEGRITY: &str = "integrity";
/// The disk has free space for more data.
pub(in crate::store) const SPACE: &str = "space";
/// The database's clock agrees with this machine's.
pub(in crate::store) const CLOCK: &str = "clock";

/// Returns the finding for a check that ended with `error`: unreachable if the database did not respond, else failed.
pub(in crate::store) fn of_error(check: &'static str, error: &StoreError) -> Finding {
    let verdict =
        if matches!(error, StoreError::Unavailable(_)) { CheckStatus::Unreachable } else { CheckStatus::Fail };
    Finding::of_message(check, verdict, &error.to_string())
}
