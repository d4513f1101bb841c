//! Reads for the console's jobs view: the first rows of every section and the number of jobs in each state. For display
//! only; a claim reads the queue itself.

use crate::domain::content::ContentChange;
use crate::domain::failure::ErrorCode;
use crate::domain::id::{AccountId, DocumentId, JobId};
use crate::domain::job::QueueClass;
use crate::domain::outcome::OutcomeResult;
use crate::domain::time::Timestamp;
use crate::store::queries::document::failure_count;
use crate::store::sql::calendar::{calendar, waits_for_windows};
use crate::store::sql::columns::{code, corrupt, line, number, optional_number, time, word};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::{Sql, query};
use crate::store::{JobBlockers, JobProgress, JobSummary, JobsPage, JobsQuery, MAX_SECTION_ROWS, Result};
use std::collections::HashSet;

/// The columns of a job that every section reads.
const COLUMNS: &str = "j.id, j.document_id, coalesce(d.name, j.url) AS name, j.account_id, j.host, j.class, j.attempt, \
     j.requested_by";
const DOCUMENT: &str = " LEFT JOIN captain_documents d ON d.id = j.document_id ";
/// Number of outcomes that are scanned per wanted row of ended jobs. One is not enough: a failure may be followed by a
/// retry, and an exhausted job has one outcome for the failure and one for the exhaustion.
const SCANNED_OUTCOMES_PER_ROW: u64 = 5;

pub(in crate::store) async fn jobs(db: &Database, wanted: &JobsQuery) -> Result<JobsPage> {
    let limit = wanted.limit.min(MAX_SECTION_ROWS);
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let totals = reader
        .one(query(
            "SELECT (SELECT count(*) FROM @jobs WHERE state = 'running') AS running, \
             (SELECT count(*) FROM @jobs WHERE state = 'ready') AS ready, \
             (SELECT count(*) FROM @jobs WHERE state = 'scheduled') AS waiting",
        ))
        .await?;
    let running = reader
        .all(section(
            ", j.worker_name, j.started_at, j.lease_until, w.heartbeat_at, j.cancel_requested_by FROM @jobs j \
             LEFT JOIN @workers w ON w.id = j.worker_id",
            "j.state = 'running' ORDER BY j.started_at, j.id",
            rows,
        ))
        .await?;
    let now = db.now();
    let ready = reader
        .all(section(
            ", j.run_at, h.held_until, h.held_because, a.max_running, a.at_rule, a.day_window, a.opens_at, \
             (SELECT count(*) FROM @jobs r WHERE r.state = 'running' AND r.host = j.host) AS host_running, \
             (SELECT count(*) FROM @jobs r WHERE r.state = 'running' AND r.account_id = j.account_id) \
              AS account_running \
             FROM @jobs j LEFT JOIN @hosts_sched h ON h.host = j.host \
             LEFT JOIN @accounts_sched a ON a.account_id = j.account_id",
            "j.state = 'ready' ORDER BY j.class, j.vtime, j.id",
            rows,
        ))
        .await?;
    let waiting = reader
        .all(section(
            ", j.run_at, j.try_class, j.try_number, j.try_of, j.lock_holder, a.at_rule, a.day_window FROM @jobs j \
             LEFT JOIN @accounts_sched a ON a.account_id = j.account_id",
            "j.state = 'scheduled' ORDER BY j.run_at, j.id",
            rows,
        ))
        .await?;
    let scanned = i64::try_from(limit.saturating_mul(SCANNED_OUTCOMES_PER_ROW)).unwrap_or(i64::MAX);
    let mut ended = Sql::new("SELECT ");
    ended
        .push(COLUMNS)
        .push(", o.at, o.result, o.error_code, o.content FROM (SELECT * FROM @outcomes ORDER BY seq DESC LIMIT ");
    ended.bind(scanned).push(") o JOIN @jobs j ON j.id = o.job_id").push(DOCUMENT);
    ended.push("WHERE j.state IN ('done', 'failed', 'cancelled', 'purged') ORDER BY o.seq DESC");
    let ended = reader.all(ended.query()).await?;
    reader.leave_snapshot().await?;
    let mut recent: Vec<JobSummary> = Vec::new();
    let mut listed = HashSet::new();
    for row in &ended {
        let job = job_summary(row, ended_progress(row)?)?;
        if recent.len() as u64 == limit {
            break;
        }
        // The rows come newest first, and the newest outcome of a job is the one that ended the job.
        if listed.insert(job.job) {
            recent.push(job);
        }
    }
    Ok(JobsPage {
        running: job_summaries(&running, running_progress)?,
        running_total: number(&totals, "running")?,
        ready: job_summaries(&ready, |row| ready_progress(row, now))?,
        ready_total: number(&totals, "ready")?,
        waiting: job_summaries(&waiting, waiting_progress)?,
        waiting_total: number(&totals, "waiting")?,
        recent,
    })
}

