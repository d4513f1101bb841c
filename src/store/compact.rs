//! Compaction of a store's file. PostgreSQL reuses the space of removed rows by itself.

use super::Result;
use super::address::{self, StoreAddress};
use super::sqlite::compact as sqlite;
use super::store_contents::CompactionPlan;
use std::path::{Path, PathBuf};

/// Returns the file of the store at `url`; `None` for a server.
pub fn store_file(url: &str) -> Result<Option<PathBuf>> {
    Ok(match address::parse(url)? {
        StoreAddress::Sqlite(path) => Some(path),
        StoreAddress::Postgres(_) => None,
    })
}

/// Returns what a compaction of the SQLite store `path` would do.
pub async fn plan_compaction(path: &Path) -> Result<CompactionPlan> {
    sqlite::plan(path).await
}

/// Compacts the SQLite store `path`, which no process may use, and returns its new size in bytes.
pub async fn compact(path: &Path) -> Result<u64> {
    sqlite::compact(path).await
}
