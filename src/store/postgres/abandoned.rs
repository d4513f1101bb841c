//! Stops reads whose caller went away. A server runs a statement to its end although nobody awaits the result, and even
//! after the connection was closed.

use super::pool::{OpenConnection, Pool, PoolShare};
use crate::store::sql::conn::Conn;
use crate::store::sql::statement::query;
use sqlx::{Connection, Error, raw_sql};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

/// Longest wait for the responses to the stopped statement and to the end of its transaction.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection with a read in progress whose result nobody awaits any more.
pub(super) struct AbandonedRead {
    pub(super) open: OpenConnection,
    pub(super) in_transaction: bool,
    /// Kept until the statement has ended, so that abandoned reads count as connections in use.
    pub(super) permit: OwnedSemaphorePermit,
}

/// Stops the statement and puts the connection back into the pool, or closes the connection if that fails. The
/// connection stays open meanwhile, so the process id of its server process cannot belong to another connection.
pub(super) async fn stop(pool: Arc<Pool>, mut read: AbandonedRead) {
    let Some(backend) = read.open.backend else { return };
    let Ok(other) = pool.acquire(PoolShare::Heartbeat).await else { return };
    let cancel = query("SELECT pg_cancel_backend(CAST(? AS INTEGER))").bind(i64::from(backend));
    if Conn::Postgres(other).execute(cancel).await.is_err() {
        return;
    }
    if timeout(STOP_TIMEOUT, settle(&mut read)).await.is_ok_and(|settled| settled.is_ok()) {
        pool.put_back(read.open);
    }
    drop(read.permit);
}

/// Awaits the responses to the stopped statement and ends its transaction.
async fn settle(read: &mut AbandonedRead) -> Result<(), Error> {
    let conn = &mut read.open.conn;
    match conn.ping().await {
        // The response to the stopped statement.
        Ok(()) | Err(Error::Database(_)) => {}
        Err(error) => return Err(error),
    }
    if read.in_transaction { raw_sql("ROLLBACK").execute(conn).await.map(drop) } else { conn.ping().await }
}
