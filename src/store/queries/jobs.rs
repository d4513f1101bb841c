//! What the console's jobs view reads: every section's first rows and how many there are in all. For people; a claim
//! looks for itself.

use crate::domain::document::Try;
use crate::domain::failure::ErrorCode;
use crate::domain::id::{AccountId, DocumentId, JobId};
use crate::domain::job::QueueClass;
use crate::domain::outcome::OutcomeResult;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::attempts::finish::class_from_code;
use crate::store::sql::conn::{Row, code, corrupt, get, line, number, small, time, word};
use crate::store::sql::statement::{Sql, query};
use crate::store::sql_store::SqlStore;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// The most rows that one section is read with, whatever was asked for.
pub const SECTION_ROWS: u64 = 200;

/// The most accounts or hosts that are shown.
pub(in crate::store) const MOST_SEEN: i64 = 1_000;
/// Outcomes that are looked through for those of the last hour: the newest by number, which no index of times is needed
/// for.
const NEWEST_OUTCOMES: i64 = 20_000;
/// What "lately" is.
const LATELY: Duration = Duration::from_secs(3_600);

/// The first rows of a list and how many there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    /// At most 1,000.
    pub rows: Vec<T>,
    /// All of them, shown or not.
    pub total: u64,
}

impl<T> Default for Seen<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), total: 0 }
    }
}

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

/// How much of each section is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobsQuery {
    /// Rows of a section; at most [`SECTION_ROWS`].
    pub limit: u64,
}

/// The jobs in sections, at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobsPage {
    /// Running, the longest running first.
    pub running: Vec<JobSeen>,
    /// All that run.
    pub running_total: u64,
    /// Ready, in the order in which they are claimed when nothing holds them up.
    pub ready: Vec<JobSeen>,
    /// All that are ready.
    pub ready_total: u64,
    /// Waiting for a time, the next first.
    pub waiting: Vec<JobSeen>,
    /// All that wait for a time, tried or not.
    pub waiting_total: u64,
    /// Ended lately, the last first.
    pub recent: Vec<JobSeen>,
}

/// A job as the jobs view shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSeen {
    /// The job.
    pub job: JobId,
    /// Its document.
    pub document: DocumentId,
    /// The document's name; its URL when it has none.
    pub name: SafeLine,
    /// The account it counts for.
    pub account: AccountId,
    /// The host it is fetched from.
    pub host: SafeLine,
    /// Its class.
    pub class: QueueClass,
    /// Attempts so far, the running one included.
    pub attempt: u32,
    /// Who asked for it.
    pub requested_by: Option<SafeLine>,
    /// Where it is.
    pub place: JobPlace,
}

/// Where a job is, and what is known there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobPlace {
    /// A worker has it.
    Running {
        /// The worker's name.
        worker: Option<SafeLine>,
        /// When this try began.
        started_at: Option<Timestamp>,
        /// When its lease ends.
        lease_until: Option<Timestamp>,
        /// When its worker's heart beat last; `None` for a worker that nobody knows any more.
        heartbeat_at: Option<Timestamp>,
        /// Who asked it to stop.
        cancelled_by: Option<SafeLine>,
    },
    /// It waits for a slot.
    Ready {
        /// Since when.
        since: Timestamp,
        /// What it stands behind.
        blocked: Blocked,
    },
    /// It waits for a time.
    Waiting {
        /// When it is tried.
        run_at: Timestamp,
        /// The failure it waits after.
        after: Option<Try>,
        /// Who has the document's lock.
        lock_holder: Option<SafeLine>,
    },
    /// It is over.
    Ended {
        /// When.
        at: Timestamp,
        /// What its last outcome says.
        result: OutcomeResult,
        /// Why, when it failed.
        error_code: Option<ErrorCode>,
    },
}

/// What may hold a ready job up, pauses apart, which are read by themselves. Caps are the workers' own, so here stand the
/// numbers that they are compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// Its host is left alone until then.
    pub host_held_until: Option<Timestamp>,
    /// Why it is, for people.
    pub host_held_because: Option<SafeLine>,
    /// Running jobs of its host.
    pub host_running: u64,
    /// Running jobs of its account.
    pub account_running: u64,
    /// Running jobs that its account may have, when it has a cap of its own.
    pub account_cap: Option<u64>,
}

/// What every section reads of a job.
const COLUMNS: &str = "j.id, j.document_id, coalesce(d.name, j.url) AS name, j.account_id, j.host, j.class, j.attempt, \
     j.requested_by";
const DOCUMENT: &str = " LEFT JOIN captain_documents d ON d.id = j.document_id ";
/// Outcomes that are looked through for jobs that ended, for each row that is wanted: one that is tried again, or an
/// exhaustion beside its failure, ends nothing.
const LOOKED_THROUGH: u64 = 5;

