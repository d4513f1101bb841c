//! Checks of an SQLite store for `quarterdeck doctor`. Changes nothing.

use super::connect::{Connector, check_file_system, check_header, check_library, check_writable};
use super::migrate::{self, FileState};
use super::write_lock::WriteLockHolder;
use crate::domain::finding::{CheckStatus, Finding};
use crate::store::CheckDepth;
use crate::store::checks::{INTEGRITY, RIGHTS, SCHEMA, SPACE, STORE, WRITE_LOCK, of_error};
use crate::store::sql::error::reading;
use crate::store::{Result, StoreError};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Row, query};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const MEGABYTE: u64 = 1_000_000;
const GIGABYTE: u64 = 1_000 * MEGABYTE;
/// Number of free bytes below which the check fails: the next syncs may find the disk full, since SQLite's log alone
/// grows to some megabytes.
const MIN_FREE_SPACE: u64 = 32 * MEGABYTE;
/// Number of free bytes below which the check warns.
const LOW_FREE_SPACE: u64 = 500 * MEGABYTE;

/// Size of a file above which only a full check reads all its pages; less takes a moment.
const MAX_QUICK_SIZE: u64 = 64 * MEGABYTE;

pub(in crate::store) async fn examine(path: &Path, depth: CheckDepth) -> Vec<Finding> {
    let mut found = Vec::new();
    let connect = match Connector::for_inspection(path) {
        Ok(connect) => connect,
        Err(error) => return vec![of_error(STORE, &error)],
    };
    let path = connect.path();
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    let location = path.display();
    let named =
        |check, message: String| Finding::of_message(check, CheckStatus::Fail, &format!("{location}: {message}"));
    let bytes = match std::fs::metadata(path) {
        Ok(data) if data.is_dir() => {
            found.push(named(STORE, "is a folder, not a store; name a file with --store".into()));
            return found;
        }
        Ok(data) => Some(data.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let cure = "nothing to do: the console and `quarterdeck add` create it";
            found.push(Finding::warn(STORE, format!("{location}: there is no store here yet"), cure));
            None
        }
        Err(error) => {
            found.push(named(STORE, format!("cannot be read: {error}; give this user access to its folder")));
            return found;
        }
    };
    if let Err(wrong) = check_file_system(if bytes.is_some() { path } else { folder }) {
        found.push(named(STORE, format!("{wrong}; put the store on a local disk, or use PostgreSQL")));
    }
    if let Some(bytes) = bytes {
        if let Err(wrong) = check_header(path) {
            found.push(named(STORE, wrong));
            return found;
        }
        if let Err(error) = examine_contents(&connect, bytes, depth, &mut found).await {
            let error = match error {
                StoreError::Unusable(why) | StoreError::Corrupt(why) => {
                    StoreError::Unusable(format!("{location}: {why}"))
                }
                other => other,
            };
            found.push(of_error(STORE, &error));
        }
    }
    found.push(match check_writable(path, folder, bytes.is_some()) {
        Ok(()) => Finding::ok(RIGHTS, "this user may write the store and its folder"),
        Err(wrong) => named(RIGHTS, wrong),
    });
    found.extend(readable_by_others(path));
    found.extend(blocked(path));
    found.push(check_free_space(folder));
    found
}

/// Returns a finding if a process is stopped while it has the write lock.
fn blocked(path: &Path) -> Option<Finding> {
    let holder = WriteLockHolder::of(path)?;
    let remedy = holder.remedy()?;
    Some(Finding::fail(WRITE_LOCK, format!("nobody can write: the store is locked by {}", holder.describe()), remedy))
}

/// Returns a warning if every user of the machine may read the file. Its group may: that can be set for new stores.
fn readable_by_others(path: &Path) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o007 != 0).then(|| {
        let location = path.display();
        let message = format!("every user of this machine may read the texts in {location}");
        Finding::warn(RIGHTS, message, format!("chmod o= {location}*"))
    })
}

/// Checks the schema version and the integrity of the file, and adds the findings to `found`.
async fn examine_contents(connect: &Connector, bytes: u64, depth: CheckDepth, found: &mut Vec<Finding>) -> Result<()> {
    let mut conn = connect.reader().await?;
    check_library(&mut conn).await?;
    let library: String = query("SELECT sqlite_version()").fetch_one(&mut conn).await.map_err(reading)?.get(0);
    let state = migrate::file_state(&mut conn).await?;
    let location = connect.path().display();
    found.push(Finding::ok(STORE, format!("{location}: {}, SQLite {library}", size(bytes))));
    found.push(match state {
        FileState::Empty => Finding::warn(SCHEMA, "the file is empty", "`quarterdeck add` creates the store in it"),
        FileState::Store(version) if migrate::is_current(state) => {
            Finding::ok(SCHEMA, format!("up to date, version {version}"))
        }
        FileState::Store(version) => Finding::warn(
            SCHEMA,
            format!("the store was made by an older quarterdeck (version {version})"),
            "`quarterdeck migrate` brings the store up to date, and so does the console",
        ),
    });
    if depth == CheckDepth::Quick && bytes > MAX_QUICK_SIZE {
        found.push(Finding::ok(
            INTEGRITY,
            format!("not checked, {}: --full checks every page of the file", size(bytes)),
        ));
        let _ = conn.close().await;
        return Ok(());
    }
    let mut wrong = find_damage(&mut conn).await?;
    if !wrong.is_empty() {
        // A file to which nobody writes is read without a lock. Another process may have begun to write meanwhile, so
        // only damage that a second check finds is real.
        let _ = conn.close().await;
        conn = connect.reader().await?;
        wrong = find_damage(&mut conn).await?;
    }
    found.push(match wrong.first() {
        None => Finding::ok(INTEGRITY, "every page of the file is intact"),
        Some(first) => Finding::fail(
            INTEGRITY,
            format!("the file is damaged: {first}{}", and_more(wrong.len())),
            "stop every quarterdeck, then restore the file from a backup, or save what you can with \
             `sqlite3 FILE .recover`",
        ),
    });
    // An error loses nothing: the connection only read.
    let _ = conn.close().await;
    Ok(())
}

/// Returns the damage that SQLite finds in the file, at most 100 problems.
pub(super) async fn find_damage(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    let rows = match query("PRAGMA quick_check").fetch_all(conn).await.map_err(reading) {
        // The damage makes the check itself fail.
        Err(StoreError::Corrupt(_)) => return Ok(vec!["it cannot be read to its end".to_owned()]),
        checked => checked?,
    };
    let reports = rows.iter().map(|row| row.try_get(0).map_err(reading)).collect::<Result<Vec<String>>>()?;
    Ok(reports.into_iter().filter(|line| line != "ok").collect())
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(" (and {} more errors)", count - 1) } else { String::new() }
}

fn check_free_space(folder: &Path) -> Finding {
    let location = folder.display();
    let free = match rustix::fs::statvfs(folder) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return Finding::warn(SPACE, format!("{location}: {error}"), "check with `df`"),
    };
    let message = format!("{} free in {location}", size(free));
    match free {
        0..MIN_FREE_SPACE => Finding::fail(SPACE, message, "free some space: nothing can be stored on a full disk"),
        MIN_FREE_SPACE..LOW_FREE_SPACE => Finding::warn(SPACE, message, "free some space soon"),
        _ => Finding::ok(SPACE, message),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..MEGABYTE => format!("{} kB", bytes.div_ceil(1_000)),
        MEGABYTE..GIGABYTE => format!("{} MB", bytes / MEGABYTE),
        _ => format!("{} GB", bytes / GIGABYTE),
    }
}
