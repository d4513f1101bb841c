//! The status of a document in SQL, as its index in [`Status::ALL`]: computed from the document's row and its live job
//! by the rules of `StatusFacts::status`, or read from `document_status`, whose triggers follow the same rules.

use crate::domain::document::{STUCK_AFTER, Status};
use crate::domain::time::Timestamp;
use crate::store::sql::documents::StatusSource;
use crate::store::sql::statement::Sql;

/// Appends an expression for a document's status, computed. Needs the joins `l` and `c`.
pub(in crate::store) fn push_computed(sql: &mut Sql, now: Timestamp) {
    sql.push(
        "CAST(CASE WHEN l.lock_holder IS NOT NULL THEN 2 WHEN l.state = 'running' THEN 3 WHEN l.state = 'ready' THEN 4 \
         WHEN l.state = 'scheduled' AND l.attempt > 0 THEN 2 ELSE ",
    );
    push_row_status(sql, now);
    sql.push(" END AS BIGINT)");
}

/// Expression for the status of a document that is not synced because of its kind; NULL for another one.
pub(in crate::store) const STATUS_BY_KIND: &str = "status_by_kind";

/// Appends an expression for the status that a document has by its row, without its job. Needs the join `c`, the stored
/// plan of the account.
pub(in crate::store) fn push_row_status(sql: &mut Sql, now: Timestamp) {
    sql.push("coalesce(").push(STATUS_BY_KIND);
    sql.push(", CASE WHEN d.sync_status = 0 THEN CASE WHEN micros(d.last_sync_attempted_at) >= ")
        .bind(now.minus(STUCK_AFTER).micros())
        .push(" THEN 3 ELSE 1 END ELSE ");
    push_settled_status(sql, now);
    sql.push(" END)");
}

/// Appends an expression like that of [`push_row_status`], for documents that are synced and whose row is not `syncing`.
/// It does not read the time of the attempt. Needs the join `c`, the stored plan of the account.
pub(in crate::store) fn push_settled_status(sql: &mut Sql, now: Timestamp) {
    sql.push("CASE WHEN d.sync_status = 2 THEN 0 WHEN d.sync_status = 1 THEN CASE WHEN micros(d.last_synced_at) < ")
        .bind(now.micros())
        .push(" - c.cadence THEN 5 ELSE 6 END ELSE 7 END");
}

/// Appends an expression for a document's status at the time `now`.
pub(in crate::store) fn push_status(sql: &mut Sql, source: StatusSource, now: Timestamp) {
    match source {
        StatusSource::Stored | StatusSource::Shadow => {
            sql.push("CASE WHEN m.status_until < ").bind(now.micros());
            sql.push(" THEN CASE m.status WHEN 3 THEN 1 ELSE 5 END ELSE m.status END");
        }
        StatusSource::Computed => push_computed(sql, now),
    }
}

/// Returns the status that a stored status becomes when its time has passed; `None` if time alone does not change it.
pub(in crate::store) const fn after_its_time(status: Status) -> Option<Status> {
    match status {
        Status::Syncing => Some(Status::Stuck),
        Status::Synced => Some(Status::Stale),
        Status::Failed
        | Status::Stuck
        | Status::Waiting
        | Status::Queued
        | Status::Stale
        | Status::Never
        | Status::Pdf
        | Status::Crawling => None,
    }
}

/// Appends a condition for documents with one of these statuses at the time `now`.
pub(in crate::store) fn push_has_status(sql: &mut Sql, source: StatusSource, statuses: &[Status], now: Timestamp) {
    if source == StatusSource::Computed {
        push_computed(sql, now);
        sql.push(" IN ").bind_list(statuses.iter().map(|status| *status as i64));
        return;
    }
    // Written so that an index serves each part: of the documents whose stored status is wrong by now there are few.
    let changes = |status: &&Status| after_its_time(**status).is_some_and(|later| !statuses.contains(&later));
    let lasting = statuses.iter().filter(|status| !changes(status));
    sql.push("m.status IN ").bind_list(lasting.map(|status| *status as i64));
    for status in statuses.iter().filter(changes) {
        sql.push(" OR m.status = ").bind(*status as i64);
        sql.push(" AND (m.status_until IS NULL OR m.status_until >= ").bind(now.micros()).push(")");
    }
    for status in Status::ALL {
        if after_its_time(status).is_some_and(|later| statuses.contains(&later)) && !statuses.contains(&status) {
            sql.push(" OR m.status_until < ").bind(now.micros()).push(" AND +m.status = ").bind(status as i64);
        }
    }
}
