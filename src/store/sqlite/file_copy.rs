//! A copy of a store in one file, complete and flushed to disk before it gets its name. Reasons of failures are short
//! texts: the caller knows what the copy is for, and what remains true without it.

use super::connect::Connector;
use super::error::{is_full, message};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, query};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, chown};
use std::path::Path;

type Copied = Result<(), String>;

/// Free bytes needed beyond the copy itself, for what is written while the copy is made and after it.
const FREE_SPACE_MARGIN: u64 = 4_000_000;

/// Copies the store into the new file `to`, as the store is at one moment, with the store's permissions. Other processes
/// may write meanwhile. The file is incomplete after an error.
pub(super) async fn write(connect: &Connector, to: &Path) -> Copied {
    let file = create(to).map_err(|error| error.to_string())?;
    let mut conn = connect.copier().await.map_err(|error| error.to_string())?;
    let copied = vacuum_into(&mut conn, to).await;
    // An error loses nothing: the connection only read.
    let _ = conn.close().await;
    copied?;
    mark_as_copy(to)?;
    complete(&file, to, connect.path()).map_err(|error| error.to_string())
}

/// Does the same by `vacuum`, for a caller whose connection has locked the store.
pub(super) fn write_by(store: &Path, to: &Path, vacuum: impl FnOnce(&str) -> Copied) -> Copied {
    let file = create(to).map_err(|error| error.to_string())?;
    vacuum(name(to)?)?;
    mark_as_copy(to)?;
    complete(&file, to, store).map_err(|error| error.to_string())
}

async fn vacuum_into(conn: &mut SqliteConnection, to: &Path) -> Copied {
    let copied = query("VACUUM INTO ?").bind(name(to)?).execute(conn).await;
    copied.map(drop).map_err(|error| if is_full(&error) { "the disk is full".to_owned() } else { message(&error) })
}

/// Notes in a copy that it is one: whoever writes to it first begins a new epoch, since the store that it is a copy of
/// goes on. One of an earlier version gets its first epoch when it is migrated.
fn mark_as_copy(to: &Path) -> Copied {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    let copy = rusqlite::Connection::open(to).map_err(failed)?;
    let has_epoch = "SELECT count(*) FROM pragma_table_info('store_identity') WHERE name = 'is_copy'";
    if copy.query_row(has_epoch, (), |row| row.get::<_, i64>(0)).map_err(failed)? > 0 {
        copy.execute("UPDATE store_identity SET is_copy = 1", ()).map_err(failed)?;
    }
    copy.close().map_err(|(_, error)| failed(error))
}

fn name(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| "a path that is not UTF-8 cannot be written".to_owned())
}

/// Creates a file that no other user may read until it has the store's permissions.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Gives the copy the permissions of the store and, if this user may, its owner, and flushes it to disk.
fn complete(file: &File, path: &Path, store: &Path) -> io::Result<()> {
    let store = fs::metadata(store)?;
    // Without the right to change owners, the current user owns the copy; that user can read the store anyway.
    let _ = chown(path, Some(store.uid()), Some(store.gid()));
    file.set_permissions(Permissions::from_mode(store.mode() & 0o777))?;
    file.sync_all()
}

/// Gives a complete copy its name. The name survives a power loss from then on.
pub(super) fn publish(folder: &Path, unfinished: &Path, target: &Path) -> io::Result<()> {
    fs::rename(unfinished, target)?;
    File::open(folder)?.sync_all()
}

/// Checks that a copy of `bytes` fits into `folder`.
pub(super) fn check_free_space(folder: &Path, bytes: u64) -> Copied {
    let needed = bytes.saturating_add(FREE_SPACE_MARGIN);
    let disk = rustix::fs::statvfs(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free >= needed {
        return Ok(());
    }
    let (needed, free) = (needed.div_ceil(1_000_000), free / 1_000_000);
    Err(format!("{needed} MB are needed and {free} MB are free in {}", folder.display()))
}
