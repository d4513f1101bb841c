//! Figures of the console's dashboard.

use crate::domain::filter::Filter;
use crate::domain::sample::{MINUTE, minute_of};
use crate::store::queries::{disk, documents, hosts, page};
use crate::store::samples;
use crate::store::sql::columns::{line, number, optional_number};
use crate::store::sql::database::Database;
use crate::store::{DashboardFigures, Result, SlowHost, Sort, SortBy};
use std::time::Duration;

/// Time that the figures go back.
const DAY: Duration = Duration::from_secs(86_400);
/// Time for which minutes without a sample are counted from outcomes.
const HOUR: Duration = Duration::from_secs(3_600);

pub(in crate::store) async fn figures(db: &Database) -> Result<DashboardFigures> {
    let now = db.now();
    let since = minute_of(now.minus(DAY)).plus(MINUTE);
    let mut reader = db.reader().await?;
    let minutes = samples::minutes(&mut reader, now, since, HOUR - MINUTE).await?;
    let queue = samples::queue_level(&mut reader, now).await?;
    let disk = disk::size(&mut reader).await?.bytes;
    let mut slowest = Vec::new();
    for row in &reader.all(hosts::recent_attempts(now)).await? {
        let median = optional_number(row, "median")?.map(Duration::from_millis);
        let host = line(row, "host")?.unwrap_or_default();
        if let Some(median) = median.filter(|_| !host.is_empty()) {
            slowest.push(SlowHost { host, attempts: number(row, "n")?, median });
        }
    }
    drop(reader);
    slowest.sort_by(|one, other| other.median.cmp(&one.median).then_with(|| one.host.cmp(&other.host)));
    slowest.truncate(DashboardFigures::SHOWN);
    let by_next = Sort { by: SortBy::Next, descending: false };
    let next = page::matching(db, &Filter::default(), by_next, Some(DashboardFigures::SHOWN as u64)).await?;
    let mut next = documents::rows(db, &next).await?;
    next.retain(|row| row.next_attempt_at.is_some());
    Ok(DashboardFigures { minutes, queue, disk, slowest, next })
}
