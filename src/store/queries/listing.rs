//! Groups of documents that a view lists, such as hosts and accounts, with figures that come from several queries.

use crate::domain::outcome::OutcomeResult;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::conn::Row;
use crate::store::sql::statement::Sql;
use std::collections::BTreeMap;
use std::time::Duration;

/// Maximum number of accounts or hosts in a listing.
pub(in crate::store) const MAX_LISTED: i64 = 1_000;
/// Number of the newest outcomes that are searched for those of the last hour. Scanning the outcomes by their numbers
/// needs no index of times.
const SCANNED_OUTCOMES: i64 = 20_000;
/// Age up to which an outcome counts as recent.
const RECENT_WINDOW: Duration = Duration::from_secs(3_600);

/// A group of documents that a view shows as one row.
pub(in crate::store) trait GroupSummary {
    /// The value that identifies a group.
    type Key: Ord;

    /// Returns the key of the group that a result row is about.
    fn key_of(row: &Row) -> Result<Self::Key>;
}

/// Calls `add` with each result row and its group; skips rows of groups that are not in `shown`.
pub(in crate::store) fn add_figures<G: GroupSummary>(
    shown: &mut BTreeMap<G::Key, G>,
    rows: &[Row],
    mut add: impl FnMut(&mut G, &Row) -> Result<()>,
) -> Result<()> {
    for row in rows {
        if let Some(summary) = shown.get_mut(&G::key_of(row)?) {
            add(summary, row)?;
        }
    }
    Ok(())
}

/// Appends `FROM` and `WHERE` with one outcome per attempt that ended in the last hour, among the newest
/// [`SCANNED_OUTCOMES`]. Outcomes for an exhaustion are left out, since the failure that caused the exhaustion has an
/// outcome, too.
pub(in crate::store) fn push_recent_attempts(sql: &mut Sql, now: Timestamp) {
    let exhaustions = OutcomeResult::ALL.into_iter().filter(|result| result.is_exhaustion()).map(OutcomeResult::word);
    sql.push(
        " FROM (SELECT account_id, host, at, token, result, http_status, duration_ms FROM @outcomes \
         ORDER BY seq DESC LIMIT ",
    );
    sql.bind(SCANNED_OUTCOMES).push(") n WHERE at >= ").bind(now.minus(RECENT_WINDOW).micros());
    sql.push(" AND token IS NOT NULL AND result NOT IN ").bind_list(exhaustions);
}
