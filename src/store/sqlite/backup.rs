//! Copy of a store before a migration: in the same folder, complete and flushed to disk before the store is changed.
//! Only the newest copy is kept.

use super::connect::Connector;
use super::error::{is_full, message};
use crate::domain::time::Timestamp;
use crate::fault;
use crate::store::{Result, StoreError};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, query};
use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

/// Free bytes needed beyond the copy itself, for the log of the migration.
const FREE_SPACE_MARGIN: u64 = 4_000_000;
/// Suffix of a copy's name.
const COPY_SUFFIX: &str = ".backup";
/// Suffix of the name of an incomplete copy.
const UNFINISHED_SUFFIX: &str = ".backup.tmp";
/// Suffix of the journal that SQLite keeps while it writes an incomplete copy.
const JOURNAL_SUFFIX: &str = ".backup.tmp-journal";

/// Copies the store and returns the path of the copy. The store has the schema version `version` and a size of `bytes`;
/// the copy's name contains that version and the time `now`. The caller must have the write lock on another connection,
/// so that nobody writes meanwhile.
pub(super) async fn copy(connect: &Connector, version: i64, bytes: u64, now: Timestamp) -> Result<PathBuf> {
    let store = connect.path();
    let target = connect.with_suffix(&format!(".v{version}.{}{COPY_SUFFIX}", stamp(now)));
    let unfinished = connect.with_suffix(&format!(".v{version}.{}{UNFINISHED_SUFFIX}", stamp(now)));
    remove_unfinished(connect);
    let folder = store.parent().unwrap_or(Path::new("/"));
    check_free_space(folder, bytes)?;
    fault::point("before_copy", "");
    let made = write(connect, store, &unfinished).await;
    if made.is_err() {
        // An incomplete copy is useless, and may be what filled the disk.
        remove_unfinished(connect);
    }
    made?;
    fault::point("copy_written", "");
    finish(folder, &unfinished, &target).map_err(|error| failed(&target, &error))?;
    fault::point("copied", "");
    remove_copies(connect, COPY_SUFFIX, Some(&target));
    Ok(target)
}

async fn write(connect: &Connector, store: &Path, to: &Path) -> Result<()> {
    let source = fs::metadata(store).map_err(|error| failed(to, &error))?;
    let file = create(to).map_err(|error| failed(to, &error))?;
    let mut conn = connect.copier().await?;
    let copied = vacuum_into(&mut conn, to).await;
    // An error loses nothing: the connection only read.
    let _ = conn.close().await;
    copied?;
    copy_permissions(&file, to, &source).map_err(|error| failed(to, &error))?;
    file.sync_all().map_err(|error| failed(to, &error))
}

async fn vacuum_into(conn: &mut SqliteConnection, to: &Path) -> Result<()> {
    let name = to.to_str().ok_or_else(|| {
        let problem = format!("{}: a store whose path is not UTF-8 cannot be copied", to.display());
        StoreError::Unusable(format!("{problem}; {WORKAROUND}"))
    })?;
    query("VACUUM INTO ?").bind(name).execute(conn).await.map(drop).map_err(|error| {
        let why = if is_full(&error) { "the disk is full".to_owned() } else { message(&error) };
        refused(to, &why)
    })
}

/// Creates a file that no other user may read until it has the store's permissions.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Gives the copy the permissions of the store and, if this user may, its owner.
fn copy_permissions(file: &File, path: &Path, store: &Metadata) -> io::Result<()> {
    // Without the right to change owners, the current user owns the copy; that user can read the store anyway.
    let _ = chown(path, Some(store.uid()), Some(store.gid()));
    file.set_permissions(Permissions::from_mode(store.mode() & 0o777))
}

fn finish(folder: &Path, unfinished: &Path, target: &Path) -> io::Result<()> {
    fs::rename(unfinished, target)?;
    // The new name must survive a power loss before the store is changed.
    File::open(folder)?.sync_all()
}

fn check_free_space(folder: &Path, bytes: u64) -> Result<()> {
    let needed = bytes.saturating_add(FREE_SPACE_MARGIN);
    let disk = rustix::fs::statvfs(folder).map_err(|error| failed(folder, &error.into()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= needed {
        return Ok(());
    }
    let (needed, free) = (needed.div_ceil(1_000_000), free / 1_000_000);
    let why = format!("{needed} MB are needed and {free} MB are free in {}", folder.display());
    Err(StoreError::Unusable(format!(
        "not enough disk space for the copy that is made before a migration: {why}; free some space, or {WORKAROUND}"
    )))
}

/// Advice for the user when a copy cannot be made.
const WORKAROUND: &str = "copy the store elsewhere and run `quarterdeck migrate --no-backup`";

fn failed(path: &Path, error: &io::Error) -> StoreError {
    refused(path, &error.to_string())
}

fn refused(path: &Path, why: &str) -> StoreError {
    StoreError::Unusable(format!(
        "the copy that is made before a migration cannot be written ({}: {why}), and the store was not changed; free \
         some space, or {WORKAROUND}",
        path.display()
    ))
}

/// Formats a time (UTC) as `20261128T101112Z`, so that names with it sort by time.
fn stamp(at: Timestamp) -> String {
    let text = at.rfc3339();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

/// Returns true if a file is a copy of the store, by `end`, the part of its name after the store's name:
/// `.v8.20261128T101112Z` followed by the suffix `kind`.
fn is_copy(end: &str, kind: &str) -> bool {
    let Some((version, stamp)) = end.strip_prefix(".v").and_then(|end| end.strip_suffix(kind)?.split_once('.')) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let at = stamp.strip_suffix('Z').and_then(|stamp| stamp.split_once('T'));
    digits(version) && at.is_some_and(|(day, time)| (day.len(), time.len()) == (8, 6) && digits(day) && digits(time))
}

/// Removes incomplete copies, left by a process that was killed or by a failure.
fn remove_unfinished(connect: &Connector) {
    for kind in [UNFINISHED_SUFFIX, JOURNAL_SUFFIX] {
        remove_copies(connect, kind, None);
    }
}

/// Removes this store's copies whose names have the suffix `kind`, except `kept`. A copy that cannot be removed only
/// takes space.
fn remove_copies(connect: &Connector, kind: &str, kept: Option<&Path>) {
    let store = connect.path();
    let (Some(folder), Some(name)) = (store.parent(), store.file_name().and_then(|name| name.to_str())) else { return };
    for file in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, found) = (file.path(), file.file_name());
        let end = found.to_str().and_then(|found| found.strip_prefix(name));
        if end.is_some_and(|end| is_copy(end, kind)) && kept != Some(&path) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_known_by_their_names_and_other_files_are_not() {
        let at = stamp(Timestamp::from_micros(1_764_000_000_000_000));
        assert_eq!(at, "20251124T160000Z");
        assert!(is_copy(&format!(".v8.{at}.backup"), COPY_SUFFIX));
        assert!(is_copy(&format!(".v8.{at}.backup.tmp"), UNFINISHED_SUFFIX));
        assert!(is_copy(&format!(".v8.{at}.backup.tmp-journal"), JOURNAL_SUFFIX));
        for other in [
            "",
            "-wal",
            ".workers",
            ".backup",
            ".v8.backup",
            ".v8.monday.backup",
            ".v.20251124T160000Z.backup",
            ".vx.20251124T160000Z.backup",
            ".v8.20251124T16000Z.backup",
            ".v8.20251124T160000Z.backup.mine",
        ] {
            assert!(!is_copy(other, COPY_SUFFIX) && !is_copy(other, UNFINISHED_SUFFIX), "{other}");
        }
    }
}
