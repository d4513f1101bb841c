//! Search for running workers whose program was built for an older schema.

use super::super::Result;
use super::connect::Connector;
use super::locks::WorkerLocks;
use crate::domain::text::SafeLine;
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::sql::error::reading;
use crate::store::upgrade::OlderWorker;
use sqlx::{Row as _, SqliteConnection, query};

/// Returns the running workers whose program was built for an older schema, longest running first. A worker counts as
/// running while its lock file is locked.
pub(super) async fn workers(connect: &Connector, conn: &mut SqliteConnection) -> Result<Vec<OlderWorker>> {
    let has_versions = "SELECT EXISTS (SELECT 1 FROM pragma_table_info('workers') WHERE name = 'schema_version')";
    let has_versions: bool =
        query(has_versions).fetch_one(&mut *conn).await.map_err(reading)?.try_get(0).map_err(reading)?;
    let known = if has_versions {
        "SELECT id, name, schema_version FROM workers ORDER BY started_at, id"
    } else {
        "SELECT id, name, NULL FROM workers ORDER BY started_at, id"
    };
    let locks = WorkerLocks::in_folder(connect.with_suffix(".workers"));
    let mut older = Vec::new();
    for row in query(known).fetch_all(conn).await.map_err(reading)? {
        let id: String = row.try_get(0).map_err(reading)?;
        let version: Option<i64> = row.try_get(2).map_err(reading)?;
        if version.is_none_or(|version| version < SCHEMA_VERSION) && !locks.process_is_gone(&id) {
            older.push(OlderWorker { name: SafeLine::new(row.try_get(1).map_err(reading)?), version });
        }
    }
    Ok(older)
}
