//! Rows of `workers`, one per registered worker process.

use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::sql::conn::get;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;

/// A worker that is registered (has a row), or that only a running job names.
#[derive(Clone, Debug)]
pub(in crate::store) struct KnownWorker {
    pub(in crate::store) id: String,
    /// Last heartbeat, UTC; the earliest possible time for a worker without a row.
    pub(in crate::store) heartbeat_at: Timestamp,
    /// True if the worker's program was built for an older schema version than this program, or recorded no version.
    pub(in crate::store) outdated: bool,
}

/// Returns the workers that have a row.
pub(in crate::store) async fn known_workers(reader: &mut Reader) -> Result<Vec<KnownWorker>> {
    let rows = reader.all(query("SELECT id, heartbeat_at, schema_version FROM @workers")).await?;
    let known = |row| {
        let version: Option<i64> = get(row, 2)?;
        Ok(KnownWorker {
            id: get(row, 0)?,
            heartbeat_at: Timestamp::from_micros(get(row, 1)?),
            outdated: version.is_none_or(|version| version < SCHEMA_VERSION),
        })
    };
    rows.iter().map(known).collect()
}
