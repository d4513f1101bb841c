//! Opens the file of a store: refuses unusable files before it changes them, and configures each connection.

use super::error::is_busy;
use super::file_identity::FileIdentity;
use super::migrate::{self, FileState};
use super::write_lock::lock_error;
use crate::store::sql::error::reading;
use crate::store::upgrade::{UpgradeOptions, UpgradeReport};
use crate::store::{Access, Result, StoreError};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Row, query, raw_sql};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Longest wait for a lock that another process has, except that of a migration.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait inside SQLite before the writer requests the lock again. SQLite's own retry intervals grow to 100 ms. A
/// writer that retries so seldom could miss every moment at which another process's bulk change leaves the lock free.
pub(super) const WRITER_BUSY_TIMEOUT: Duration = Duration::from_millis(20);
/// First SQLite version without the WAL-reset bug that corrupts databases.
const OLDEST_LIBRARY: [u32; 3] = [3, 51, 3];
/// The first bytes of every SQLite file.
const FILE_HEADER: &[u8; 16] = b"SQLite format 3\0";

/// Opens connections to one file.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    path: PathBuf,
    access: Access,
    /// Identity of the opened file. `None` for a read-only store, which opens the current file for each read.
    identity: Option<FileIdentity>,
}

impl Connector {
    /// Checks the file at `path` and, as far as `access` allows, creates what is missing and migrates an older store.
    /// Also returns the upgrade of an existing store; `None` if there was none.
    pub(super) async fn prepare(
        path: &Path,
        access: Access,
        how: UpgradeOptions,
    ) -> Result<(Self, Option<UpgradeReport>)> {
        let unusable = |message: String| StoreError::Unusable(format!("{}: {message}", path.display()));
        let path = std::path::absolute(path).map_err(|error| unusable(error.to_string()))?;
        let unusable = |message: String| StoreError::Unusable(format!("{}: {message}", path.display()));
        let folder = path.parent().unwrap_or(Path::new("/"));
        if access.creates() {
            std::fs::create_dir_all(folder)
                .map_err(|error| unusable(format!("the folder cannot be created: {error}")))?;
        }
        let exists = match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() => {
                return Err(unusable("is a folder, not a store; name a file with --store".into()));
            }
            Ok(_) => true,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(unusable(format!("cannot be read: {error}"))),
        };
        if !exists && !access.creates() {
            return Err(unusable("there is no store here; `quarterdeck add` creates one".into()));
        }
        check_file_system(if exists { &path } else { folder }).map_err(&unusable)?;
        if exists {
            check_header(&path).map_err(&unusable)?;
        }
        let access = match check_writable(&path, folder, exists) {
            Err(_) if access == Access::Read => Access::ReadOnly,
            Err(wrong) if access != Access::ReadOnly => return Err(unusable(wrong)),
            _ => access,
        };
        if !exists {
            create(&path).map_err(|error| unusable(format!("cannot be created: {error}")))?;
        }
        let mut connect = Self { path: path.clone(), access, identity: None };
        let upgraded = connect.migrate_if_needed(exists, how).await.map_err(|error| match error {
            StoreError::Unusable(message) | StoreError::Corrupt(message) => unusable(message),
            other => other,
        })?;
        if connect.access != Access::ReadOnly {
            let identity = FileIdentity::of(&path).map_err(|error| unusable(format!("cannot be read: {error}")))?;
            connect.identity = Some(identity);
        }
        Ok((connect, upgraded))
    }

    /// Prepares to inspect the file at `path` without changing it, even if it is unusable.
    pub(super) fn for_inspection(path: &Path) -> Result<Self> {
        let unusable = |error: std::io::Error| StoreError::Unusable(format!("{}: {error}", path.display()));
        Ok(Self { path: std::path::absolute(path).map_err(unusable)?, access: Access::ReadOnly, identity: None })
    }

    /// Checks that the path still leads to the opened file; always succeeds for a read-only store. Errors:
    /// [`StoreError::Unavailable`].
    pub(super) fn check_identity(&self) -> Result<()> {
        self.identity.map_or(Ok(()), |identity| identity.check(&self.path))
    }

    /// Opens the first connection of a store that is only read. Where SQLite has no space for its files beside the store,
    /// none is created from now on.
    async fn first_reader(&mut self) -> Result<SqliteConnection> {
        if self.access == Access::Read {
            // SQLite creates its files with the first statement.
            if let Ok(mut conn) = self.reader().await
                && migrate::version(&mut conn).await.is_ok()
            {
                return Ok(conn);
            }
            self.access = Access::ReadOnly;
        }
        self.reader().await
    }

    async fn migrate_if_needed(&mut self, exists: bool, how: UpgradeOptions) -> Result<Option<UpgradeReport>> {
        if self.access.is_read_only() {
            let mut conn = self.first_reader().await?;
            check_library(&mut conn).await?;
            if !migrate::is_current(migrate::file_state(&mut conn).await?) {
                return Err(StoreError::Unusable(
                    "the store was made by an older quarterdeck and must be migrated first; run `quarterdeck migrate`"
                        .into(),
                ));
            }
            return conn.close().await.map(|()| None).map_err(reading);
        }
        if exists {
            // Checked before the first pragma that writes: another program's database stays unchanged.
            let mut conn = connect_with_retry(self.options(false).pragma("query_only", "1")).await.map_err(reading)?;
            let state = match self.access {
                Access::CopyTarget => migrate::state_for_copy(&mut conn).await,
                _ => migrate::file_state(&mut conn).await,
            };
            conn.close().await.map_err(reading)?;
            if state? == FileState::Empty && self.access == Access::Write {
                return Err(StoreError::Unusable(
                    "there is no store in this file; `quarterdeck add` creates one".into(),
                ));
            }
        }
        migrate::migrate(self, how).await
    }

    fn options(&self, read_only: bool) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(!read_only && self.access.creates())
            .read_only(read_only)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(false)
            .statement_cache_capacity(200)
            .disable_statement_logging()
    }

    /// Opens a connection that writes. `synchronous=FULL`: a commit that was reported survives a power loss.
    pub(super) async fn writer(&self) -> Result<SqliteConnection> {
        // In a new file, pages that nothing uses any more can be given back. Before everything else: the first write
        // decides it.
        let options = self.options(false).auto_vacuum(SqliteAutoVacuum::Incremental);
        let options = options.pragma("journal_mode", "WAL").pragma("synchronous", "FULL");
        let since = Instant::now();
        connect_with_retry(options.pragma("cache_size", "-16384").busy_timeout(WRITER_BUSY_TIMEOUT))
            .await
            .map_err(|error| lock_error(error, &self.path, since))
    }

    /// Opens a connection that copies the store into another file; it cannot write to the store itself.
    pub(super) async fn copier(&self) -> Result<SqliteConnection> {
        self.options(true).connect().await.map_err(reading)
    }

    /// Returns the options of connections that read while another process may write.
    pub(super) fn reader_options(&self) -> SqliteConnectOptions {
        // Small, since there are several such connections: the system has the pages that they read in its own cache.
        // SQLite's log is removed with the last connection to the file if that one may write; these do not otherwise.
        self.options(self.access != Access::Read).pragma("query_only", "1").pragma("cache_size", "-2048")
    }

    /// Opens a connection that reads. If the store is opened read-only and nobody writes (SQLite's log beside the file
    /// is missing or empty), the file is opened as immutable. SQLite would otherwise create files beside it, which
    /// fails on a full disk.
    pub(super) async fn reader(&self) -> Result<SqliteConnection> {
        let logged = || std::fs::metadata(self.with_suffix("-wal")).is_ok_and(|log| log.len() > 0);
        let at_rest = self.access == Access::ReadOnly && !logged();
        self.reader_options().immutable(at_rest).connect().await.map_err(reading)
    }

    /// Returns the access with which the file was opened.
    pub(super) fn access(&self) -> Access {
        self.access
    }

    /// Returns the absolute path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path with `end` appended.
    pub(super) fn with_suffix(&self, end: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(end);
        PathBuf::from(name)
    }
}

