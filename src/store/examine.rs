//! Diagnosis of a store for `quarterdeck doctor`: every problem that can be detected, each with its remedy. Changes
//! nothing.

use super::Result;
use super::address::{self, StoreAddress};
use super::checks::{CheckDepth, STORE, of_error};
use super::postgres::examine as postgres;
use super::sqlite::examine as sqlite;
use super::sqlite::write_lock::WriteLockHolder;
use crate::domain::finding::Finding;

/// Returns the findings about the store at `url`, in the order of the checks. A check that an earlier finding makes
/// impossible is left out.
pub async fn examine(url: &str, depth: CheckDepth) -> Vec<Finding> {
    match address::parse(url) {
        Ok(StoreAddress::Sqlite(path)) => sqlite::examine(&path, depth).await,
        Ok(StoreAddress::Postgres(url)) => postgres::examine(&url).await,
        Err(error) => vec![of_error(STORE, &error)],
    }
}

/// Returns the process that has the write lock of the SQLite store at `url`; `None` if no process has it or that cannot
/// be seen from here, and always on PostgreSQL.
pub fn write_lock_holder(url: &str) -> Result<Option<WriteLockHolder>> {
    Ok(match address::parse(url)? {
        StoreAddress::Sqlite(path) => WriteLockHolder::of(&path),
        StoreAddress::Postgres(_) => None,
    })
}
