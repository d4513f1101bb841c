//! What screens read beside the list: named documents, figures, contents, and the candidates of a bulk request.

use crate::domain::document::{Counts, DocumentRow, RecentResult, Status, StatusFacts, SyncStatus, SyncStep, Try};
use crate::domain::failure::ErrorCode;
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId};
use crate::domain::job::{JobState, QueueClass};
use crate::domain::link::is_pdf;
use crate::domain::lock::StoreId;
use crate::domain::plan::Cadence;
use crate::domain::request::{LiveJob, SkipReason};
use crate::domain::schedule::next_look;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::attempts::finish::class_from_code;
use crate::store::queue::pauses::{CLASS_NOT_PAUSED, LANE_NOT_PAUSED};
use crate::store::sql::conn::{Row, code, corrupt, get, hold, line, number, small, span, time, word};
use crate::store::sql::filter::{Joins, push_documents, push_status};
use crate::store::sql::rows::{AVAILABLE, host};
use crate::store::sql::statement::{Sql, query};
use crate::store::sql_store::SqlStore;
use crate::store::{Named, QueueState, Result, StoredContent, StoredVersion, Targets};

/// All columns of a [`DocumentRow`]; the status comes beside it.
pub(in crate::store) const COLUMNS: &str = "d.id, d.name, d.external_link, d.account_id, d.assistant_id, \
     CAST(d.status AS BIGINT) AS row_status, \
     micros(d.last_sync_attempted_at) AS last_sync_attempted_at, micros(d.last_synced_at) AS last_synced_at, \
     micros(d.updated_at) AS updated_at, meta.sync_step AS sync_step, meta.content_fingerprint AS fingerprint, \
     s.host, s.error_code, s.detail, s.http_status, s.content_length, s.recent, \
     CASE WHEN l.state = 'scheduled' THEN l.run_at END AS next_attempt_at, \
     l.try_class, l.try_number, l.try_of, coalesce(l.lock_holder, l.worker_name) AS worker_name, l.cancel_requested_at, \
     CAST(d.sync_status AS BIGINT) AS sync_status, l.state AS live_state, s.failures, c.cadence, \
     j.attempt, j.class, j.requested_by, \
     (SELECT h.held_until FROM @hosts_sched h WHERE h.host = s.host) AS host_held_until, \
     (SELECT h.held_kind FROM @hosts_sched h WHERE h.host = s.host) AS host_held_kind, \
     (SELECT h.held_because FROM @hosts_sched h WHERE h.host = s.host) AS host_held_because, \
     (SELECT c.reason FROM @held_contents c WHERE c.document_id = d.id AND c.rejected_at IS NULL) AS held, \
     (SELECT count(*) FROM @document_versions v WHERE v.document_id = d.id) AS versions";

/// Ids in one statement.
const CHUNK: usize = 500;

/// A document as a bulk request sees it.
pub(in crate::store) struct Candidate {
    pub(in crate::store) id: DocumentId,
    pub(in crate::store) host: String,
    pub(in crate::store) syncable: std::result::Result<(), SkipReason>,
    pub(in crate::store) facts: StatusFacts,
    pub(in crate::store) live: Option<LiveJob>,
}

pub(in crate::store) fn document_row(row: &Row, now: Timestamp) -> Result<DocumentRow> {
    let status: i64 = get(row, "status")?;
    let status = usize::try_from(status).ok().and_then(|place| Status::ALL.get(place)).copied();
    let url: &str = get(row, "external_link")?;
    let try_of = match (small(row, "try_number")?, small(row, "try_of")?) {
        (Some(number), Some(of)) => code(row, "try_class", class_from_code)?.map(|class| Try { class, number, of }),
        _ => None,
    };
    let (attempted_at, synced_at) = (time(row, "last_sync_attempted_at")?, time(row, "last_synced_at")?);
    let fits = get::<i64>(row, "row_status")? == AVAILABLE && !is_pdf(url);
    let cadence = span(row, "cadence")?.and_then(Cadence::new);
    let next_look_at = match (cadence, get::<Option<&str>>(row, "live_state")?) {
        (Some(cadence), None) if fits => {
            let sync_status = get::<Option<i64>>(row, "sync_status")?.and_then(SyncStatus::from_code);
            let failures = small(row, "failures")?.unwrap_or_default();
            next_look(cadence, sync_status, attempted_at, synced_at, failures, now)
        }
        _ => None,
    };
    Ok(DocumentRow {
        id: DocumentId(get(row, "id")?),
        name: line(row, "name")?.unwrap_or_default(),
        url: SafeLine::new(url),
        host: line(row, "host")?.unwrap_or_else(|| SafeLine::new(&host(url))),
        account_id: AccountId(get(row, "account_id")?),
        assistant_id: AssistantId(get(row, "assistant_id")?),
        available: get::<i64>(row, "row_status")? == AVAILABLE,
        status: status.ok_or_else(|| corrupt("status"))?,
        // Another program's step that we do not know is shown as none.
        sync_step: get::<Option<&str>>(row, "sync_step")?.and_then(SyncStep::parse),
        error_code: word(row, "error_code", ErrorCode::parse)?,
        detail: line(row, "detail")?,
        http_status: small(row, "http_status")?,
        attempted_at,
        synced_at,
        next_attempt_at: time(row, "next_attempt_at")?,
        next_look_at,
        attempt: small(row, "attempt")?,
        queue: code(row, "class", QueueClass::from_code)?,
        fingerprint: get(row, "fingerprint")?,
        content_length: small(row, "content_length")?,
        updated_at: Timestamp::from_micros(get(row, "updated_at")?),
        try_of,
        held_by: line(row, "worker_name")?,
        requested_by: line(row, "requested_by")?,
        cancel_requested: get::<Option<i64>>(row, "cancel_requested_at")?.is_some(),
        recent: get::<Option<&str>>(row, "recent")?
            .unwrap_or_default()
            .chars()
            .filter_map(RecentResult::from_letter)
            .collect(),
        versions: number(row, "versions")?,
        held: line(row, "held")?,
        host_hold: hold(row, "host_")?,
    })
}

