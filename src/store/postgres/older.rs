//! Running workers of a database that were built for an older schema.

use super::session::{granted_locks, lock_key};
use super::{HEARTBEAT_TIMEOUT, Timestamp, get, query, reading};
use crate::domain::text::SafeLine;
use crate::store::Result;
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::sql::conn::Conn;
use crate::store::upgrade::OlderWorker;

/// Returns these workers, the longest running first. A worker lives as long as it has its lock or, without a lock
/// (PgBouncer), as long as its last heartbeat is recent.
pub(super) async fn workers(conn: &mut Conn) -> Result<Vec<OlderWorker>> {
    // As JSON, since the column of versions is newer than the table.
    let known = query(
        "SELECT id, name, (to_jsonb(w) ->> 'schema_version')::bigint AS version, lease_only, heartbeat_at, \
         micros(clock_timestamp() AT TIME ZONE 'UTC') AS now FROM @workers w ORDER BY started_at, id",
    );
    let known = conn.fetch_all(known).await.map_err(reading)?;
    let locks = granted_locks(conn).await?;
    let mut older = Vec::new();
    for row in &known {
        let at = |column: &str| get(row, column).map(Timestamp::from_micros);
        let lives = if get(row, "lease_only")? {
            at("now")?.since(at("heartbeat_at")?) <= HEARTBEAT_TIMEOUT
        } else {
            locks.contains(&lock_key(get(row, "id")?))
        };
        let version: Option<i64> = get(row, "version")?;
        if lives && version.is_none_or(|version| version < SCHEMA_VERSION) {
            older.push(OlderWorker { name: SafeLine::new(get(row, "name")?), version });
        }
    }
    Ok(older)
}
