//! Check of the sources: which are not read, or could not be, since when, and what follows from that.

use crate::domain::finding::Finding;
use crate::domain::source::SourceSummary;
use crate::domain::time::{Timestamp, age};
use crate::format;
use crate::store::{Store, StoreError};
use std::time::Duration;

const CHECK: &str = "sources";
/// Time after which a read that is due and that nobody has begun is reported.
const OVERDUE: Duration = Duration::from_secs(86_400);

/// Returns a finding for each source that fails or that nobody reads, and one about the others.
pub(super) async fn sources(store: &dyn Store) -> Result<Vec<Finding>, StoreError> {
    let (sources, now) = (store.sources().await?, store.now());
    let mut found: Vec<Finding> = sources.iter().filter_map(|source| finding_of(source, now)).collect();
    let well = sources.len() - found.len();
    if well > 0 {
        let (number, open) =
            (format::count(well as u64, "source"), sources.iter().map(|source| source.proposals).sum());
        found.push(Finding::ok(CHECK, format!("{number} read as planned; {} open", format::count(open, "proposal"))));
    }
    Ok(found)
}

/// Returns the finding about a source that fails, or whose read nobody makes; `None` for one that is read as planned.
fn finding_of(source: &SourceSummary, now: Timestamp) -> Option<Finding> {
    let name = &source.name;
    if let Some(since) = source.failing_since {
        let detail = source.detail.as_deref().unwrap_or("it could not be read");
        let next = match source.next_at {
            Some(at) => format!("next read {}", format::until(now, at)),
            None => "next read on request".to_owned(),
        };
        let since = format!("{} UTC ({} ago)", since.date_clock_utc(), age(now.since(since)));
        return Some(Finding::warn(
            CHECK,
            format!("{name}: {detail}; failing since {since}, {next}; until then its documents stay as they are"),
            format!(
                "look at {}, then `quarterdeck source read {name} --wait`, or `source edit {name}`",
                source.url.as_str()
            ),
        ));
    }
    let due = source.next_at.filter(|at| now.since(*at) > OVERDUE)?;
    Some(Finding::warn(
        CHECK,
        format!("{name}: a read is due since {} UTC, and nobody makes it", due.date_clock_utc()),
        "run `quarterdeck work`, or `quarterdeck source read --due --wait` from cron; `quarterdeck resume` lists pauses",
    ))
}
