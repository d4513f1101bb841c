//! The groups of documents that a view lists, such as hosts and accounts, with figures added from several readings.

use crate::domain::outcome::OutcomeResult;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::conn::Row;
use crate::store::sql::statement::Sql;
use std::collections::BTreeMap;
use std::time::Duration;

/// The most accounts or hosts that are shown.
pub(in crate::store) const MOST_SEEN: i64 = 1_000;
/// Outcomes that are looked through for those of the last hour: the newest by number, which no index of times is needed
/// for.
const NEWEST_OUTCOMES: i64 = 20_000;
/// What "lately" is.
const LATELY: Duration = Duration::from_secs(3_600);

/// What documents are grouped by, as a view shows one.
pub(in crate::store) trait Group {
    /// What tells one from another.
    type Key: Ord;

    /// Which one a row speaks of.
    fn named_by(row: &Row) -> Result<Self::Key>;
}

/// Adds to each of the groups what a row says; one that is not shown is passed over.
pub(in crate::store) fn add_to<G: Group>(
    shown: &mut BTreeMap<G::Key, G>,
    rows: &[Row],
    mut add: impl FnMut(&mut G, &Row) -> Result<()>,
) -> Result<()> {
    for row in rows {
        if let Some(seen) = shown.get_mut(&G::named_by(row)?) {
            add(seen, row)?;
        }
    }
    Ok(())
}

/// Adds ` FROM` the outcomes that attempts of the last hour ended with, one for each: an exhaustion stands beside its
/// failure and is not counted.
pub(in crate::store) fn lately(sql: &mut Sql, now: Timestamp) {
    let exhaustions = OutcomeResult::ALL.into_iter().filter(|result| result.is_exhaustion()).map(OutcomeResult::word);
    sql.push(
        " FROM (SELECT account_id, host, at, token, result, http_status, duration_ms FROM @outcomes \
         ORDER BY seq DESC LIMIT ",
    );
    sql.bind(NEWEST_OUTCOMES).push(") n WHERE at >= ").bind(now.minus(LATELY).micros());
    sql.push(" AND token IS NOT NULL AND result NOT IN ").bind_list(exhaustions);
}