impl SqlStore {
    pub(in crate::store) async fn read_id(&self) -> Result<StoreId> {
        let mut reader = self.reader().await?;
        let row = reader.one(query("SELECT uuid FROM @store_identity WHERE id = 1")).await?;
        Ok(StoreId(get(&row, 0)?))
    }

    pub(in crate::store) async fn find_documents(&self, named: &Named) -> Result<Vec<DocumentRow>> {
        let now = self.clock.now();
        let mut sql = Sql::new("SELECT ");
        sql.push(COLUMNS).push(", ");
        push_status(&mut sql, now);
        sql.push(" AS status");
        Joins::ALL.push(&mut sql);
        match named {
            Named::Id(id) => sql.push(" WHERE d.id = ").bind(id.0),
            Named::Url(link) => sql.push(" WHERE d.external_link = ").bind(link.as_str()),
        };
        sql.push(" ORDER BY d.id");
        let mut reader = self.reader().await?;
        reader.all(sql.query()).await?.iter().map(|row| document_row(row, now)).collect()
    }

    pub(in crate::store) async fn count_statuses(&self) -> Result<Counts> {
        let mut sql = Sql::new("SELECT ");
        push_status(&mut sql, self.clock.now());
        sql.push(" AS status, count(*) AS documents");
        Joins::STATUS.push(&mut sql);
        sql.push(" GROUP BY 1");
        let mut reader = self.reader().await?;
        let mut counts = Counts::default();
        for row in reader.all(sql.query()).await? {
            let place: usize = number(&row, "status")?;
            let status = Status::ALL.get(place).ok_or_else(|| corrupt("status"))?;
            counts.set(*status, number(&row, "documents")?);
        }
        // Few rows, whatever the number of documents. A document that another program removed is not asked about.
        let held = query(
            "SELECT count(*) AS held FROM @held_contents h WHERE h.rejected_at IS NULL \
             AND EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = h.document_id)",
        );
        counts.held = number(&reader.one(held).await?, "held")?;
        Ok(counts)
    }

    pub(in crate::store) async fn queue_state(&self) -> Result<QueueState> {
        let mut sql = Sql::new(
            "SELECT (SELECT count(*) FROM @jobs WHERE state = 'ready') AS ready, \
             (SELECT count(*) FROM @jobs WHERE state = 'running') AS running, \
             (SELECT count(*) FROM @jobs WHERE state = 'scheduled' AND (attempt > 0 OR lock_holder IS NOT NULL)) \
             AS waiting, (SELECT count(*) FROM @jobs WHERE state = 'scheduled' AND attempt = 0 \
             AND lock_holder IS NULL) AS scheduled, \
             (SELECT min(run_at) FROM @jobs WHERE state = 'ready') AS oldest_ready_at, \
             (SELECT min(run_at) FROM @jobs WHERE state = 'scheduled') AS next_due_at, \
             (SELECT min(CASE WHEN coalesce(h.spaced_until, 0) > coalesce(h.held_until, 0) THEN h.spaced_until \
              ELSE h.held_until END) FROM @hosts_sched h WHERE (h.held_until > ?1 OR h.spaced_until > ?1) \
              AND EXISTS (SELECT 1 FROM @lanes n WHERE n.host = h.host)) AS held_until, \
             CASE WHEN NOT EXISTS (SELECT 1 FROM @pauses) THEN 0 ELSE (SELECT count(*) FROM @jobs n \
              WHERE (state = 'ready' OR state = 'scheduled' AND (attempt > 0 OR lock_holder IS NOT NULL)) AND NOT (",
        );
        sql.push(CLASS_NOT_PAUSED).push(" AND ").push(LANE_NOT_PAUSED).push(")) END AS paused");
        let statement = sql.query().bind(self.clock.now().micros());
        let row = {
            let mut reader = self.reader().await?;
            reader.one(statement).await?
        };
        Ok(QueueState {
            ready: number(&row, "ready")?,
            running: number(&row, "running")?,
            waiting: number(&row, "waiting")?,
            scheduled: number(&row, "scheduled")?,
            paused: number(&row, "paused")?,
            oldest_ready_at: time(&row, "oldest_ready_at")?,
            next_due_at: [time(&row, "next_due_at")?, time(&row, "held_until")?].into_iter().flatten().min(),
            workers: self.workers_alive().await?,
        })
    }

