//! Migrates a store: all missing migrations in one transaction, so that a kill between two statements leaves nothing
//! behind and two processes that start at once do not interfere. Before that, a store with data is copied.

use super::connect::{Connector, begin_immediate, check_library};
use super::epoch;
use super::older;
use super::safety_copy::{CopyPurpose, SafetyCopy};
use crate::fault;
use crate::store::migrations::{
    FIRST_VERSION_WITH_CHECKSUMS, MIGRATIONS, SCHEMA_VERSION, altered_message, checksum, first_altered, pending,
};
use crate::store::sql::error::{reading, writing};
use crate::store::unfinished_copy;
use crate::store::upgrade::{OlderWorker, UpgradeOptions, UpgradeReport};
use crate::store::{Clock as _, Result, StoreError, SystemClock};
use futures_util::StreamExt as _;
use sqlx::{AssertSqlSafe, Connection as _, Row, SqliteConnection, query, raw_sql};
use std::path::PathBuf;
use std::time::Duration;

/// The longest wait for another process that copies and migrates the store.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// State of a file: empty, or a store of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    /// The file has no tables.
    Empty,
    /// The file is a store of this program, with this number of migrations applied.
    Store(i64),
}

/// Reads the state like [`state_for_copy`], and refuses a store that a copy has not completed.
pub(super) async fn file_state(conn: &mut SqliteConnection) -> Result<FileState> {
    let state = state_for_copy(conn).await?;
    let marked = query("SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?");
    let marked = marked.bind(unfinished_copy::TABLE).fetch_one(&mut *conn).await.map_err(reading)?;
    if marked.try_get::<i64, _>(0).map_err(reading)? > 0 {
        let source = query("SELECT source FROM copy_progress").fetch_optional(&mut *conn).await.map_err(reading)?;
        let source = source.map(|row| row.try_get(0)).transpose().map_err(reading)?.unwrap_or_else(String::new);
        return Err(StoreError::Unusable(unfinished_copy::message(&source)));
    }
    Ok(state)
}

/// Reads the state without changing the file. Errors: [`StoreError::Unusable`] for newer stores, and for those of other
/// programs and builds.
pub(super) async fn state_for_copy(conn: &mut SqliteConnection) -> Result<FileState> {
    let version = version(conn).await?;
    let tables: Vec<String> =
        query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")
            .fetch_all(&mut *conn)
            .await
            .map_err(reading)?
            .iter()
            .map(|row| row.get(0))
            .collect();
    let has = |name: &str| tables.iter().any(|table| table == name);
    if tables.is_empty() && version == 0 {
        return Ok(FileState::Empty);
    }
    if !has("outcome_seq") {
        return Err(StoreError::Unusable(
            "this SQLite database belongs to another program and was not touched; name another file".into(),
        ));
    }
    if !(0..=SCHEMA_VERSION).contains(&version) {
        return Err(StoreError::Unusable(format!(
            "this store is newer (version {version}) than this program (version {SCHEMA_VERSION}); use a newer \
             quarterdeck"
        )));
    }
    if has("migrations") {
        let rows = query("SELECT version, checksum FROM migrations ORDER BY version").fetch_all(conn).await;
        let rows = rows.map_err(reading)?;
        let pair = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
        let applied = rows.iter().map(pair).collect::<std::result::Result<Vec<_>, _>>().map_err(reading)?;
        if let Some(version) = first_altered(applied, |file| file.sqlite) {
            return Err(StoreError::Unusable(altered_message(version)));
        }
    }
    Ok(FileState::Store(version))
}

/// Returns the schema version of the file, which is the number of applied migrations.
pub(super) async fn version(conn: &mut SqliteConnection) -> Result<i64> {
    query("PRAGMA user_version").fetch_one(conn).await.map_err(reading)?.try_get(0).map_err(reading)
}

/// Returns true if a store in this state needs no migration.
pub(super) fn is_current(state: FileState) -> bool {
    state == FileState::Store(SCHEMA_VERSION)
}

/// Returns the size of the file in bytes, as SQLite counts it: with what is only in its log.
pub(super) async fn file_size(conn: &mut SqliteConnection) -> Result<u64> {
    let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let bytes: i64 = query(size).fetch_one(conn).await.map_err(reading)?.try_get(0).map_err(reading)?;
    Ok(u64::try_from(bytes).unwrap_or_default())
}

