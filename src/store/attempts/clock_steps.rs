//! Waits that a clock which was set back would make longer.

use crate::domain::job::QueueClass;
use crate::domain::retry::RETRY_AFTER_CAP;
use crate::store::Result;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;

/// Ends every wait of a retry and of a host at the latest after the longest wait that there is, [`RETRY_AFTER_CAP`].
/// Automatic jobs that have not been tried keep their time, which their plan may have put anywhere in its interval.
pub(super) async fn shorten_waits(db: &Database) -> Result<()> {
    let auto = QueueClass::Auto.code();
    let longer = query(
        "SELECT EXISTS (SELECT 1 FROM @jobs WHERE state = 'scheduled' AND run_at > ?1 AND class <> ?2) \
         OR EXISTS (SELECT 1 FROM @hosts_sched WHERE held_until > ?1 OR spaced_until > ?1)",
    );
    let latest = db.now().plus(RETRY_AFTER_CAP).micros();
    if !get::<bool>(&db.reader().await?.one(longer.bind(latest).bind(auto)).await?, 0)? {
        return Ok(());
    }
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let latest = tx.now.plus(RETRY_AFTER_CAP).micros();
    let jobs = query("UPDATE @jobs SET run_at = ?1 WHERE state = 'scheduled' AND run_at > ?1 AND class <> ?2");
    tx.run(jobs.bind(latest).bind(auto)).await?;
    tx.run(query("UPDATE @hosts_sched SET held_until = ?1 WHERE held_until > ?1").bind(latest)).await?;
    tx.run(query("UPDATE @hosts_sched SET spaced_until = ?1 WHERE spaced_until > ?1").bind(latest)).await?;
    tx.commit().await?;
    Ok(())
}
