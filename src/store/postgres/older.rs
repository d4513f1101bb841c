//! Search for running workers whose program was built for an older schema.

use super::session::{granted_locks, lock_key};
use super::{HEARTBEAT_TIMEOUT, Timestamp, get, query, reading};
use crate::domain::text::SafeLine;
use crate::store::Result;
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::sql::conn::Conn;
use crate::store::upgrade::OlderWorker;

/// Returns the running workers whose program was built for an older schema, longest running first. A worker counts as
/// running while it has its lock or, without a lock (PgBouncer), while its last heartbeat is recent.
pub(super) async fn workers(conn: &mut Conn) -> Result<Vec<OlderWorker>> {
    // Read as JSON, since an older schema lacks the column `schema_version`.
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
