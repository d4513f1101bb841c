//! What lists and screens read: windows of the sorted list, figures, contents.

use super::super::filter_sql::{Joins, push_documents, push_status};
use super::super::sql::{Sql, Value};
use super::super::{
    Around, DocumentPage, Named, PageQuery, QueueState, Result, Sort, SortBy, StoredContent, StoredVersion, Targets,
};
use super::SqliteStore;
use super::error::reading;
use super::finish::class_from_code;
use super::rows::{AVAILABLE, code, corrupt, get, host, line, number, small, time, word};
use crate::domain::document::{Counts, DocumentRow, RecentResult, Status, StatusFacts, SyncStatus, SyncStep, Try};
use crate::domain::failure::ErrorCode;
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId};
use crate::domain::job::{JobState, QueueClass};
use crate::domain::link::is_pdf;
use crate::domain::request::{LiveJob, SkipReason};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Connection, query};

/// All columns of a [`DocumentRow`]; the status comes beside it.
const COLUMNS: &str = "d.id, d.name, d.external_link, d.account_id, d.assistant_id, d.status AS row_status, \
     d.last_sync_attempted_at, d.last_synced_at, d.updated_at, \
     CASE WHEN json_valid(d.metadata) THEN d.metadata ->> '$.sync_step' END AS sync_step, \
     CASE WHEN json_valid(d.metadata) THEN d.metadata ->> '$.content_fingerprint' END AS fingerprint, \
     s.host, s.error_code, s.detail, s.http_status, s.content_length, s.recent, \
     CASE WHEN l.state = 'scheduled' THEN l.run_at END AS next_attempt_at, \
     l.try_class, l.try_number, l.try_of, l.worker_name, l.cancel_requested_at, \
     j.attempt, j.class, j.requested_by, \
     (SELECT count(*) FROM document_versions v WHERE v.document_id = d.id) AS versions";

/// Ids in one statement.
const CHUNK: usize = 500;

/// A document as a bulk request sees it.
pub(super) struct Candidate {
    pub(super) id: DocumentId,
    pub(super) host: String,
    pub(super) syncable: std::result::Result<(), SkipReason>,
    pub(super) facts: StatusFacts,
    pub(super) live: Option<LiveJob>,
}

fn document_row(row: &SqliteRow) -> Result<DocumentRow> {
    let status: i64 = get(row, "status")?;
    let status = usize::try_from(status).ok().and_then(|place| Status::ALL.get(place)).copied();
    let url: &str = get(row, "external_link")?;
    let try_of = match (small(row, "try_number")?, small(row, "try_of")?) {
        (Some(number), Some(of)) => code(row, "try_class", class_from_code)?.map(|class| Try { class, number, of }),
        _ => None,
    };
    Ok(DocumentRow {
        id: DocumentId(get(row, "id")?),
        name: line(row, "name")?.unwrap_or_default(),
        url: SafeLine::new(url),
        host: line(row, "host")?.unwrap_or_else(|| SafeLine::new(&host(url))),
        account_id: AccountId(get(row, "account_id")?),
        assistant_id: AssistantId(get(row, "assistant_id")?),
        available: get::<i64, _>(row, "row_status")? == AVAILABLE,
        status: status.ok_or_else(|| corrupt("status"))?,
        // Another program's step that we do not know is shown as none.
        sync_step: get::<Option<&str>, _>(row, "sync_step")?.and_then(SyncStep::parse),
        error_code: word(row, "error_code", ErrorCode::parse)?,
        detail: line(row, "detail")?,
        http_status: small(row, "http_status")?,
        attempted_at: time(row, "last_sync_attempted_at")?,
        synced_at: time(row, "last_synced_at")?,
        next_attempt_at: time(row, "next_attempt_at")?,
        attempt: small(row, "attempt")?,
        queue: code(row, "class", QueueClass::from_code)?,
        fingerprint: get(row, "fingerprint")?,
        content_length: small(row, "content_length")?,
        updated_at: Timestamp::from_micros(get(row, "updated_at")?),
        try_of,
        held_by: line(row, "worker_name")?,
        requested_by: line(row, "requested_by")?,
        cancel_requested: get::<Option<i64>, _>(row, "cancel_requested_at")?.is_some(),
        recent: get::<Option<&str>, _>(row, "recent")?
            .unwrap_or_default()
            .chars()
            .filter_map(RecentResult::from_letter)
            .collect(),
        versions: number(row, "versions")?,
    })
}

