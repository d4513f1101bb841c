//! Reads for the console's hosts view: the hosts with the most documents, with figures of each. For display only; a
//! claim reads the tables itself.

use crate::domain::link::ascii_host;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::queries::listing::{GroupSummary, MAX_LISTED, add_figures, push_recent_attempts};
use crate::store::queue::shadow;
use crate::store::sql::columns::{host_backoff, line, number, optional_number};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::filter::host_of_guest;
use crate::store::sql::statement::{Sql, Statement, query};
use crate::store::{HostSummary, Listing, Result};
use std::collections::BTreeMap;
use std::time::Duration;

pub(in crate::store) async fn hosts(db: &Database) -> Result<Listing<HostSummary>> {
    let now = db.now();
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let source = shadow::source(db, &mut reader).await?;
    let documents = reader.all(documents(source)).await?;
    let failed = match source {
        // Read with the documents.
        StatusSource::Stored | StatusSource::Computed => Vec::new(),
        StatusSource::Shadow => reader.all(failed_by_shadows()).await?,
    };
    let ended = reader.all(recent_attempts(now)).await?;
    let jobs = reader
        .all(query(
            "SELECT host, CAST(sum(running) AS BIGINT) AS running, CAST(sum(ready) AS BIGINT) AS ready FROM \
             (SELECT host, count(*) AS running, 0 AS ready FROM @jobs WHERE state = 'running' GROUP BY 1 \
             UNION ALL SELECT host, 0, count(*) FROM @jobs WHERE state = 'ready' GROUP BY 1) q GROUP BY 1",
        ))
        .await?;
    let backoffs = query("SELECT host, held_until, held_kind, held_because FROM @hosts_sched WHERE held_until > ?");
    let backoffs = reader.all(backoffs.bind(now.micros())).await?;
    reader.leave_snapshot().await?;

    let mut hosts = BTreeMap::new();
    let mut total = 0;
    for row in &documents {
        total = number(row, "hosts")?;
        add_documents(&mut hosts, host(row)?);
    }
    // Each host of other letters than ASCII may be written in several ways.
    total -= (documents.len() - hosts.len()) as u64;
    add_figures(&mut hosts, &failed, |summary, row| {
        summary.failed = number(row, "n")?;
        Ok(())
    })?;
    add_figures(&mut hosts, &ended, |summary, row| {
        summary.last_hour = number(row, "n")?;
        summary.rate_limited = number(row, "limited")?;
        summary.median_duration = optional_number(row, "median")?.map(Duration::from_millis);
        Ok(())
    })?;
    add_figures(&mut hosts, &jobs, |summary, row| {
        (summary.running, summary.ready) = (number(row, "running")?, number(row, "ready")?);
        Ok(())
    })?;
    add_figures(&mut hosts, &backoffs, |summary, row| {
        summary.backoff = host_backoff(row, "")?;
        Ok(())
    })?;
    Ok(Listing { rows: hosts.into_values().collect(), total })
}

/// Adds the documents of a host, which before the first pass is written as in the links of Chatwoot.
fn add_documents(hosts: &mut BTreeMap<String, HostSummary>, summary: HostSummary) {
    let name = ascii_host(&summary.host);
    if let Some(known) = hosts.get_mut(&name) {
        known.documents += summary.documents;
        known.failed += summary.failed;
        return;
    }
    let host = if summary.host.is_ascii() { summary.host.clone() } else { SafeLine::new(&name) };
    hosts.insert(name, HostSummary { host, ..summary });
}

impl GroupSummary for HostSummary {
    // Hosts are sorted by the bytes of their names.
    type Key = String;

    fn key_of(row: &Row) -> Result<String> {
        get(row, "host")
    }
}

fn host(row: &Row) -> Result<HostSummary> {
    Ok(HostSummary {
        host: line(row, "host")?.unwrap_or_default(),
        documents: number(row, "n")?,
        failed: number(row, "failed")?,
        last_hour: 0,
        rate_limited: 0,
        median_duration: None,
        running: 0,
        ready: 0,
        backoff: None,
    })
}

/// Selects the number of failed documents by host. One that failed and has a job that decides its status is found by its
/// row; there are few.
fn failed_by_shadows() -> Statement {
    query(
        "SELECT s.host, count(*) AS n FROM @document_status m JOIN @document_state s ON s.document_id = m.document_id \
         WHERE m.status = 0 OR m.status IN (2, 3, 4) AND EXISTS (SELECT 1 FROM captain_documents d \
         WHERE d.id = m.document_id AND d.sync_status = 2 AND status_by_kind IS NULL) GROUP BY 1",
    )
}

/// Appends a SELECT of the hosts of Chatwoot's documents with the numbers of their documents and, if computed, of the
/// failed ones. Uploads have no host, and are left out.
fn push_guest_hosts(sql: &mut Sql, source: StatusSource) {
    sql.push("SELECT host, count(*) AS n, count(CASE WHEN is_failed THEN 1 END) AS failed FROM (SELECT ");
    sql.push(host_of_guest(source)).push(" AS host, ");
    sql.push(source.pick("false", "d.sync_status = 2 AND status_by_kind IS NULL")).push(" AS is_failed");
    Joins::STATE.push(sql, source);
    sql.push(") h WHERE host <> '' GROUP BY host");
}

/// Selects the hosts to show, each with the number of its documents, in a store of our own also of the failed ones, and
/// the total number of hosts.
fn documents(source: StatusSource) -> Statement {
    let mut sql = Sql::new("SELECT host, n, failed, count(*) OVER () AS hosts FROM (");
    if source == StatusSource::Stored {
        sql.push(
            "SELECT host, CAST(sum(documents) AS BIGINT) AS n, CAST(sum(failed) AS BIGINT) AS failed FROM @host_counts \
             GROUP BY host HAVING sum(documents) > 0",
        );
    } else {
        push_guest_hosts(&mut sql, source);
    }
    sql.push(") q ORDER BY n DESC, host COLLATE bytes LIMIT ");
    sql.bind(MAX_LISTED);
    sql.query()
}

/// Selects, by host, the number of recent attempts, the number of rate-limited ones, and the median duration. The
/// median of an even number of durations is the mean of the middle two.
pub(super) fn recent_attempts(now: Timestamp) -> Statement {
    let mut sql = Sql::new("WITH o AS (SELECT host, http_status, duration_ms, ");
    sql.push(
        "row_number() OVER (PARTITION BY host ORDER BY duration_ms NULLS LAST) \
         AS place, count(duration_ms) OVER (PARTITION BY host) AS timed",
    );
    push_recent_attempts(&mut sql, now);
    sql.push(
        ") SELECT host, count(*) AS n, count(CASE WHEN http_status IN (429, 503) THEN 1 END) AS limited, \
         CAST(avg(CASE WHEN place IN ((timed + 1) / 2, (timed + 2) / 2) THEN duration_ms END) AS BIGINT) AS median \
         FROM o GROUP BY host",
    );
    sql.query()
}
