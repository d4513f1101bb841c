//! Previews of bulk requests: the documents that an action would affect, and the reasons for which it would skip
//! others.

use crate::domain::document::{StatusFacts, SyncStatus};
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::{JobState, QueueClass};
use crate::domain::link::is_pdf;
use crate::domain::request::{LiveJob, Request, RequestScope, SkipReason};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{code, line, optional_number, span, time, word};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::filter::{Joins, push_documents};
use crate::store::sql::rows::documents::{AVAILABLE, host};
use crate::store::sql::statement::Sql;
use crate::store::{BulkVerb, Preview, Result, Targets};
use std::collections::{BTreeMap, HashSet};

/// Maximum number of document ids per statement.
const CHUNK: usize = 500;

/// The facts about a document that decide whether a bulk request affects it.
struct Candidate {
    id: DocumentId,
    host: String,
    syncable: std::result::Result<(), SkipReason>,
    facts: StatusFacts,
    live: Option<LiveJob>,
}

pub(in crate::store) async fn preview(db: &Database, of: &Targets, verb: BulkVerb) -> Result<Preview> {
    let now = db.now();
    let candidates = candidates(db, of, now).await?;
    let mut preview = Preview::default();
    let mut skipped = BTreeMap::<SkipReason, u64>::new();
    let mut hosts = HashSet::new();
    if let Targets::Ids(ids) = of {
        let requested: HashSet<_> = ids.iter().collect();
        let missing = requested.len().saturating_sub(candidates.len()) as u64;
        if missing > 0 {
            skipped.insert(SkipReason::Missing, missing);
        }
    }
    for candidate in candidates {
        match candidate.check(verb, now) {
            Ok(()) => {
                preview.targets.push(candidate.id);
                hosts.insert(candidate.host);
            }
            Err(reason) => *skipped.entry(reason).or_default() += 1,
        }
    }
    preview.skipped = skipped.into_iter().collect();
    preview.skipped.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    preview.hosts = hosts.len() as u64;
    Ok(preview)
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
            BulkVerb::Cancel | BulkVerb::Remove => Ok(()),
        }
    }
}

/// Reads the documents of a bulk request, in id order, each once.
async fn candidates(db: &Database, of: &Targets, now: Timestamp) -> Result<Vec<Candidate>> {
    let select = "SELECT d.id, d.external_link, CAST(d.status AS BIGINT) AS row_status, \
         CAST(d.sync_status AS BIGINT) AS sync_status, micros(d.last_sync_attempted_at) AS last_sync_attempted_at, \
         micros(d.last_synced_at) AS last_synced_at, s.host, l.id AS job_id, l.state, l.class, l.attempt, \
         l.recorded_attempt, l.worker_name, l.lock_holder, c.cadence";
    let mut reader = db.reader().await?;
    let mut statements = Vec::new();
    match of {
        Targets::Matching(filter) => {
            let mut sql = Sql::new(select);
            Joins::ALL.push(&mut sql);
            push_documents(&mut sql, filter, now)?;
            statements.push(sql);
        }
        Targets::Ids(ids) => {
            let mut ids: Vec<_> = ids.iter().map(|id| id.0).collect();
            ids.sort_unstable();
            ids.dedup();
            for chunk in ids.chunks(CHUNK) {
                let mut sql = Sql::new(select);
                Joins::ALL.push(&mut sql);
                sql.push(" WHERE d.id IN ").bind_list(chunk.iter().copied());
                statements.push(sql);
            }
        }
    }
    let mut candidates = Vec::new();
    for mut sql in statements {
        sql.push(" ORDER BY d.id");
        for row in reader.all(sql.query()).await? {
            candidates.push(candidate(&row)?);
        }
    }
    Ok(candidates)
}

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
    Ok(Candidate {
        id: DocumentId(get(row, "id")?),
        host: get::<Option<String>>(row, "host")?.unwrap_or_else(|| host(url)),
        syncable: if is_pdf(url) {
            Err(SkipReason::Pdf)
        } else if get::<i64>(row, "row_status")? != AVAILABLE {
            Err(SkipReason::Unavailable)
        } else {
            Ok(())
        },
        facts: StatusFacts {
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
