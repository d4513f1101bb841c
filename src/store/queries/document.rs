//! Conversion of a result row into the [`DocumentRow`] that lists and views of a document show.

use crate::domain::content::ContentChange;
use crate::domain::document::{DocumentKind, DocumentRow, FailureCount, RecentResult, Status, SyncStatus, SyncStep};
use crate::domain::failure::ErrorCode;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::job::QueueClass;
use crate::domain::link::is_pdf;
use crate::domain::plan::Cadence;
use crate::domain::schedule::next_check;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::calendar::{calendar, waits_for_windows};
use crate::store::sql::columns::{code, corrupt, host_backoff, line, number, optional_number, span, time, word};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::rows::documents::{AVAILABLE, host};
use crate::store::sql::rows::jobs::class_from_code;
use std::time::Duration;

/// Age of the schedule's last pass from which no next check is promised: no worker schedules anything. By Chatwoot's
/// rules a pass runs once a day.
const SCHEDULE_EXPIRY: Duration = Duration::from_secs(26 * 3_600);

/// All columns of a [`DocumentRow`] except the status, which the caller selects as `status`.
pub(in crate::store) const COLUMNS: &str = "d.id, among_pdfs AS attached, d.name, d.external_link, d.account_id, d.assistant_id, \
     CAST(d.status AS BIGINT) AS row_status, \
     micros(d.last_sync_attempted_at) AS last_sync_attempted_at, micros(d.last_synced_at) AS last_synced_at, \
     micros(d.updated_at) AS updated_at, meta.sync_step AS sync_step, meta.content_fingerprint AS fingerprint, \
     s.text_changed_at, s.lastmod, s.last_content, s.host, s.error_code, s.detail, s.http_status, s.content_length, s.recent, \
     CASE WHEN l.state = 'scheduled' THEN l.run_at END AS next_attempt_at, \
     l.try_class, l.try_number, l.try_of, coalesce(l.lock_holder, l.worker_name) AS worker_name, l.cancel_requested_at, \
     CAST(d.sync_status AS BIGINT) AS sync_status, l.state AS live_state, s.failures, c.cadence, c.at_rule, \
     c.day_window, c.opens_at, l.class AS live_class, \
     j.attempt, j.class, j.requested_by, \
     (SELECT z.passed_at FROM @scheduler z WHERE z.id = 1) AS passed_at, \
     (SELECT h.held_until FROM @hosts_sched h WHERE h.host = s.host) AS host_held_until, \
     (SELECT h.held_kind FROM @hosts_sched h WHERE h.host = s.host) AS host_held_kind, \
     (SELECT h.held_because FROM @hosts_sched h WHERE h.host = s.host) AS host_held_because, \
     coalesce((SELECT o.duration_ms FROM @outcomes o WHERE o.document_id = d.id ORDER BY o.seq DESC LIMIT 1), \
      (SELECT p.duration_ms FROM @last_outcomes p WHERE p.document_id = d.id)) AS took, \
     (SELECT c.reason FROM @held_contents c WHERE c.document_id = d.id AND c.rejected_at IS NULL) AS held, \
     (SELECT count(*) FROM @document_versions v WHERE v.document_id = d.id) AS versions";

/// Reads a job's count of failures from its columns `try_class`, `try_number` and `try_of`; `None` if one of them is
/// NULL.
pub(in crate::store) fn failure_count(row: &Row) -> Result<Option<FailureCount>> {
    match (optional_number(row, "try_number")?, optional_number(row, "try_of")?) {
        (Some(failures), Some(attempts_allowed)) => {
            let class = code(row, "try_class", class_from_code)?;
            Ok(class.map(|class| FailureCount { class, failures, attempts_allowed }))
        }
        _ => Ok(None),
    }
}

pub(in crate::store) fn document_row(row: &Row, now: Timestamp) -> Result<DocumentRow> {
    let status: i64 = get(row, "status")?;
    let status = usize::try_from(status).ok().and_then(|index| Status::ALL.get(index)).copied();
    let url: &str = get(row, "external_link")?;
    let (attempted_at, synced_at) = (time(row, "last_sync_attempted_at")?, time(row, "last_synced_at")?);
    let available = get::<i64>(row, "row_status")? == AVAILABLE;
    let kind = DocumentKind::of(is_pdf(url) || get::<bool>(row, "attached")?, available);
    let is_scheduled = time(row, "passed_at")?.is_some_and(|at| now.since(at) < SCHEDULE_EXPIRY);
    let cadence = span(row, "cadence")?.and_then(Cadence::new).filter(|_| is_scheduled);
    let (calendar, live_state) = (calendar(row)?, get::<Option<&str>>(row, "live_state")?);
    let is_automatic = waits_for_windows(row, "live_class")?;
    let opens_at = time(row, "opens_at")?.filter(|at| *at > now && is_automatic && live_state == Some("ready"));
    let next_check_at = match (cadence, live_state) {
        (Some(cadence), None) if kind == DocumentKind::Web => {
            let sync_status = get::<Option<i64>>(row, "sync_status")?.and_then(SyncStatus::from_code);
            let failures = optional_number(row, "failures")?.unwrap_or_default();
            next_check(cadence, &calendar, sync_status, attempted_at, synced_at, failures, now)
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
        available,
        kind,
        status: status.ok_or_else(|| corrupt("status"))?,
        // A step of another program that this program does not know is shown as no step.
        sync_step: get::<Option<&str>>(row, "sync_step")?.and_then(SyncStep::parse),
        error_code: word(row, "error_code", ErrorCode::parse)?,
        detail: line(row, "detail")?,
        http_status: optional_number(row, "http_status")?,
        attempted_at,
        synced_at,
        next_attempt_at: time(row, "next_attempt_at")?.map(|at| if is_automatic { calendar.open(at) } else { at }),
        next_check_at,
        window: opens_at.and_then(|at| calendar.closed_until(at)),
        attempt: optional_number(row, "attempt")?,
        queue: code(row, "class", QueueClass::from_code)?,
        fingerprint: get(row, "fingerprint")?,
        content_length: optional_number(row, "content_length")?,
        updated_at: Timestamp::from_micros(get(row, "updated_at")?),
        changed_at: time(row, "text_changed_at")?,
        lastmod: time(row, "lastmod")?,
        last_content: word(row, "last_content", ContentChange::parse)?,
        failure_count: failure_count(row)?,
        holder: line(row, "worker_name")?,
        requested_by: line(row, "requested_by")?,
        cancel_requested: get::<Option<i64>>(row, "cancel_requested_at")?.is_some(),
        recent: get::<Option<&str>>(row, "recent")?
            .unwrap_or_default()
            .chars()
            .filter_map(RecentResult::from_letter)
            .collect(),
        took: optional_number(row, "took")?.map(Duration::from_millis),
        versions: number(row, "versions")?,
        quarantine_reason: line(row, "held")?,
        host_backoff: host_backoff(row, "host_")?,
        faqs: None,
    })
}