fn section(from: &'static str, which: &'static str, rows: i64) -> crate::store::sql::statement::Statement {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(from).push(DOCUMENT).push("WHERE ").push(which).push(" LIMIT ").bind(rows);
    sql.query()
}

fn job_summaries(rows: &[Row], progress: impl Fn(&Row) -> Result<JobProgress>) -> Result<Vec<JobSummary>> {
    rows.iter().map(|row| job_summary(row, progress(row)?)).collect()
}

fn job_summary(row: &Row, progress: JobProgress) -> Result<JobSummary> {
    Ok(JobSummary {
        job: JobId(get(row, "id")?),
        document: DocumentId(get(row, "document_id")?),
        name: line(row, "name")?.unwrap_or_default(),
        account: AccountId(get(row, "account_id")?),
        host: line(row, "host")?.unwrap_or_default(),
        class: code(row, "class", QueueClass::from_code)?.ok_or_else(|| corrupt("class"))?,
        attempt: number(row, "attempt")?,
        requested_by: line(row, "requested_by")?,
        progress,
    })
}

fn required_time(row: &Row, column: &str) -> Result<Timestamp> {
    time(row, column)?.ok_or_else(|| corrupt(column))
}

fn running_progress(row: &Row) -> Result<JobProgress> {
    Ok(JobProgress::Running {
        worker: line(row, "worker_name")?,
        started_at: time(row, "started_at")?,
        lease_until: time(row, "lease_until")?,
        heartbeat_at: time(row, "heartbeat_at")?,
        cancelled_by: line(row, "cancel_requested_by")?,
    })
}

fn ready_progress(row: &Row, now: Timestamp) -> Result<JobProgress> {
    let opens_at = time(row, "opens_at")?.filter(|at| *at > now);
    let window = match opens_at {
        Some(at) if waits_for_windows(row, "class")? => calendar(row)?.closed_until(at),
        _ => None,
    };
    Ok(JobProgress::Ready {
        since: required_time(row, "run_at")?,
        blockers: JobBlockers {
            window,
            host_backoff_until: time(row, "held_until")?,
            host_backoff_reason: line(row, "held_because")?,
            host_running: number(row, "host_running")?,
            account_running: number(row, "account_running")?,
            account_cap: optional_number(row, "max_running")?,
        },
    })
}

fn waiting_progress(row: &Row) -> Result<JobProgress> {
    let (after, at) = (failure_count(row)?, required_time(row, "run_at")?);
    let run_at = if waits_for_windows(row, "class")? { calendar(row)?.open(at) } else { at };
    Ok(JobProgress::Waiting { run_at, after, lock_holder: line(row, "lock_holder")? })
}

fn ended_progress(row: &Row) -> Result<JobProgress> {
    Ok(JobProgress::Ended {
        at: required_time(row, "at")?,
        result: word(row, "result", OutcomeResult::parse)?.ok_or_else(|| corrupt("result"))?,
        error_code: word(row, "error_code", ErrorCode::parse)?,
        content: word(row, "content", ContentChange::parse)?,
    })
}
