//! Compaction of a store's file: its contents are written anew, without the pages that nothing uses, into a file that then
//! takes its place. From then on the file gives unused pages back by itself.

use super::connect::Connector;
use super::file_copy;
use super::locks::WorkerLocks;
use crate::fault;
use crate::store::store_contents::CompactionPlan;
use crate::store::{Result, StoreError};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Suffix of the name of the new file until it is complete.
const UNFINISHED_SUFFIX: &str = ".compacting";
/// Longest wait for a process that is just closing the store.
const IN_USE_TIMEOUT: Duration = Duration::from_secs(2);

/// Returns the size of the store at `path` now and after a compaction. Changes nothing.
pub(in crate::store) async fn plan(path: &Path) -> Result<CompactionPlan> {
    let connect = Connector::for_inspection(path)?;
    let read = move || -> Result<CompactionPlan> {
        let path = connect.path();
        let failed = |error: rusqlite::Error| failure(path, &error);
        let conn = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY)).map_err(failed)?;
        let number = |pragma: &str| conn.query_row(pragma, (), |row| row.get::<_, i64>(0)).map_err(failed);
        let page = number("PRAGMA page_size")?.unsigned_abs();
        let (pages, unused) = (number("PRAGMA page_count")?, number("PRAGMA freelist_count")?);
        let shrinks_itself = number("PRAGMA auto_vacuum")? == 2;
        let (bytes, needed) = (pages.unsigned_abs() * page, (pages - unused).unsigned_abs() * page);
        Ok(CompactionPlan { bytes, needed, shrinks_itself })
    };
    on_blocking_thread(read).await
}

/// Compacts the store at `path` and returns its new size in bytes. After an error, a kill or a power loss the store is what
/// it was.
///
/// Errors: [`StoreError::Unusable`] if a process uses the store, or if the new file does not fit on the disk.
pub(in crate::store) async fn compact(path: &Path) -> Result<u64> {
    let connect = Connector::for_inspection(path)?;
    let needed = plan(path).await?.needed;
    on_blocking_thread(move || replace(&connect, needed)).await
}

async fn on_blocking_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(|error| StoreError::Unavailable(error.to_string()))?
}

fn replace(connect: &Connector, needed: u64) -> Result<u64> {
    let path = connect.path();
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => in_use(connect),
        _ => failure(path, &error),
    };
    let folder = path.parent().unwrap_or(Path::new("/"));
    let unfinished = connect.with_suffix(UNFINISHED_SUFFIX);
    // What a killed process has left.
    let _ = std::fs::remove_file(&unfinished);
    file_copy::check_free_space(folder, needed).map_err(|why| {
        unusable(path, &format!("not enough disk space for the compacted file: {why}; free some space"))
    })?;
    let conn = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(failed)?;
    conn.busy_timeout(IN_USE_TIMEOUT).map_err(failed)?;
    // Every process that uses a store in WAL mode has a lock on it, so that no other mode can be set meanwhile. The lock of
    // the empty transaction stays until the connection is closed.
    conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE").map_err(failed)?;
    conn.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get::<_, String>(0)).map_err(failed)?;
    conn.execute_batch("BEGIN EXCLUSIVE; COMMIT; PRAGMA auto_vacuum = INCREMENTAL").map_err(failed)?;
    let written = file_copy::write_by(path, &unfinished, |to| {
        conn.execute("VACUUM INTO ?", [to]).map(drop).map_err(|error| error.to_string())
    });
    let published = written.and_then(|()| {
        fault::point("compacted", "");
        let bytes = std::fs::metadata(&unfinished).map_err(|error| error.to_string())?.len();
        file_copy::publish(folder, &unfinished, path).map_err(|error| error.to_string())?;
        Ok(bytes)
    });
    if published.is_err() {
        let _ = std::fs::remove_file(&unfinished);
        // Back to the mode in which processes share the store. The next one that opens it does the same.
        let _ = conn.query_row("PRAGMA journal_mode = WAL", (), |row| row.get::<_, String>(0));
    }
    published.map_err(|why| unusable(path, &format!("cannot be compacted: {why}. Nothing was changed")))
}

/// Returns the error for a store that processes use, with the names of the workers among them.
fn in_use(connect: &Connector) -> StoreError {
    let path: PathBuf = connect.path().to_owned();
    let workers = running_workers(connect).unwrap_or_default();
    let who = if workers.is_empty() { "a process".to_owned() } else { workers.join(", ") };
    unusable(&path, &format!("{who} is using the store; stop every console and worker first. Nothing was changed"))
}

fn running_workers(connect: &Connector) -> std::result::Result<Vec<String>, rusqlite::Error> {
    let conn = Connection::open_with_flags(connect.path(), flags(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    let locks = WorkerLocks::in_folder(connect.with_suffix(".workers"));
    let mut known = conn.prepare("SELECT id, name FROM workers ORDER BY started_at, id")?;
    let known = known.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let known = known.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(known.into_iter().filter(|(id, _)| !locks.process_is_gone(id)).map(|(_, name)| name).collect())
}

fn flags(access: OpenFlags) -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX | access
}

fn failure(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        // SQLite creates small files beside the store even to read it.
        Some(ErrorCode::SystemIoFailure | ErrorCode::DiskFull | ErrorCode::CannotOpen) => {
            unusable(path, &format!("{error}: not enough disk space? Free some; nothing was changed"))
        }
        _ => unusable(path, &error.to_string()),
    }
}

fn unusable(path: &Path, why: &str) -> StoreError {
    StoreError::Unusable(format!("{}: {why}", path.display()))
}
