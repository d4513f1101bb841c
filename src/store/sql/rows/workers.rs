//! Rows of `workers`.

use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::conn::get;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;

/// A worker by its row, or by a job that names it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Known {
    pub(in crate::store) id: String,
    /// When its heart beat last, UTC.
    pub(in crate::store) heartbeat_at: Timestamp,
}

/// The workers that have a row.
pub(in crate::store) async fn known(reader: &mut Reader) -> Result<Vec<Known>> {
    let rows = reader.all(query("SELECT id, heartbeat_at FROM @workers")).await?;
    let known = |row| Ok(Known { id: get(row, 0)?, heartbeat_at: Timestamp::from_micros(get(row, 1)?) });
    rows.iter().map(known).collect()
}
