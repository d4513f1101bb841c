//! Previews of bulk requests: the documents that an action would affect, and the reasons for which it would skip
//! others.

use crate::domain::document::{DocumentKind, StatusFacts, SyncStatus};
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::{JobState, QueueClass};
use crate::domain::link::is_pdf;
use crate::domain::request::{LiveJob, Request, RequestScope, SkipReason};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::queries::page::matching_exactly;
use crate::store::queries::{estimate, faqs};
use crate::store::sql::columns::{code, line, optional_number, span, time, word};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::rows::documents::{AVAILABLE, host};
use crate::store::sql::statement::Sql;
use crate::store::{BulkVerb, Preview, Result, Targets};
use std::collections::{BTreeMap, HashMap};

/// Maximum number of documents per statement.
pub(super) const CHUNK_SIZE: usize = 1_000;

/// The facts about a document that decide whether a bulk request affects it.
struct Candidate {
    id: DocumentId,
    host: String,
    syncable: std::result::Result<(), SkipReason>,
    facts: StatusFacts,
    live: Option<LiveJob>,
}

pub(in crate::store) async fn preview(db: &Database, of: &Targets, verb: BulkVerb) -> Result<Preview> {
    match verb {
        BulkVerb::Remove => db.may_remove()?,
        BulkVerb::Faq => return faqs::preview(db, of).await,
        BulkVerb::Request(_) | BulkVerb::Cancel => {}
    }
    let now = db.now();
    let ids = targets(db, of).await?;
    let mut preview = Preview { targets: Vec::with_capacity(ids.len()), ..Preview::default() };
    let mut skipped = BTreeMap::<SkipReason, u64>::new();
    let mut hosts = HashMap::<String, u64>::new();
    let mut found = 0;
    // In batches, each a short read: neither memory nor the store is taken up by all documents at once.
    for batch in ids.chunks(CHUNK_SIZE) {
        let mut sql = Sql::new(SELECT);
        Joins::ALL.push(&mut sql, StatusSource::Computed);
        sql.push(" WHERE d.id IN (SELECT each(").bind(batch.iter().map(|id| id.0).collect::<Vec<_>>());
        sql.push(")) ORDER BY d.id");
        let mut reader = db.reader().await?;
        reader
            .each(sql.query(), |row| {
                let candidate = candidate(row)?;
                found += 1;
                match candidate.check(verb, now) {
                    Ok(()) => {
                        preview.targets.push(candidate.id);
                        match hosts.get_mut(&candidate.host) {
                            Some(documents) => *documents += 1,
                            None => drop(hosts.insert(candidate.host, 1)),
                        }
                    }
                    Err(reason) => *skipped.entry(reason).or_default() += 1,
                }
                Ok(())
            })
            .await?;
    }
    // A document that a filter has found and that is gone by now is not missing: nobody named it.
    let missing = ids.len().saturating_sub(found) as u64;
    if missing > 0 && matches!(of, Targets::Ids(_)) {
        *skipped.entry(SkipReason::Missing).or_default() += missing;
    }
    preview.skipped = skipped.into_iter().collect();
    preview.skipped.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    preview.hosts = hosts.len() as u64;
    if matches!(verb, BulkVerb::Request(_)) && !preview.targets.is_empty() {
        preview.estimate = estimate::estimate(db, &preview.targets, hosts).await?;
    }
    Ok(preview)
}

/// Returns the documents that `of` selects now, in order, each once.
pub(super) async fn targets(db: &Database, of: &Targets) -> Result<Vec<DocumentId>> {
    let mut ids = match of {
        Targets::Matching(filter) => matching_exactly(db, filter).await?,
        Targets::Ids(ids) => ids.clone(),
    };
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

impl Candidate {
    fn check(&self, verb: BulkVerb, now: Timestamp) -> std::result::Result<(), SkipReason> {
        match verb {
            BulkVerb::Request(verb) => {
                let request = Request {
                    kind: verb,
                    class: QueueClass::Manual,
                    by: SafeLine::default(),
                    scope: RequestScope::Bulk,
                };
                request.step(self.syncable, self.facts.status(now), self.live.as_ref()).map(|_| ())
            }
            BulkVerb::Cancel if self.live.is_none() => Err(SkipReason::NothingToCancel),
            BulkVerb::Cancel | BulkVerb::Remove | BulkVerb::Faq => Ok(()),
        }
    }
}

/// Selects the columns of a [`Candidate`].
const SELECT: &str = "SELECT d.id, among_pdfs AS attached, d.external_link, CAST(d.status AS BIGINT) AS row_status, \
     CAST(d.sync_status AS BIGINT) AS sync_status, micros(d.last_sync_attempted_at) AS last_sync_attempted_at, \
     micros(d.last_synced_at) AS last_synced_at, s.host, l.id AS job_id, l.state, l.class, l.attempt, \
     l.recorded_attempt, l.worker_name, l.lock_holder, c.cadence";

fn candidate(row: &Row) -> Result<Candidate> {
    let url: &str = get(row, "external_link")?;
    let state = word(row, "state", JobState::parse)?;
    let attempt: Option<u32> = optional_number(row, "attempt")?;
    let live = match (get::<Option<i64>>(row, "job_id")?, state, code(row, "class", QueueClass::from_code)?) {
        (Some(id), Some(state), Some(class)) => Some(LiveJob {
            id: JobId(id),
            state,
            class,
            attempt: attempt.unwrap_or_default(),
            recorded_attempt: optional_number(row, "recorded_attempt")?,
            worker: line(row, "worker_name")?,
        }),
        _ => None,
    };
    let kind =
        DocumentKind::of(is_pdf(url) || get::<bool>(row, "attached")?, get::<i64>(row, "row_status")? == AVAILABLE);
    Ok(Candidate {
        id: DocumentId(get(row, "id")?),
        host: get::<Option<String>>(row, "host")?.unwrap_or_else(|| host(url)),
        syncable: match kind {
            DocumentKind::Web => Ok(()),
            DocumentKind::Pdf => Err(SkipReason::Pdf),
            DocumentKind::Crawling => Err(SkipReason::Unavailable),
        },
        facts: StatusFacts {
            kind,
            live_job: match &live {
                Some(job) => Some(StatusFacts::live(job.state, job.attempt, line(row, "lock_holder")?.is_some())),
                None => None,
            },
            sync_status: get::<Option<i64>>(row, "sync_status")?.and_then(SyncStatus::from_code),
            attempted_at: time(row, "last_sync_attempted_at")?,
            synced_at: time(row, "last_synced_at")?,
            cadence: span(row, "cadence")?,
        },
        live,
    })
}
