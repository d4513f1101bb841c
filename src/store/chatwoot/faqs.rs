//! Chatwoot's table of answers: how many FAQs documents have, and when the newest was made.

use super::optional::{self, OptionalColumns, Unreadable};
use crate::domain::faq::{FaqCoverage, FaqJob, FaqState, NEEDS_CHATWOOT};
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{line, number, optional_number, time};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::{Result, StoreError};
use std::collections::HashMap;

/// Answers, with the columns without which they are not counted.
const ANSWERS: OptionalColumns =
    ("captain_assistant_responses", &["id", "documentable_type", "documentable_id", "status", "created_at"]);

/// Returns the reason why FAQs are not known on a database of Chatwoot; `None` if they are.
pub(in crate::store) async fn unreadable(reader: &mut Reader) -> Result<Option<String>> {
    let [reason] = optional::unreadable(reader, [ANSWERS]).await?;
    Ok(reason.map(|reason| match reason {
        Unreadable::NoColumn(_) => format!("{} lacks a column", ANSWERS.0),
        other => other.describe(ANSWERS.0),
    }))
}

/// Fails with [`StoreError::Forbidden`] if FAQs are not known.
pub(in crate::store) async fn ensure_readable(db: &Database, reader: &mut Reader) -> Result<()> {
    if !db.is_chatwoot_database() {
        return Err(StoreError::Forbidden(NEEDS_CHATWOOT.into()));
    }
    match unreadable(reader).await? {
        None => Ok(()),
        Some(reason) => Err(StoreError::Forbidden(format!("FAQs are not available: {reason}"))),
    }
}

/// Returns what is known of the FAQs of the documents `ids` on a database of Chatwoot, as it is now; nothing if the answers
/// cannot be read.
pub(in crate::store) async fn coverage(
    reader: &mut Reader,
    ids: &[i64],
    now: Timestamp,
) -> Result<HashMap<i64, FaqCoverage>> {
    let figures = query(
        "WITH f AS MATERIALIZED (SELECT * FROM @faqs_of(?1, NULL, NULL)) \
         SELECT d.id, coalesce(f.faqs, 0) AS faqs, coalesce(f.pending, 0) AS pending, \
         CASE WHEN f.document IS NULL THEN 0 ELSE f.edited END AS edited, f.newest_at, \
         CASE WHEN s.validated = meta.content_fingerprint THEN s.text_at END AS text_at, j.started_at, \
         o.since, o.last_error FROM captain_documents d \
         LEFT JOIN f ON f.document = d.id LEFT JOIN @document_state s ON s.document_id = d.id \
         LEFT JOIN @faq_jobs j ON j.document_id = d.id AND j.started_at > ?2 \
         LEFT JOIN LATERAL (SELECT min(b.created_at) AS since, max(b.last_error) AS last_error FROM @outbox b \
         WHERE b.subscriber = 'chatwoot_faq' \
         AND CAST(CAST(b.payload AS jsonb) ->> 'document_id' AS bigint) = d.id) o ON true \
         WHERE d.id = ANY(?1) AND NOT EXISTS (SELECT 1 FROM f WHERE f.document IS NULL)",
    );
    let since = super::faqs::memory_start(now);
    let rows = reader.all(figures.bind(ids.to_vec()).bind(since.micros())).await?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in &rows {
        let (faqs, newest_at, text_at) = (number(row, "faqs")?, time(row, "newest_at")?, time(row, "text_at")?);
        let job = match (time(row, "since")?, time(row, "started_at")?) {
            (Some(since), _) => Some(FaqJob::Waiting { since, reason: line(row, "last_error")? }),
            (None, started) => started.map(|at| FaqJob::Started { at }),
        };
        let coverage = FaqCoverage {
            state: FaqState::of(faqs, newest_at, text_at),
            faqs,
            pending: number(row, "pending")?,
            edited: optional_number(row, "edited")?,
            newest_at,
            text_at,
            job,
        };
        known.insert(get(row, "id")?, coverage);
    }
    Ok(known)
}

/// Returns the time since which Redis remembers the ids of jobs, for the time `now`.
pub(in crate::store) fn memory_start(now: Timestamp) -> Timestamp {
    now.minus(crate::chatwoot::faq_job::MEMORY)
}
