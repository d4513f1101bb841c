//! Backups for people: a checked copy of a store in one file, made while others use the store, and its way back.

use super::connect::{Connector, check_header, check_library, create};
use super::epoch;
use super::examine::find_damage;
use super::file_copy;
use super::migrate::{self, FileState, file_size};
use super::safety_copy::{CopyPurpose, SafetyCopy};
use crate::domain::time::Timestamp;
use crate::fault;
use crate::store::sql::error::reading;
use crate::store::store_contents::StoreContents;
use crate::store::{Clock as _, Result, StoreError, SystemClock};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection as Blocking, ErrorCode, OpenFlags};
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Row as _, query};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::task::spawn_blocking;

/// Suffix of the name of an incomplete backup.
const UNFINISHED_SUFFIX: &str = ".unfinished";
/// Number of pages that a restore copies in one step.
const PAGES_PER_STEP: i32 = 1_000;
/// Longest wait of a restore for a process that is just closing the store.
const IN_USE_TIMEOUT: Duration = Duration::from_secs(2);

/// Copies the store at `path` into the new file `to`, checks the copy and returns its contents. Processes that use the
/// store are not held up. After an error there is no file `to`.
pub(in crate::store) async fn back_up(path: &Path, to: &Path) -> Result<StoreContents> {
    let connect = existing(path)?;
    let mut conn = connect.reader().await?;
    check_library(&mut conn).await?;
    let bytes = match migrate::file_state(&mut conn).await.map_err(|error| named(path, error))? {
        FileState::Store(_) => file_size(&mut conn).await?,
        FileState::Empty => return Err(unusable(path, "there is no store in this file")),
    };
    // An error loses nothing: the connection only read.
    let _ = conn.close().await;
    let to = std::path::absolute(to).map_err(|error| unusable(to, &error.to_string()))?;
    let folder = to.parent().unwrap_or(Path::new("/"));
    file_copy::check_free_space(folder, bytes).map_err(StoreError::Unusable)?;
    let unfinished = Unfinished::of(&to);
    file_copy::write(&connect, &unfinished.0).await.map_err(|why| unusable(&to, &why))?;
    fault::point("backup_written", "");
    let contents = contents(&unfinished.0).await?;
    file_copy::publish(folder, &unfinished.0, &to).map_err(|error| unusable(&to, &error.to_string()))?;
    Ok(contents)
}

/// An incomplete backup. A drop removes it, if it has not got another name.
struct Unfinished(PathBuf);

impl Unfinished {
    /// Removes what an earlier process left, which was killed.
    fn of(to: &Path) -> Self {
        let mut name = to.as_os_str().to_owned();
        name.push(UNFINISHED_SUFFIX);
        let unfinished = Self(name.into());
        unfinished.remove();
        unfinished
    }

