//! Reads for the console's accounts view: the accounts that have documents, with figures of each. For display only; the
//! scheduler and a claim read the tables themselves.

use crate::domain::document::Status;
use crate::domain::time::Timestamp;
use crate::store::chatwoot::optional::{ACCOUNT_NAMES, unreadable};
use crate::store::queries::counts::{expired_statuses, move_count, numbers};
use crate::store::queries::listing::{GroupSummary, MAX_LISTED, add_figures, push_recent_attempts};
use crate::store::queue::shadow;
use crate::store::sql::calendar::calendar;
use crate::store::sql::columns::{corrupt, line, number, span, time};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::documents::StatusSource;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Statement, query};
use crate::store::sql::status::{STATUS_BY_KIND, push_computed, push_row_status, push_settled_status};
use crate::store::{AccountSummary, Listing, Result};
use std::collections::{BTreeMap, HashMap};

pub(in crate::store) async fn accounts(db: &Database) -> Result<Listing<AccountSummary>> {
    let now = db.now();
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let ids = crate::store::schedule::plans::accounts(&mut reader).await?;
    let total = ids.len() as u64;
    let shown = ids.into_iter().take(MAX_LISTED as usize).map(|id| (id.0, AccountSummary::new(id.0)));
    let mut accounts: BTreeMap<i64, AccountSummary> = shown.collect();
    let names = names(&mut reader, &accounts).await?;
    let source = shadow::source(db, &mut reader).await?;
    count_statuses(&mut reader, source, now, &mut accounts).await?;
    let kept = reader
        .all(query("SELECT account_id, plan, cadence, at_rule, day_window, opens_at FROM @accounts_sched"))
        .await?;
    let jobs = reader
        .all(query(
            "SELECT account_id, CAST(sum(running) AS BIGINT) AS running, CAST(sum(ready) AS BIGINT) AS ready, \
             CAST(sum(waiting) AS BIGINT) AS waiting, CAST(min(due) AS BIGINT) AS next_due_at, \
             CAST(min(by_hand) AS BIGINT) AS by_hand_at FROM \
             (SELECT account_id, count(*) AS running, 0 AS ready, 0 AS waiting, CAST(NULL AS BIGINT) AS due, \
             CAST(NULL AS BIGINT) AS by_hand FROM @jobs WHERE state = 'running' GROUP BY 1 \
             UNION ALL SELECT account_id, 0, count(*), 0, NULL, NULL FROM @jobs WHERE state = 'ready' GROUP BY 1 \
             UNION ALL SELECT account_id, 0, 0, count(CASE WHEN attempt > 0 OR lock_holder IS NOT NULL THEN 1 END), \
             min(CASE WHEN class > 0 THEN run_at END), min(CASE WHEN class = 0 THEN run_at END) \
             FROM @jobs WHERE state = 'scheduled' GROUP BY 1) q GROUP BY 1",
        ))
        .await?;
    let ended = reader.all(recent_attempts(now)).await?;
    reader.leave_snapshot().await?;

    add_figures(&mut accounts, &names, |summary, row| {
        summary.name = line(row, "name")?;
        Ok(())
    })?;
    let mut calendars = HashMap::new();
    add_figures(&mut accounts, &kept, |summary, row| {
        (summary.plan, summary.cadence) = (line(row, "plan")?, span(row, "cadence")?);
        let calendar = calendar(row)?;
        summary.window = time(row, "opens_at")?.filter(|at| *at > now).and_then(|at| calendar.closed_until(at));
        calendars.insert(summary.id.0, calendar);
        Ok(())
    })?;
    add_figures(&mut accounts, &jobs, |summary, row| {
        (summary.running, summary.ready) = (number(row, "running")?, number(row, "ready")?);
        summary.waiting = number(row, "waiting")?;
        let calendar = calendars.get(&summary.id.0);
        let automatic = time(row, "next_due_at")?.map(|at| calendar.map_or(at, |calendar| calendar.open(at)));
        summary.next_due_at = [automatic, time(row, "by_hand_at")?].into_iter().flatten().min();
        Ok(())
    })?;
    add_figures(&mut accounts, &ended, |summary, row| {
        summary.last_hour = number(row, "n")?;
        Ok(())
    })?;
    Ok(Listing { rows: accounts.into_values().collect(), total })
}

