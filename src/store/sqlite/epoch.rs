//! Epochs of a store's history. A copy begins a new one, since the store that it was made of goes on, and both give the
//! same numbers to other outcomes.

use super::connect::{BUSY_TIMEOUT, Connector, begin_immediate};
use crate::store::Result;
use crate::store::sql::error::{reading, writing};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection, query};

/// Begins an epoch later than the store's own and than `?1`: the time in milliseconds since 1970. A copy that is put in
/// place does not know the epochs of the store before; two of one second would be the same.
pub(super) const BEGIN: &str = "UPDATE store_identity SET is_copy = 0, \
     epoch = max(epoch + 1, ?1 + 1, CAST(unixepoch('subsec') * 1000 AS INTEGER))";

/// Begins a new epoch if the store is a copy that nobody has written to.
pub(super) async fn begin_in_copy(connect: &Connector, conn: &mut SqliteConnection) -> Result<()> {
    let is_copy = "SELECT is_copy FROM store_identity WHERE id = 1";
    if query(is_copy).fetch_one(&mut *conn).await.map_err(reading)?.try_get::<i64, _>(0).map_err(reading)? == 0 {
        return Ok(());
    }
    begin_immediate(connect, conn, BUSY_TIMEOUT).await?;
    // Another process may have begun it meanwhile.
    query(AssertSqlSafe(format!("{BEGIN} WHERE is_copy = 1")))
        .bind(0_i64)
        .execute(&mut *conn)
        .await
        .map_err(writing)?;
    query("COMMIT").execute(&mut *conn).await.map(drop).map_err(writing)
}