impl SqlStore {
    pub(in crate::store) async fn jobs_seen(&self, wanted: &JobsQuery) -> Result<JobsPage> {
        let limit = wanted.limit.min(SECTION_ROWS);
        let rows = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut reader = self.reader().await?;
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
        let ready = reader
            .all(section(
                ", j.run_at, h.held_until, h.held_because, a.max_running, \
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
                ", j.run_at, j.try_class, j.try_number, j.try_of, j.lock_holder FROM @jobs j",
                "j.state = 'scheduled' ORDER BY j.run_at, j.id",
                rows,
            ))
            .await?;
        let looked_through = i64::try_from(limit.saturating_mul(LOOKED_THROUGH)).unwrap_or(i64::MAX);
        let mut ended = Sql::new("SELECT ");
        ended
            .push(COLUMNS)
            .push(", o.at, o.result, o.error_code FROM (SELECT * FROM @outcomes ORDER BY seq DESC LIMIT ");
        ended.bind(looked_through).push(") o JOIN @jobs j ON j.id = o.job_id").push(DOCUMENT);
        ended.push("WHERE j.state IN ('done', 'failed', 'cancelled', 'purged') ORDER BY o.seq DESC");
        let ended = reader.all(ended.query()).await?;
        reader.leave_snapshot().await?;
        let mut recent: Vec<JobSeen> = Vec::new();
        let mut seen = HashSet::new();
        for row in &ended {
            let job = job_seen(row, ended_place(row)?)?;
            if recent.len() as u64 == limit {
                break;
            }
            // The newest outcome of a job is the one that it ended with.
            if seen.insert(job.job) {
                recent.push(job);
            }
        }
        Ok(JobsPage {
            running: each(&running, running_place)?,
            running_total: number(&totals, "running")?,
            ready: each(&ready, ready_place)?,
            ready_total: number(&totals, "ready")?,
            waiting: each(&waiting, waiting_place)?,
            waiting_total: number(&totals, "waiting")?,
            recent,
        })
    }
}

fn section(from: &'static str, which: &'static str, rows: i64) -> crate::store::sql::statement::Statement {
    let mut sql = Sql::new("SELECT ");
    sql.push(COLUMNS).push(from).push(DOCUMENT).push("WHERE ").push(which).push(" LIMIT ").bind(rows);
    sql.query()
}

fn each(rows: &[Row], place: impl Fn(&Row) -> Result<JobPlace>) -> Result<Vec<JobSeen>> {
    rows.iter().map(|row| job_seen(row, place(row)?)).collect()
}

fn job_seen(row: &Row, place: JobPlace) -> Result<JobSeen> {
    Ok(JobSeen {
        job: JobId(get(row, "id")?),
        document: DocumentId(get(row, "document_id")?),
        name: line(row, "name")?.unwrap_or_default(),
        account: AccountId(get(row, "account_id")?),
        host: line(row, "host")?.unwrap_or_default(),
        class: code(row, "class", QueueClass::from_code)?.ok_or_else(|| corrupt("class"))?,
        attempt: number(row, "attempt")?,
        requested_by: line(row, "requested_by")?,
        place,
    })
}

fn at(row: &Row, column: &str) -> Result<Timestamp> {
    time(row, column)?.ok_or_else(|| corrupt(column))
}

fn running_place(row: &Row) -> Result<JobPlace> {
    Ok(JobPlace::Running {
        worker: line(row, "worker_name")?,
        started_at: time(row, "started_at")?,
        lease_until: time(row, "lease_until")?,
        heartbeat_at: time(row, "heartbeat_at")?,
        cancelled_by: line(row, "cancel_requested_by")?,
    })
}

fn ready_place(row: &Row) -> Result<JobPlace> {
    Ok(JobPlace::Ready {
        since: at(row, "run_at")?,
        blocked: Blocked {
            host_held_until: time(row, "held_until")?,
            host_held_because: line(row, "held_because")?,
            host_running: number(row, "host_running")?,
            account_running: number(row, "account_running")?,
            account_cap: small(row, "max_running")?,
        },
    })
}

fn waiting_place(row: &Row) -> Result<JobPlace> {
    let after = match (small(row, "try_number")?, small(row, "try_of")?) {
        (Some(number), Some(of)) => code(row, "try_class", class_from_code)?.map(|class| Try { class, number, of }),
        _ => None,
    };
    Ok(JobPlace::Waiting { run_at: at(row, "run_at")?, after, lock_holder: line(row, "lock_holder")? })
}

fn ended_place(row: &Row) -> Result<JobPlace> {
    Ok(JobPlace::Ended {
        at: at(row, "at")?,
        result: word(row, "result", OutcomeResult::parse)?.ok_or_else(|| corrupt("result"))?,
        error_code: word(row, "error_code", ErrorCode::parse)?,
    })
}