/// One part of an order: an expression that is never NULL, whether it holds text, and whether it runs backwards.
struct Key {
    expression: &'static str,
    text: bool,
    descending: bool,
}

/// The parts of an order before the id, which makes it total. The status is no fixed text and is `None`.
fn keys(sort: Sort) -> Vec<Option<Key>> {
    let key = |expression, text, descending| Some(Key { expression, text, descending });
    let turned = sort.descending;
    match sort.by {
        SortBy::Id => vec![],
        SortBy::Status => vec![None],
        SortBy::Name => vec![key("coalesce(lower(d.name), '')", true, turned)],
        SortBy::Url => vec![key("d.external_link", true, turned)],
        SortBy::Error => vec![
            key("(s.error_code IS NULL)", false, false),
            key("coalesce(s.error_code, '')", true, turned),
            key("coalesce(s.detail, '')", true, turned),
        ],
        // The least age first, and never is the greatest age.
        SortBy::Attempted => vec![key("coalesce(d.last_sync_attempted_at, -9223372036854775807)", false, !turned)],
        SortBy::Synced => vec![key("coalesce(d.last_synced_at, -9223372036854775807)", false, !turned)],
        SortBy::Next => vec![
            key("(CASE WHEN l.state = 'scheduled' THEN 0 ELSE 1 END)", false, false),
            key("(CASE WHEN l.state = 'scheduled' THEN l.run_at ELSE 0 END)", false, turned),
        ],
    }
}

/// What an order is derived from.
fn joins(sort: Sort) -> Joins {
    match sort.by {
        SortBy::Status | SortBy::Next => Joins::STATUS,
        SortBy::Error => Joins { state: true, ..Joins::default() },
        _ => Joins::default(),
    }
}

fn push_key(sql: &mut Sql, key: &Option<Key>, now: Timestamp) {
    match key {
        Some(key) => {
            sql.push(key.expression);
        }
        None => push_status(sql, now),
    }
}

fn descending(key: &Option<Key>, sort: Sort) -> bool {
    key.as_ref().map_or(sort.descending, |key| key.descending)
}

fn push_order(sql: &mut Sql, sort: Sort, now: Timestamp) {
    sql.push(" ORDER BY ");
    for key in &keys(sort) {
        push_key(sql, key, now);
        sql.push(if descending(key, sort) { " DESC, " } else { ", " });
    }
    sql.push(if sort.by == SortBy::Id && sort.descending { "d.id DESC" } else { "d.id" });
}

/// What the anchor has at each part of the order.
async fn anchor(
    conn: &mut SqliteConnection,
    asked: &PageQuery,
    document: DocumentId,
    now: Timestamp,
) -> Result<Option<Vec<Value>>> {
    let mut sql = Sql::new("SELECT 0");
    let keys = keys(asked.sort);
    for key in &keys {
        sql.push(", ");
        push_key(&mut sql, key, now);
    }
    Joins::of(&asked.filter).and(joins(asked.sort)).push(&mut sql);
    push_documents(&mut sql, &asked.filter, now)?;
    sql.push(" AND d.id = ").bind(document.0);
    let Some(row) = sql.query().fetch_optional(conn).await.map_err(reading)? else { return Ok(None) };
    let mut values = Vec::with_capacity(keys.len());
    for (place, key) in keys.iter().enumerate() {
        values.push(match key {
            Some(Key { text: true, .. }) => Value::Text(get(&row, place + 1)?),
            _ => Value::Int(get(&row, place + 1)?),
        });
    }
    Ok(Some(values))
}