/// Begins a write transaction, and returns the schema version read in it. Waits up to `timeout` while another process
/// has the lock.
pub(super) async fn begin_immediate(
    connect: &Connector,
    conn: &mut SqliteConnection,
    timeout: Duration,
) -> Result<i64> {
    let since = Instant::now();
    loop {
        match raw_sql("BEGIN IMMEDIATE; PRAGMA user_version").fetch_one(&mut *conn).await {
            Ok(version) => return version.try_get(0).map_err(reading),
            Err(error) if is_busy(&error) && since.elapsed() < timeout => {}
            Err(error) => return Err(lock_error(error, connect.path(), since)),
        }
    }
}

/// Connects, and waits up to [`BUSY_TIMEOUT`] while another process switches the file to WAL mode: SQLite's own timeout
/// does not cover that.
async fn connect_with_retry(options: SqliteConnectOptions) -> std::result::Result<SqliteConnection, sqlx::Error> {
    let until = Instant::now() + BUSY_TIMEOUT;
    loop {
        match options.connect().await {
            Err(error) if is_busy(&error) && Instant::now() < until => sleep(Duration::from_millis(10)).await,
            other => return other,
        }
    }
}

pub(super) async fn check_library(conn: &mut SqliteConnection) -> Result<()> {
    let version: String = query("SELECT sqlite_version()").fetch_one(conn).await.map_err(reading)?.get(0);
    let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
    if parts.as_slice() >= OLDEST_LIBRARY.as_slice() {
        return Ok(());
    }
    Err(StoreError::Unusable(format!("SQLite {version} can damage databases; at least 3.51.3 is needed")))
}

