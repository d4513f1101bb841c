//! Watches for commits of other processes, so that a console shows their outcomes at once.

use super::commit_counts::{CommitCounts, CountedChanges};
use super::connect::Connector;
use super::migrate;
use crate::store::Access;
use crate::store::version::{self, SchemaMismatch};
use sqlx::{Connection, Row, SqliteConnection, query};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch::Sender;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Interval between two polls. Most of them only compare the length and time of SQLite's log, which costs some
/// microseconds and no disk access.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Number of polls after a change of the log that read SQLite's counter `data_version`. One is not enough, since the log
/// is written and flushed before the commit is visible, and its time has a resolution of milliseconds.
const EAGER_POLLS: u32 = 4;
/// Every poll with this number reads the counter although the log has not changed, in case that a commit was slower.
const SURE_POLL: u32 = 10;

/// Number of checks of a read-only store after a change that also read the schema version and the counters of commits.
/// One is not enough, since the log grows before the commit is visible.
const FILE_CHECKS: u32 = 20;

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

impl ChangeMarker {
    /// Returns the number of checks, this one included, that read the store after the marker has changed to this one.
    const fn checks(&self) -> u32 {
        match self {
            Self::Unknown | Self::Missing => 0,
            Self::Version(_) => 1,
            Self::Files(_) => FILE_CHECKS,
        }
    }
}

/// Watches for commits of other processes until `stop` is cancelled: publishes what they have changed, and sets
/// `mismatches` when a newer program has migrated the store. Closes its connection before it ends, since SQLite deletes
/// its log with the last connection, which must be the one that writes.
pub(super) async fn other_processes(
    connect: Connector,
    changes: Arc<CountedChanges>,
    mismatches: Sender<Option<SchemaMismatch>>,
    stop: CancellationToken,
) {
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watcher = Watcher {
        connect,
        changes,
        mismatches,
        conn: None,
        version: None,
        log: None,
        eager_polls: EAGER_POLLS,
        lazy_polls: 0,
        counts: None,
        unexplained: false,
    };
    let mut last = ChangeMarker::Unknown;
    let mut checks = 0;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let current = watcher.marker().await;
        if current != last {
            watcher.unexplained = last != ChangeMarker::Unknown;
            checks = current.checks();
            last = current;
        }
        if checks > 0 {
            checks -= 1;
            watcher.check().await;
        }
        if checks == 0 {
            watcher.publish_unexplained();
        }
    }
    if let Some(open) = watcher.conn {
        // An error loses nothing: the connection only read.
        let _ = open.close().await;
    }
}

/// The state of the watching task.
struct Watcher {
    connect: Connector,
    changes: Arc<CountedChanges>,
    mismatches: Sender<Option<SchemaMismatch>>,
    /// The lasting connection; a read-only store has none.
    conn: Option<SqliteConnection>,
    /// SQLite's counter `data_version` when it was read last.
    version: Option<i64>,
    /// Length and time of the log at the last poll.
    log: Option<(u64, SystemTime)>,
    /// Number of further polls that read the counter because the log has changed.
    eager_polls: u32,
    /// Number of polls since the counter was read.
    lazy_polls: u32,
    /// The counters of commits that were read last.
    counts: Option<CommitCounts>,
    /// The marker has changed and the counters have not: as far as is known, another program has changed something.
    unexplained: bool,
}

impl Watcher {
    async fn marker(&mut self) -> ChangeMarker {
        let connect = &self.connect;
        if connect.check_identity().is_err() {
            return ChangeMarker::Missing;
        }
        if connect.access() == Access::ReadOnly {
            return ChangeMarker::Files([
                length_and_mtime(connect.path()),
                length_and_mtime(&connect.with_suffix("-wal")),
            ]);
        }
        let log = length_and_mtime(&connect.with_suffix("-wal"));
        if log != self.log {
            (self.log, self.eager_polls) = (log, EAGER_POLLS);
        }
        self.lazy_polls += 1;
        if self.eager_polls == 0
            && self.lazy_polls < SURE_POLL
            && let Some(version) = self.version
        {
            return ChangeMarker::Version(version);
        }
        (self.eager_polls, self.lazy_polls) = (self.eager_polls.saturating_sub(1), 0);
        self.version = self.data_version().await;
        self.version.map_or(ChangeMarker::Unknown, ChangeMarker::Version)
    }

    /// Reads SQLite's counter `data_version`; `None` if it cannot be read.
    async fn data_version(&mut self) -> Option<i64> {
        if self.conn.is_none() {
            self.conn = self.connect.reader().await.ok();
        }
        match query("PRAGMA data_version").fetch_one(self.conn.as_mut()?).await {
            Ok(row) => Some(row.get(0)),
            Err(_) => {
                // The next poll opens a new connection.
                self.conn = None;
                None
            }
        }
    }

    /// Reads the schema version, for a process that writes nothing and would otherwise not notice a migration, and the
    /// counters of commits; publishes what they show. What cannot be read stays as it is.
    async fn check(&mut self) {
        let (version, counts) = match &mut self.conn {
            Some(open) => read(open).await,
            None => {
                let Ok(mut open) = self.connect.reader().await else { return };
                let read = read(&mut open).await;
                // An error loses nothing: the connection only read.
                let _ = open.close().await;
                read
            }
        };
        if let Some(version) = version {
            version::notify_if_newer(&self.mismatches, version);
        }
        if let Some(counts) = counts {
            self.unexplained &= self.counts.is_none_or(|last| last == counts);
            self.counts = Some(counts);
            self.changes.observed(counts);
        }
    }

    fn publish_unexplained(&mut self) {
        if std::mem::take(&mut self.unexplained) {
            self.changes.changed();
        }
    }
}

async fn read(conn: &mut SqliteConnection) -> (Option<i64>, Option<CommitCounts>) {
    (migrate::version(conn).await.ok(), CommitCounts::read(conn).await.ok())
}

fn length_and_mtime(path: &Path) -> Option<(u64, SystemTime)> {
    let data = std::fs::metadata(path).ok()?;
    Some((data.len(), data.modified().ok()?))
}