/// How many match before the anchor, by the very order of the list.
async fn rank(
    conn: &mut SqliteConnection,
    asked: &PageQuery,
    document: DocumentId,
    values: &[Value],
    now: Timestamp,
) -> Result<u64> {
    let mut sql = Sql::new("SELECT count(*)");
    Joins::of(&asked.filter).and(joins(asked.sort)).push(&mut sql);
    push_documents(&mut sql, &asked.filter, now)?;
    sql.push(" AND (");
    let keys = keys(asked.sort);
    for until in 0..=keys.len() {
        if until > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        for (key, value) in keys.iter().zip(values).take(until) {
            push_key(&mut sql, key, now);
            sql.push(" = ").bind(value.clone()).push(" AND ");
        }
        match keys.get(until).zip(values.get(until)) {
            Some((key, value)) => {
                push_key(&mut sql, key, now);
                sql.push(if descending(key, asked.sort) { " > " } else { " < " }).bind(value.clone());
            }
            None => {
                let backwards = asked.sort.by == SortBy::Id && asked.sort.descending;
                sql.push(if backwards { "d.id > " } else { "d.id < " }).bind(document.0);
            }
        }
        sql.push(")");
    }
    sql.push(")");
    let count: i64 = get(&sql.query().fetch_one(conn).await.map_err(reading)?, 0)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

impl SqliteStore {
    pub(super) async fn read_page(&self, asked: &PageQuery) -> Result<DocumentPage> {
        let now = self.clock.now();
        let mut reader = self.reader().await?;
        // One snapshot: total, place and rows must tell of the same instant.
        let mut snapshot = reader.begin().await.map_err(reading)?;
        let page = page_within(&mut snapshot, asked, now).await;
        snapshot.rollback().await.map_err(reading)?;
        page
    }

    pub(super) async fn find_documents(&self, named: &Named) -> Result<Vec<DocumentRow>> {
        let mut sql = Sql::new("SELECT ");
        sql.push(COLUMNS).push(", ");
        push_status(&mut sql, self.clock.now());
        sql.push(" AS status");
        Joins::ALL.push(&mut sql);
        match named {
            Named::Id(id) => sql.push(" WHERE d.id = ").bind(id.0),
            Named::Url(link) => sql.push(" WHERE d.external_link = ").bind(link.as_str()),
        };
        sql.push(" ORDER BY d.id");
        let mut reader = self.reader().await?;
        sql.query().fetch_all(&mut *reader).await.map_err(reading)?.iter().map(document_row).collect()
    }

    pub(super) async fn count_statuses(&self) -> Result<Counts> {
        let mut sql = Sql::new("SELECT ");
        push_status(&mut sql, self.clock.now());
        sql.push(" AS status, count(*) AS documents");
        Joins::STATUS.push(&mut sql);
        sql.push(" GROUP BY 1");
        let mut reader = self.reader().await?;
        let mut counts = Counts::default();
        for row in sql.query().fetch_all(&mut *reader).await.map_err(reading)? {
            let place: usize = number(&row, "status")?;
            let status = Status::ALL.get(place).ok_or_else(|| corrupt("status"))?;
            counts.set(*status, number(&row, "documents")?);
        }
        Ok(counts)
    }

    pub(super) async fn queue_state(&self) -> Result<QueueState> {
        let statement = query(
            "SELECT (SELECT count(*) FROM jobs WHERE state = 'ready') AS ready, \
             (SELECT count(*) FROM jobs WHERE state = 'running') AS running, \
             (SELECT count(*) FROM jobs WHERE state = 'scheduled' AND attempt > 0) AS waiting, \
             (SELECT count(*) FROM jobs WHERE state = 'scheduled' AND attempt = 0) AS scheduled, \
             (SELECT min(run_at) FROM jobs WHERE state = 'ready') AS oldest_ready_at, \
             (SELECT min(run_at) FROM jobs WHERE state = 'scheduled') AS next_due_at",
        );
        let row = {
            let mut reader = self.reader().await?;
            statement.fetch_one(&mut *reader).await.map_err(reading)?
        };
        Ok(QueueState {
            ready: number(&row, "ready")?,
            running: number(&row, "running")?,
            waiting: number(&row, "waiting")?,
            scheduled: number(&row, "scheduled")?,
            oldest_ready_at: time(&row, "oldest_ready_at")?,
            next_due_at: time(&row, "next_due_at")?,
            workers: self.workers_alive().await?,
        })
    }

    pub(super) async fn matching_ids(&self, filter: &Filter) -> Result<Vec<DocumentId>> {
        let mut sql = Sql::new("SELECT d.id");
        Joins::of(filter).push(&mut sql);
        push_documents(&mut sql, filter, self.clock.now())?;
        sql.push(" ORDER BY d.id");
        let mut reader = self.reader().await?;
        let rows = sql.query().fetch_all(&mut *reader).await.map_err(reading)?;
        rows.iter().map(|row| Ok(DocumentId(get(row, 0)?))).collect()
    }

    pub(super) async fn read_content(&self, document: DocumentId) -> Result<Option<StoredContent>> {
        let statement = query(
            "SELECT d.content, coalesce(s.content_version, 0) AS version FROM captain_documents d \
             LEFT JOIN document_state s ON s.document_id = d.id WHERE d.id = ? AND d.content IS NOT NULL",
        );
        let mut reader = self.reader().await?;
        let row = statement.bind(document.0).fetch_optional(&mut *reader).await.map_err(reading)?;
        row.map(|row| Ok(StoredContent { text: get(&row, "content")?, version: number(&row, "version")? })).transpose()
    }

    pub(super) async fn read_versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>> {
        let statement = query(
            "SELECT version, replaced_at, fingerprint, content_length FROM document_versions \
             WHERE document_id = ? ORDER BY version DESC",
        );
        let mut reader = self.reader().await?;
        let rows = statement.bind(document.0).fetch_all(&mut *reader).await.map_err(reading)?;
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

    /// The documents of a bulk request, in id order, each once.
    pub(super) async fn candidates(&self, of: &Targets, now: Timestamp) -> Result<Vec<Candidate>> {
        let select = "SELECT d.id, d.external_link, d.status AS row_status, d.sync_status, d.last_sync_attempted_at, \
             d.last_synced_at, s.host, l.id AS job_id, l.state, l.class, l.attempt, l.recorded_attempt, l.worker_name";
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
            for row in sql.query().fetch_all(&mut *reader).await.map_err(reading)? {
                candidates.push(candidate(&row)?);
            }
        }
        Ok(candidates)
    }
}

async fn page_within(conn: &mut SqliteConnection, asked: &PageQuery, now: Timestamp) -> Result<DocumentPage> {
    let mut sql = Sql::new("SELECT count(*)");
    Joins::of(&asked.filter).push(&mut sql);
    push_documents(&mut sql, &asked.filter, now)?;
    let total: i64 = get(&sql.query().fetch_one(&mut *conn).await.map_err(reading)?, 0)?;
    let total = u64::try_from(total).unwrap_or_default();
    let wanted = match asked.around {
        Around::Offset(offset) => offset,
        Around::Document { document, above, else_at } => match anchor(conn, asked, document, now).await? {
            Some(values) => rank(conn, asked, document, &values, now).await?.saturating_sub(above),
            None => else_at,
        },
    };
    let offset = wanted.min(total.saturating_sub(asked.limit.max(1)));
    // The window is found by narrow rows; the wide ones are read for it alone.
    let mut sql = Sql::new("WITH w AS MATERIALIZED (SELECT d.id AS id");
    Joins::of(&asked.filter).and(joins(asked.sort)).push(&mut sql);
    push_documents(&mut sql, &asked.filter, now)?;
    push_order(&mut sql, asked.sort, now);
    sql.push(" LIMIT ").bind(i64::try_from(asked.limit).unwrap_or(i64::MAX));
    sql.push(" OFFSET ").bind(i64::try_from(offset).unwrap_or(i64::MAX));
    sql.push(") SELECT ").push(COLUMNS).push(", ");
    push_status(&mut sql, now);
    sql.push(" AS status");
    Joins::ALL.push(&mut sql);
    sql.push(" WHERE d.id IN (SELECT id FROM w)");
    push_order(&mut sql, asked.sort, now);
    let rows = sql.query().fetch_all(&mut *conn).await.map_err(reading)?;
    Ok(DocumentPage { rows: rows.iter().map(document_row).collect::<Result<_>>()?, offset, total })
}

fn candidate(row: &SqliteRow) -> Result<Candidate> {
    let url: &str = get(row, "external_link")?;
    let state = word(row, "state", JobState::parse)?;
    let attempt: Option<u32> = small(row, "attempt")?;
    let live = match (get::<Option<i64>, _>(row, "job_id")?, state, code(row, "class", QueueClass::from_code)?) {
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
        host: get::<Option<String>, _>(row, "host")?.unwrap_or_else(|| host(url)),
        syncable: if is_pdf(url) {
            Err(SkipReason::Pdf)
        } else if get::<i64, _>(row, "row_status")? != AVAILABLE {
            Err(SkipReason::Unavailable)
        } else {
            Ok(())
        },
        facts: StatusFacts {
            live_job: live.as_ref().map(|job| (job.state, job.attempt)),
            sync_status: get::<Option<i64>, _>(row, "sync_status")?.and_then(SyncStatus::from_code),
            attempted_at: time(row, "last_sync_attempted_at")?,
            synced_at: time(row, "last_synced_at")?,
            cadence: None,
        },
        live,
    })
}
