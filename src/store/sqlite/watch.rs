//! Watches for commits of other processes, so that a console shows their outcomes at once.

use super::connect::Connector;
use super::migrate;
use crate::store::Access;
use crate::store::version::{self, SchemaMismatch};
use sqlx::{Connection, Row, SqliteConnection, query};
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio::sync::watch::Sender;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Interval between two checks. A check costs some microseconds and no disk access.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Number of checks after a change that also read the schema version. One is not enough, since the log grows before the
/// commit is visible.
const SCHEMA_CHECKS: u32 = 20;

/// Value that is compared with the previous one to notice commits to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ChangeMarker {
    Unknown,
    /// The path leads to another file or none; the next access reports the reason.
    Missing,
    /// SQLite's counter `data_version`.
    Version(i64),
    /// Lengths and times of the file and its log, for a read-only store, which has no lasting connection.
    Files([Option<(u64, SystemTime)>; 2]),
}

/// Watches for commits of other processes until `stop` is cancelled: increments `changes` after a commit, and sets
/// `mismatches` when a newer program has migrated the store. Closes its connection before it ends, since SQLite deletes
/// its log with the last connection, which must be the one that writes.
pub(super) async fn other_processes(
    connect: Connector,
    changes: Sender<u64>,
    mismatches: Sender<Option<SchemaMismatch>>,
    stop: CancellationToken,
) {
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut conn = None;
    let mut last = ChangeMarker::Unknown;
    let mut schema_checks = 0;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let current = if connect.check_identity().is_err() {
            ChangeMarker::Missing
        } else if connect.access() == Access::ReadOnly {
            ChangeMarker::Files([length_and_mtime(connect.path()), length_and_mtime(&connect.with_suffix("-wal"))])
        } else {
            data_version(&connect, &mut conn).await
        };
        if current != last {
            schema_checks = SCHEMA_CHECKS;
        }
        if schema_checks > 0 && matches!(current, ChangeMarker::Version(_) | ChangeMarker::Files(_)) {
            schema_checks -= 1;
            if let Some(version) = schema_version(&connect, &mut conn).await {
                version::notify_if_newer(&mismatches, version);
            }
        }
        if current != last {
            if last != ChangeMarker::Unknown {
                changes.send_modify(|count| *count = count.wrapping_add(1));
            }
            last = current;
        }
    }
    if let Some(open) = conn {
        // An error loses nothing: the connection only read.
        let _ = open.close().await;
    }
}

fn length_and_mtime(path: &Path) -> Option<(u64, SystemTime)> {
    let data = std::fs::metadata(path).ok()?;
    Some((data.len(), data.modified().ok()?))
}

/// Reads the schema version, for a process that writes nothing and would otherwise not notice a migration. Returns
/// `None` if it cannot be read.
async fn schema_version(connect: &Connector, conn: &mut Option<SqliteConnection>) -> Option<i64> {
    match conn {
        Some(open) => migrate::version(open).await.ok(),
        None => {
            let mut open = connect.reader().await.ok()?;
            let version = migrate::version(&mut open).await.ok();
            // An error loses nothing: the connection only read.
            let _ = open.close().await;
            version
        }
    }
}

async fn data_version(connect: &Connector, conn: &mut Option<SqliteConnection>) -> ChangeMarker {
    if conn.is_none() {
        *conn = connect.reader().await.ok();
    }
    let Some(open) = conn.as_mut() else { return ChangeMarker::Unknown };
    match query("PRAGMA data_version").fetch_one(open).await {
        Ok(row) => ChangeMarker::Version(row.get(0)),
        Err(_) => {
            // The next check opens a new connection.
            *conn = None;
            ChangeMarker::Unknown
        }
    }
}