pub(super) fn check_header(path: &Path) -> std::result::Result<(), String> {
    let mut file = std::fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut start = Vec::with_capacity(FILE_HEADER.len());
    file.by_ref().take(16).read_to_end(&mut start).map_err(|error| format!("cannot be read: {error}"))?;
    if start.is_empty() || start == FILE_HEADER {
        Ok(())
    } else {
        Err("is not an SQLite database and was not touched; name another file with --store".into())
    }
}

pub(super) fn check_writable(path: &Path, folder: &Path, exists: bool) -> std::result::Result<(), String> {
    use rustix::fs::{Access as Mode, access};
    if exists && access(path, Mode::READ_OK | Mode::WRITE_OK).is_err() {
        return Err("is not writable for this user; use --read-only to read it".into());
    }
    // SQLite keeps its log beside the file.
    if access(folder, Mode::WRITE_OK | Mode::EXEC_OK).is_err() {
        return Err(
            "its folder is not writable for this user, but SQLite writes there; use --read-only to read it".into()
        );
    }
    Ok(())
}

/// Refuses network file systems: their locks do not guarantee what SQLite's log needs.
#[cfg(target_os = "linux")]
pub(super) fn check_file_system(at: &Path) -> std::result::Result<(), String> {
    let found = rustix::fs::statfs(at).map_err(|error| format!("its file system is unknown: {error}"))?;
    match network_file_system(u64::try_from(found.f_type).unwrap_or_default() & 0xffff_ffff) {
        Some(kind) => Err(format!("is on a network file system ({kind}), where SQLite's locks do not work")),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn check_file_system(_at: &Path) -> std::result::Result<(), String> {
    Ok(())
}

/// Returns the name of a network file system by its magic number of statfs(2); `None` for other file systems. Every
/// FUSE file system counts, since sshfs and the like cannot be distinguished from local ones.
#[cfg(target_os = "linux")]
fn network_file_system(magic: u64) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517b => "SMB",
        0xff53_4d42 => "CIFS",
        0xfe53_4d42 => "SMB2",
        0x6573_5546 => "FUSE",
        0x5346_414f => "AFS",
        0x00c3_6400 => "Ceph",
        _ => return None,
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        assert_eq!(network_file_system(0x6969), Some("NFS"));
        assert_eq!(network_file_system(0xff53_4d42), Some("CIFS"));
        assert_eq!(network_file_system(0xef53), None, "ext4");
        assert_eq!(check_file_system(Path::new("/")), Ok(()));
    }
}

/// Creates an empty file. SQLite itself would create one that its group cannot write, whatever the process's mask of file
/// modes says, and gives the files beside it the same mode.
pub(super) fn create(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o660).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        // Another process has just created it.
        Ok(_) | Err(_) => Ok(()),
    }
}