    fn remove(&self) {
        let mut journal = self.0.clone().into_os_string();
        journal.push("-journal");
        for file in [self.0.as_os_str(), &journal] {
            // It is usually not there.
            let _ = std::fs::remove_file(file);
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Checks the file at `path`, a store or a backup, and returns its contents. Errors: [`StoreError::Unusable`] if it is
/// damaged, no store of this program, or one that this program is too old for.
pub(in crate::store) async fn contents(path: &Path) -> Result<StoreContents> {
    let connect = existing(path)?;
    let mut conn = connect.reader().await?;
    check_library(&mut conn).await?;
    let contents = read_contents(&mut conn).await.map_err(|error| named(path, error));
    let _ = conn.close().await;
    contents
}

async fn read_contents(conn: &mut SqliteConnection) -> Result<StoreContents> {
    let FileState::Store(version) = migrate::file_state(conn).await? else {
        return Err(StoreError::Unusable("there is no store in this file".into()));
    };
    if let Some(damage) = find_damage(conn).await?.first() {
        return Err(StoreError::Unusable(format!("is damaged: {damage}")));
    }
    let counts = "SELECT (SELECT count(*) FROM captain_documents), (SELECT count(*) FROM outcomes), \
         (SELECT at FROM outcomes ORDER BY seq DESC LIMIT 1)";
    let row = query(counts).fetch_one(&mut *conn).await.map_err(reading)?;
    let count = |index: usize| row.try_get::<i64, _>(index).map_err(reading);
    Ok(StoreContents {
        version,
        bytes: file_size(conn).await?,
        documents: count(0)?.unsigned_abs(),
        outcomes: count(1)?.unsigned_abs(),
        last_outcome: row.try_get::<Option<i64>, _>(2).map_err(reading)?.map(Timestamp::from_micros),
    })
}

/// Replaces the contents of the store at `path`, which is created if it is missing, by those of the backup `from`, which
/// [`contents`] has checked. It happens at once: after a kill or a power loss the store has its old contents or the new
/// ones. With `kept`, the contents that the store has now, a safety copy of them is made first; its path is returned.
///
/// Errors: [`StoreError::Unusable`] if a process uses the store, whose jobs and texts would change under it.
pub(in crate::store) async fn restore(
    from: &Path,
    path: &Path,
    kept: Option<&StoreContents>,
) -> Result<Option<PathBuf>> {
    let path = std::path::absolute(path).map_err(|error| unusable(path, &error.to_string()))?;
    let (from, version) = (from.to_owned(), kept.map(|kept| kept.version));
    let replaced = spawn_blocking(move || {
        let is_new = !path.exists();
        if is_new {
            create(&path).map_err(|error| unusable(&path, &error.to_string()))?;
        }
        let replaced = replace(&from, &path, version);
        if replaced.is_err() && is_new {
            // An empty file would look like a store of which everything is lost.
            let _ = std::fs::remove_file(&path);
        }
        replaced
    });
    replaced.await.map_err(|error| StoreError::Unavailable(error.to_string()))?
}

/// Locks the store for itself and replaces its contents in one transaction. `version` is the schema version of the
/// contents that are copied before.
fn replace(from: &Path, path: &Path, version: Option<i64>) -> Result<Option<PathBuf>> {
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => unusable(
            path,
            "a process is using the store; stop every console and worker, then restore again. Nothing was changed",
        ),
        Some(ErrorCode::DiskFull) => unusable(path, "the disk is full; free some space. Nothing was changed"),
        _ => unusable(path, &error.to_string()),
    };
    let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Blocking::open_with_flags(from, flags | OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    let mut target = Blocking::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
    target.busy_timeout(IN_USE_TIMEOUT).map_err(failed)?;
    // Every process that uses a store in WAL mode has a lock on it, so that no other mode can be set meanwhile.
    target.execute_batch("PRAGMA synchronous = FULL; PRAGMA locking_mode = EXCLUSIVE").map_err(failed)?;
    target.query_row("PRAGMA journal_mode = DELETE", (), |row| row.get::<_, String>(0)).map_err(failed)?;
    let copy = version.map(|version| {
        let connect = Connector::for_inspection(path)?;
        let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
        SafetyCopy::begin(&connect, version, bytes, SystemClock.now(), CopyPurpose::Restore)?
            .write_by(|to| target.execute("VACUUM INTO ?", [to]).map(drop).map_err(|error| error.to_string()))
    });
    let copy = copy.transpose()?;
    // Missing in a new file.
    let fence: i64 = target.query_row("SELECT fence FROM sched_clock", (), |row| row.get(0)).unwrap_or(0);
    let old_epoch: i64 = target.query_row("SELECT epoch FROM store_identity", (), |row| row.get(0)).unwrap_or(0);
    {
        let pages = Backup::new(&source, &mut target).map_err(failed)?;
        while pages.step(PAGES_PER_STEP).map_err(failed)? != StepResult::Done {
            fault::point("restoring", "");
        }
    }
    fault::point("restored", "");
    // Numbers of leases only grow, also over a restore. The backup of an old version may have none.
    let _ = target.execute("UPDATE sched_clock SET fence = max(fence, ?)", [fence]);
    // That of an old version gets its epoch when it is migrated. After a kill before this, the next process that writes
    // finds that this is a copy.
    let _ = target.execute(epoch::BEGIN, [old_epoch]);
    target.query_row("PRAGMA journal_mode = WAL", (), |row| row.get::<_, String>(0)).map_err(failed)?;
    target.close().map_err(|(_, error)| failed(error))?;
    Ok(copy)
}

/// Prepares to read a file that exists and is an SQLite file.
fn existing(path: &Path) -> Result<Connector> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(unusable(path, "is a folder")),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(unusable(path, "there is no such file"));
        }
        Err(error) => return Err(unusable(path, &error.to_string())),
    }
    check_header(path).map_err(|why| unusable(path, &why))?;
    Connector::for_inspection(path)
}

fn unusable(path: &Path, why: &str) -> StoreError {
    StoreError::Unusable(format!("{}: {why}", path.display()))
}

/// Names the file in the error's message.
fn named(path: &Path, error: StoreError) -> StoreError {
    match error {
        StoreError::Unusable(why) | StoreError::Corrupt(why) => unusable(path, &why),
        other => other,
    }
}
