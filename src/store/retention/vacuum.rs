//! Pages that nothing uses any more go back to the file system, on SQLite: in stores that were made for it, a few at a
//! time. Some are left, which the next rows take.

use super::{RemovalState, Step};
use crate::store::interface::retention::Removed;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::query;
use crate::store::{Result, RetentionStep};

/// Number of unused pages (4 KiB each) that stay in any file.
const SPARE_PAGES: i64 = 256;
/// Number of pages for each of which one more unused page stays.
const SPARE_SHARE: i64 = 20;
/// The value of `auto_vacuum` with which pages are given back on request.
const INCREMENTAL: i64 = 2;

/// Gives a few pages back.
pub(super) async fn step(db: &Database, state: &RemovalState, holder: &str) -> Result<RetentionStep> {
    let mut reader = db.reader().await?;
    if reader.dialect() == Dialect::Postgres {
        return Ok(RetentionStep::Done);
    }
    let pages = query(
        "SELECT (SELECT freelist_count FROM pragma_freelist_count) AS unused, \
         (SELECT page_count FROM pragma_page_count) AS pages, (SELECT auto_vacuum FROM pragma_auto_vacuum) AS vacuum",
    );
    let row = reader.one(pages).await?;
    drop(reader);
    let (unused, all): (i64, i64) = (get(&row, "unused")?, get(&row, "pages")?);
    if get::<i64>(&row, "vacuum")? != INCREMENTAL || unused <= SPARE_PAGES.max(all / SPARE_SHARE) {
        return Ok(RetentionStep::Done);
    }
    let Some(mut step) = Step::begin(db, holder).await? else { return Ok(RetentionStep::LeaseTaken) };
    // The number cannot be bound.
    let some = match state.rows() {
        400.. => "PRAGMA incremental_vacuum(400)",
        100..400 => "PRAGMA incremental_vacuum(100)",
        _ => "PRAGMA incremental_vacuum(20)",
    };
    step.tx.all(query(some)).await?;
    step.end(state, u64::MAX).await?;
    Ok(RetentionStep::More(Removed::default()))
}