/// Adds the number of documents at each status.
async fn count_statuses(
    reader: &mut Reader,
    source: StatusSource,
    now: Timestamp,
    accounts: &mut BTreeMap<i64, AccountSummary>,
) -> Result<()> {
    if source.is_stored() {
        let stored = "SELECT account_id, status, CAST(sum(documents) AS BIGINT) AS documents FROM @document_counts \
             GROUP BY account_id, status";
        for (account, status, documents) in numbers(reader, query(stored)).await? {
            if let Some(summary) = accounts.get_mut(&account) {
                summary.counts.set(status, documents);
            }
        }
        for (account, status, documents) in numbers(reader, expired_statuses(now)).await? {
            if let Some(summary) = accounts.get_mut(&account) {
                move_count(&mut summary.counts, status, documents);
            }
        }
        return Ok(());
    }
    let settled = reader.all(settled_counts(now)).await?;
    let marked = reader.all(syncing_counts(now)).await?;
    let decided = reader.all(job_status_counts(now)).await?;
    add_figures(accounts, &settled, |summary, row| {
        summary.counts.set(Status::Failed, number(row, "failed")?);
        summary.counts.set(Status::Stale, number(row, "stale")?);
        summary.counts.set(Status::Synced, number(row, "synced")?);
        summary.counts.set(Status::Never, number(row, "never")?);
        summary.counts.set(Status::Pdf, number(row, "pdf")?);
        summary.counts.set(Status::Crawling, number(row, "crawling")?);
        Ok(())
    })?;
    add_figures(accounts, &marked, |summary, row| {
        summary.counts.set(status(row, "status")?, number(row, "n")?);
        Ok(())
    })?;
    add_figures(accounts, &decided, |summary, row| {
        let (from, to, n) = (status(row, "instead")?, status(row, "status")?, number::<u64>(row, "n")?);
        summary.counts.set(from, summary.counts.of(from).saturating_sub(n));
        summary.counts.set(to, summary.counts.of(to) + n);
        Ok(())
    })
}

impl GroupSummary for AccountSummary {
    type Key = i64;

    fn key_of(row: &Row) -> Result<i64> {
        get(row, "account_id")
    }
}

/// Reads the names of accounts from Chatwoot's table. Returns no rows if that table is missing or unreadable, so that
/// the view can show everything else.
async fn names(reader: &mut Reader, accounts: &BTreeMap<i64, AccountSummary>) -> Result<Vec<Row>> {
    if reader.dialect() == Dialect::Sqlite {
        return Ok(Vec::new());
    }
    if let [Some(_)] = unreadable(reader, [ACCOUNT_NAMES]).await? {
        return Ok(Vec::new());
    }
    let names = query("SELECT id::bigint AS account_id, name::text AS name FROM accounts WHERE id IN (SELECT each(?))");
    reader.all(names.bind(accounts.keys().copied().collect::<Vec<i64>>())).await
}

/// Counts documents that are not marked `syncing`, by account and status, in one row per account. Most documents are of
/// this kind; reading them in the order of an index that contains every column needed avoids a sort.
fn settled_counts(now: Timestamp) -> Statement {
    let mut sql = Sql::new(
        "SELECT account_id, count(CASE WHEN status = 0 THEN 1 END) AS failed, \
         count(CASE WHEN status = 5 THEN 1 END) AS stale, count(CASE WHEN status = 6 THEN 1 END) AS synced, \
         count(CASE WHEN status = 7 THEN 1 END) AS never, count(CASE WHEN status = 8 THEN 1 END) AS pdf, \
         count(CASE WHEN status = 9 THEN 1 END) AS crawling FROM (SELECT d.account_id, coalesce(",
    );
    sql.push(STATUS_BY_KIND).push(", CASE WHEN d.sync_status = 0 THEN -1 ELSE ");
    push_settled_status(&mut sql, now);
    sql.push(
        " END) AS status FROM captain_documents d LEFT JOIN @accounts_sched c ON c.account_id = d.account_id) q \
         GROUP BY account_id",
    );
    sql.query()
}

/// Counts documents whose row is marked `syncing`, by account and status.
fn syncing_counts(now: Timestamp) -> Statement {
    let mut sql = Sql::new("SELECT d.account_id, CAST(");
    push_row_status(&mut sql, now);
    sql.push(
        " AS BIGINT) AS status, count(*) AS n FROM captain_documents d \
         LEFT JOIN @accounts_sched c ON c.account_id = d.account_id WHERE d.sync_status = 0 AND ",
    );
    sql.push(STATUS_BY_KIND).push(" IS NULL GROUP BY 1, 2");
    sql.query()
}

/// Counts documents whose live job determines their status, by account, by that status, and by the status that the
/// document's row alone would give.
fn job_status_counts(now: Timestamp) -> Statement {
    let mut sql = Sql::new("SELECT d.account_id, CAST(");
    push_row_status(&mut sql, now);
    sql.push(" AS BIGINT) AS instead, ");
    push_computed(&mut sql, now);
    sql.push(
        " AS status, count(*) AS n FROM @jobs l JOIN captain_documents d ON d.id = l.document_id \
         LEFT JOIN @accounts_sched c ON c.account_id = d.account_id WHERE l.state IN ('scheduled', 'ready', 'running') \
         AND (l.state <> 'scheduled' OR l.attempt > 0 OR l.lock_holder IS NOT NULL) GROUP BY 1, 2, 3",
    );
    sql.query()
}

fn status(row: &Row, column: &str) -> Result<Status> {
    let index: usize = number(row, column)?;
    Status::ALL.get(index).copied().ok_or_else(|| corrupt(column))
}

fn recent_attempts(now: Timestamp) -> Statement {
    let mut sql = Sql::new("SELECT account_id, count(*) AS n");
    push_recent_attempts(&mut sql, now);
    sql.push(" GROUP BY 1");
    sql.query()
}
