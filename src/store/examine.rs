//! Looks at a store for `quarterdeck doctor`: everything that can be wrong with it, each with what mends it. Opens for
//! reading alone and changes nothing.

use super::address::{self, Address};
use super::checks::{STORE, of_error};
use super::postgres::examine as postgres;
use super::sqlite::examine as sqlite;
use crate::domain::finding::Finding;

/// Everything that can be told of the store at `url`, in the order in which things depend on each other; what cannot be
/// looked at for what was found before is left out.
pub async fn examine(url: &str) -> Vec<Finding> {
    match address::parse(url) {
        Ok(Address::Sqlite(path)) => sqlite::examine(&path).await,
        Ok(Address::Postgres(url)) => postgres::examine(&url).await,
        Err(error) => vec![of_error(STORE, &error)],
    }
}
