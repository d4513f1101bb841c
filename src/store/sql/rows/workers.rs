//! Rows of `workers`.

use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::migrations::VERSION;
use crate::store::sql::conn::get;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;

/// A worker by its row, or by a job that names it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Known {
    pub(in crate::store) id: String,
    /// When its heart beat last, UTC.
    pub(in crate::store) heartbeat_at: Timestamp,
    /// Its program was built for an older schema than the store has now.
    pub(in crate::store) outdated: bool,
}

/// The workers that have a row.
pub(in crate::store) async fn known(reader: &mut Reader) -> Result<Vec<Known>> {
    let rows = reader.all(query("SELECT id, heartbeat_at, schema_version FROM @workers")).await?;
    let known = |row| {
        let version: Option<i64> = get(row, 2)?;
        Ok(Known {
            id: get(row, 0)?,
            heartbeat_at: Timestamp::from_micros(get(row, 1)?),
            outdated: version.is_none_or(|version| version < VERSION),
        })
    };
    rows.iter().map(known).collect()
}
