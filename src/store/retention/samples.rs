//! Removal of samples, always the oldest ones.

use super::{MAX_ROWS, RemovalState, Step};
use crate::domain::sample::KEPT;
use crate::store::interface::retention::Removed;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::{Result, RetentionStep};

/// Removes the oldest samples that are no longer kept.
pub(super) async fn step(db: &Database, state: &RemovalState, holder: &str) -> Result<RetentionStep> {
    let rows = state.rows().min(MAX_ROWS);
    let oldest = query(
        "SELECT max(minute) FROM (SELECT minute FROM @samples WHERE minute < ?1 ORDER BY minute LIMIT ?2) AS oldest",
    );
    let oldest = oldest.bind(db.now().minus(KEPT).micros()).bind(rows);
    let row = db.reader().await?.one(oldest).await?;
    let Some(last) = get::<Option<i64>>(&row, 0)? else { return Ok(RetentionStep::Done) };
    let Some(mut step) = Step::begin(db, holder).await? else { return Ok(RetentionStep::LeaseTaken) };
    let removed = step.tx.run_quietly(query("DELETE FROM @samples WHERE minute <= ?").bind(last)).await?;
    step.end(state, removed).await?;
    Ok(RetentionStep::More(Removed::default()))
}
