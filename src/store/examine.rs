//! Looks at a store for `quarterdeck doctor`: everything that can be wrong with it, each with what mends it. Opens for
//! reading alone and changes nothing.

use super::address::{self, Address};
use super::{StoreError, postgres, sqlite};
use crate::domain::finding::{Finding, Verdict};

/// The store as a whole: whether it is there and answers.
pub(super) const STORE: &str = "store";
/// Whether it is set up for this version.
pub(super) const SCHEMA: &str = "schema";
/// Whether this user may do what the program does.
pub(super) const RIGHTS: &str = "rights";
/// Whether its data is whole.
pub(super) const INTEGRITY: &str = "integrity";
/// Whether there is room for more.
pub(super) const SPACE: &str = "space";
/// Whether its clock is this machine's.
pub(super) const CLOCK: &str = "clock";

/// Everything that can be told of the store at `url`, in the order in which things depend on each other; what cannot be
/// looked at for what was found before is left out.
pub async fn examine(url: &str) -> Vec<Finding> {
    match address::parse(url) {
        Ok(Address::Sqlite(path)) => sqlite::examine::examine(&path).await,
        Ok(Address::Postgres(url)) => postgres::examine::examine(&url).await,
        Err(error) => vec![of_error(STORE, &error)],
    }
}

/// What an error says.
pub(super) fn of_error(check: &'static str, error: &StoreError) -> Finding {
    let verdict = if matches!(error, StoreError::Unavailable(_)) { Verdict::Unreachable } else { Verdict::Fail };
    Finding::of_message(check, verdict, &error.to_string())
}
