//! Backups of a store: SQLite's are made and restored here; PostgreSQL has tools of its own.

use super::address::{self, StoreAddress};
use super::postgres::url::DatabaseUrl;
use super::sqlite::backup as sqlite;
use super::store_contents::StoreContents;
use super::{Access, Result};
use std::path::{Path, PathBuf};

/// The way in which a store is backed up and restored.
pub enum BackupMethod {
    /// A file that this program copies and restores.
    File(PathBuf),
    /// A server, whose own tools do both, with these arguments.
    Server(ServerTools),
}

/// Arguments of PostgreSQL's tools for one database. They contain no password.
pub struct ServerTools {
    /// Arguments of `pg_dump`, but for the file.
    pub dump: Vec<String>,
    /// Arguments of `pg_restore`, but for the file.
    pub restore: Vec<String>,
}

/// Returns how the store at `url` is backed up.
pub fn backup_method(url: &str) -> Result<BackupMethod> {
    Ok(match address::parse(url)? {
        StoreAddress::Sqlite(path) => BackupMethod::File(path),
        StoreAddress::Postgres(url) => {
            let (url, _) = DatabaseUrl::parse(&url, Access::Read)?;
            let tools =
                |own: &[&str]| url.tool_arguments().into_iter().chain(own.iter().map(ToString::to_string)).collect();
            BackupMethod::Server(ServerTools {
                dump: tools(&["--format=custom", "--schema=public", "--schema=quarterdeck"]),
                restore: tools(&["--clean", "--if-exists", "--single-transaction"]),
            })
        }
    })
}

/// Copies the SQLite store `path` into the new file `to`, checks the copy and returns its contents.
pub async fn back_up(path: &Path, to: &Path) -> Result<StoreContents> {
    sqlite::back_up(path, to).await
}

/// Checks the SQLite store or backup at `path` and returns its contents.
pub async fn backup_contents(path: &Path) -> Result<StoreContents> {
    sqlite::contents(path).await
}

/// Replaces the contents of the SQLite store `path` by those of the backup `from`. With `kept`, the contents that the store
/// has now, a copy of them is made before; its path is returned.
pub async fn restore(from: &Path, path: &Path, kept: Option<&StoreContents>) -> Result<Option<PathBuf>> {
    sqlite::restore(from, path, kept).await
}