/// Returns true if the store has documents or outcomes, which are worth a copy.
pub(super) async fn holds_anything(conn: &mut SqliteConnection) -> Result<bool> {
    let any = "SELECT EXISTS (SELECT 1 FROM captain_documents) OR EXISTS (SELECT 1 FROM outcomes)";
    query(any).fetch_one(conn).await.map_err(reading)?.try_get(0).map_err(reading)
}

/// Brings the file up to date, or creates the store in it. Returns the upgrade of an existing store; `None` if there
/// was none.
pub(super) async fn migrate(connect: &Connector, how: UpgradeOptions) -> Result<Option<UpgradeReport>> {
    let mut conn = connect.writer().await?;
    check_library(&mut conn).await?;
    let done = if is_current(state_for_copy(&mut conn).await?) {
        None
    } else {
        migrate_locked(connect, &mut conn, how).await?
    };
    epoch::begin_in_copy(connect, &mut conn).await?;
    conn.close().await.map_err(writing)?;
    Ok(done)
}

/// Migrates under the write lock: nobody registers, writes or migrates meanwhile. Returns the upgrade of an existing
/// store; `None` if the store is new or another process has migrated it. After an error, closing the connection ends
/// the transaction.
async fn migrate_locked(
    connect: &Connector,
    conn: &mut SqliteConnection,
    how: UpgradeOptions,
) -> Result<Option<UpgradeReport>> {
    begin_immediate(connect, conn, LOCK_TIMEOUT).await?;
    // Read a second time: another process may have migrated while this one waited for the lock.
    let state = state_for_copy(conn).await?;
    let (from, copy) = match state {
        FileState::Store(SCHEMA_VERSION) => {
            query("ROLLBACK").execute(conn).await.map_err(writing)?;
            return Ok(None);
        }
        FileState::Store(from) => {
            if !how.force {
                refuse_older_workers(connect, conn, from).await?;
            }
            (Some(from), back_up(connect, conn, from, how).await?)
        }
        FileState::Empty => (None, None),
    };
    for (version, migration) in pending(from.unwrap_or(0)) {
        let mut statements = raw_sql(migration.sqlite).execute_many(&mut *conn);
        let mut done = 0;
        while let Some(statement) = statements.next().await {
            statement.map_err(writing)?;
            done += 1;
            fault::point("migrating", &format!("version {version}, statement {done}."));
        }
    }
    store_checksums(conn).await?;
    query(AssertSqlSafe(format!("PRAGMA user_version = {SCHEMA_VERSION}")))
        .execute(&mut *conn)
        .await
        .map_err(writing)?;
    fault::point("before_commit", "");
    query("COMMIT").execute(&mut *conn).await.map_err(writing)?;
    fault::point("migrated", "");
    Ok(from.map(|from| UpgradeReport { from, to: SCHEMA_VERSION, copy }))
}

async fn refuse_older_workers(connect: &Connector, conn: &mut SqliteConnection, version: i64) -> Result<()> {
    let older = older::workers(connect, conn).await?;
    if older.is_empty() {
        return Ok(());
    }
    Err(StoreError::Unusable(format!(
        "the store has version {version}, and an older quarterdeck is using it: {}; stop that worker and restart, or \
         run `quarterdeck migrate`, which waits for its end (`quarterdeck migrate --force` does not)",
        OlderWorker::names(&older)
    )))
}

async fn back_up(
    connect: &Connector,
    conn: &mut SqliteConnection,
    version: i64,
    how: UpgradeOptions,
) -> Result<Option<PathBuf>> {
    if !how.backup || !holds_anything(conn).await? {
        return Ok(None);
    }
    let bytes = file_size(conn).await?;
    let copy = SafetyCopy::begin(connect, version, bytes, SystemClock.now(), CopyPurpose::Migration)?;
    copy.write(connect).await.map(Some)
}

/// Records the checksums of the applied files. Migrations from before checksums were recorded are assumed to have come
/// from this program's files.
async fn store_checksums(conn: &mut SqliteConnection) -> Result<()> {
    const { assert!(SCHEMA_VERSION >= FIRST_VERSION_WITH_CHECKSUMS) };
    for (version, migration) in (1_i64..).zip(&MIGRATIONS) {
        let keep = query("INSERT OR IGNORE INTO migrations (version, checksum) VALUES (?, ?)").bind(version);
        keep.bind(checksum(migration.sqlite)).execute(&mut *conn).await.map_err(writing)?;
    }
    Ok(())
}
