//! Reads for the console's failures view: the causes of failed documents, with figures of each. One index has all that
//! is counted, so the cost grows with the number of failed documents only.

use crate::domain::failure::ErrorCode;
use crate::domain::failure_cause::{FailureCause, is_of_host};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{corrupt, line, number, optional_number, time};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::{Sql, Statement, query};
use crate::store::{FailureSummary, Listing, Result, TREND_SLOTS};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Maximum number of causes in the listing.
const MAX_CAUSES: i64 = 500;
/// Period of the trend.
const TREND: Duration = Duration::from_secs(3_600);

pub(in crate::store) async fn failures(db: &Database) -> Result<Listing<FailureSummary>> {
    let now = db.now();
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let causes = query(
        "SELECT cause, CAST(sum(n) AS BIGINT) AS n, count(*) AS hosts, min(host) AS host, \
         CAST(min(since) AS BIGINT) AS since, CAST(max(at) AS BIGINT) AS at, CAST(min(id) AS BIGINT) AS id, \
         count(*) OVER () AS causes FROM (SELECT failure_cluster AS cause, host, count(*) AS n, \
         min(failed_since) AS since, max(failed_at) AS at, min(document_id) AS id FROM @document_state \
         WHERE failure_cluster IS NOT NULL GROUP BY failure_cluster, host) q GROUP BY cause \
         ORDER BY n DESC, cause LIMIT ?",
    );
    let causes = reader.all(causes.bind(MAX_CAUSES)).await?;
    let mut ids: Vec<i64> = Vec::new();
    for row in &causes {
        ids.push(number(row, "id")?);
    }
    let samples = query(
        "SELECT document_id, error_code, detail, http_status FROM @document_state WHERE document_id IN (SELECT each(?))",
    );
    let samples = reader.all(samples.bind(ids)).await?;
    let trend = reader.all(trend(now)).await?;
    let backoffs = query("SELECT host, held_until FROM @hosts_sched WHERE held_until > ?");
    let backoffs = reader.all(backoffs.bind(now.micros())).await?;
    reader.leave_snapshot().await?;

    let mut sampled = HashMap::new();
    for row in &samples {
        sampled.insert(number::<i64>(row, "document_id")?, row);
    }
    let mut held = HashMap::new();
    for row in &backoffs {
        held.insert(get::<String>(row, "host")?, time(row, "held_until")?);
    }
    let mut total = 0;
    let mut rows = Vec::new();
    let mut places = BTreeMap::new();
    for row in &causes {
        total = number(row, "causes")?;
        let Some(sample) = sampled.get(&number(row, "id")?) else { continue };
        let Some(summary) = summary(row, sample, &held)? else { continue };
        places.insert(summary.cause, rows.len());
        rows.push(summary);
    }
    for row in &trend {
        let place = places.get(&FailureCause(number(row, "cause")?));
        let slot = place.and_then(|place| {
            let slot = number::<usize>(row, "slot").ok()?.min(TREND_SLOTS - 1);
            rows.get_mut(*place).map(|summary| &mut summary.trend[slot])
        });
        if let Some(slot) = slot {
            *slot += number::<u64>(row, "n")?;
        }
    }
    Ok(Listing { rows, total })
}

/// Builds the summary of a cause from its figures and from the state of one of its documents; `None` if that document
/// has succeeded meanwhile.
fn summary(row: &Row, sample: &Row, held: &HashMap<String, Option<Timestamp>>) -> Result<Option<FailureSummary>> {
    let Some(word) = get::<Option<String>>(sample, "error_code")? else { return Ok(None) };
    let code = ErrorCode::parse(&word).ok_or_else(|| corrupt("error_code"))?;
    let http_status = optional_number(sample, "http_status")?;
    let hosts: u64 = number(row, "hosts")?;
    let host: String = get(row, "host")?;
    let only_host = (hosts == 1).then(|| SafeLine::new(&host)).filter(|host| !host.is_empty());
    Ok(Some(FailureSummary {
        cause: FailureCause(number(row, "cause")?),
        code,
        http_status,
        detail: line(sample, "detail")?,
        documents: number(row, "n")?,
        hosts,
        backoff_until: only_host.as_ref().and_then(|_| held.get(&host).copied().flatten()),
        only_host,
        is_of_host: is_of_host(code, http_status),
        first_at: time(row, "since")?,
        last_at: time(row, "at")?,
        trend: [0; TREND_SLOTS],
        sample: DocumentId(number(row, "id")?),
    }))
}

/// Selects, by cause and part of the last hour, how many documents failed last in that part.
fn trend(now: Timestamp) -> Statement {
    let from = now.minus(TREND).micros();
    let part = i64::try_from(TREND.as_micros()).unwrap_or(i64::MAX) / TREND_SLOTS as i64;
    let mut sql = Sql::new("SELECT cause, slot, count(*) AS n FROM (SELECT failure_cluster AS cause, (failed_at - ");
    sql.bind(from).push(") / ").bind(part);
    sql.push(" AS slot FROM @document_state WHERE failure_cluster IS NOT NULL AND failed_at >= ").bind(from);
    sql.push(") q GROUP BY cause, slot");
    sql.query()
}