    pub(in crate::store) async fn matching_ids(&self, filter: &Filter) -> Result<Vec<DocumentId>> {
        let mut sql = Sql::new("SELECT d.id");
        Joins::of(filter).push(&mut sql);
        push_documents(&mut sql, filter, self.clock.now())?;
        sql.push(" ORDER BY d.id");
        let mut reader = self.reader().await?;
        let rows = reader.all(sql.query()).await?;
        rows.iter().map(|row| Ok(DocumentId(get(row, 0)?))).collect()
    }

    pub(in crate::store) async fn read_content(&self, document: DocumentId) -> Result<Option<StoredContent>> {
        let statement = query(
            "SELECT d.content, coalesce(s.content_version, 0) AS version FROM captain_documents d \
             LEFT JOIN @document_state s ON s.document_id = d.id WHERE d.id = ? AND d.content IS NOT NULL",
        );
        let mut reader = self.reader().await?;
        let row = reader.first(statement.bind(document.0)).await?;
        row.map(|row| Ok(StoredContent { text: get(&row, "content")?, version: number(&row, "version")? })).transpose()
    }

    pub(in crate::store) async fn read_versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>> {
        let statement = query(
            "SELECT version, replaced_at, fingerprint, content_length FROM @document_versions \
             WHERE document_id = ? ORDER BY version DESC",
        );
        let mut reader = self.reader().await?;
        let rows = reader.all(statement.bind(document.0)).await?;
        rows.iter()
            .map(|row| {
                Ok(StoredVersion {
                    version: number(row, "version")?,
                    replaced_at: Timestamp::from_micros(get(row, "replaced_at")?),
                    fingerprint: get(row, "fingerprint")?,
                    content_length: number(row, "content_length")?,
                })
            })
            .collect()
    }

    pub(in crate::store) async fn read_version(&self, document: DocumentId, version: u64) -> Result<Option<String>> {
        let statement = query("SELECT content FROM @document_versions WHERE document_id = ? AND version = ?");
        let statement = statement.bind(document.0).bind(i64::try_from(version).unwrap_or(i64::MAX));
        let mut reader = self.reader().await?;
        reader.first(statement).await?.map(|row| get(&row, "content")).transpose()
    }

    /// The documents of a bulk request, in id order, each once.
    pub(in crate::store) async fn candidates(&self, of: &Targets, now: Timestamp) -> Result<Vec<Candidate>> {
        let select = "SELECT d.id, d.external_link, CAST(d.status AS BIGINT) AS row_status, \
             CAST(d.sync_status AS BIGINT) AS sync_status, micros(d.last_sync_attempted_at) AS last_sync_attempted_at, \
             micros(d.last_synced_at) AS last_synced_at, s.host, l.id AS job_id, l.state, l.class, l.attempt, \
             l.recorded_attempt, l.worker_name, l.lock_holder, c.cadence";
        let mut reader = self.reader().await?;
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
}

fn candidate(row: &Row) -> Result<Candidate> {
    let url: &str = get(row, "external_link")?;
    let state = word(row, "state", JobState::parse)?;
    let attempt: Option<u32> = small(row, "attempt")?;
    let live = match (get::<Option<i64>>(row, "job_id")?, state, code(row, "class", QueueClass::from_code)?) {
        (Some(id), Some(state), Some(class)) => Some(LiveJob {
            id: JobId(id),
            state,
            class,
            attempt: attempt.unwrap_or_default(),
            recorded_attempt: small(row, "recorded_attempt")?,
            held_by: line(row, "worker_name")?,
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
