//! A person's decision on quarantined texts: fetched content that was not trusted, so that the finish stored it
//! separately and kept the stored text.

use crate::domain::content::{ContentChange, ConverterVersion, Page};
use crate::domain::document::{RecentResult, SyncStatus};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::JobId;
use crate::domain::job::JobState;
use crate::domain::outcome::{OutcomeDraft, OutcomeResult};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::queue::apply::{TransitionData, new_outcome, push_recent};
use crate::store::queue::contents;
use crate::store::queue::row_changes::{SYNCED_TEXTS, TEXTS};
use crate::store::sql::columns::{corrupt, line, time};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::outcomes::NewOutcome;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{Decision, DecisionResult, Result, ReviewTarget};
use serde_json::Value;

pub(in crate::store) async fn decide(
    db: &Database,
    texts: &[ReviewTarget],
    decision: Decision,
    by: &SafeLine,
) -> Result<Vec<DecisionResult>> {
    let mut answers = Vec::with_capacity(texts.len());
    for text in texts {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        answers.push(decide_one(&mut tx, text, decision, by).await?);
        tx.commit().await?;
    }
    Ok(answers)
}

async fn decide_one(tx: &mut Tx<'_>, text: &ReviewTarget, decision: Decision, by: &SafeLine) -> Result<DecisionResult> {
    let id = text.document;
    let find = query(
        "SELECT h.job_id, s.job_id AS last_job_id FROM @held_contents h JOIN @document_state s \
         ON s.document_id = h.document_id WHERE h.document_id = ? AND h.rejected_at IS NULL",
    );
    let Some(row) = tx.first(find.bind(id.0)).await? else { return Ok(DecisionResult::NothingQuarantined) };
    let ids = [get(&row, "job_id")?, get::<Option<i64>>(&row, "last_job_id")?];
    // While the rows of the jobs are locked, no finish can write, so everything read from here on stays valid until the
    // commit.
    let mut jobs = jobs::lock_jobs(tx, ids.into_iter().flatten().map(JobId)).await?;
    if jobs.values().any(|row| row.job.state == JobState::Running) {
        return Ok(DecisionResult::Syncing);
    }
    let quarantined = query("SELECT * FROM @held_contents WHERE document_id = ? AND rejected_at IS NULL");
    let (Some(quarantined), Some(document)) =
        (tx.first(quarantined.bind(id.0)).await?, documents::by_id(tx, id).await?)
    else {
        return Ok(DecisionResult::NothingQuarantined);
    };
    let fingerprint: String = get(&quarantined, "fingerprint")?;
    if text.fingerprint.as_ref().is_some_and(|expected| *expected != fingerprint) {
        return Ok(DecisionResult::Replaced);
    }
    if decision == Decision::Reject {
        // Only the fingerprint is needed, to recognise the same text later.
        let reject = query("UPDATE @held_contents SET rejected_at = ?2, content = '' WHERE document_id = ?1");
        tx.run(reject.bind(id.0).bind(tx.now.micros())).await?;
        return Ok(DecisionResult::Done);
    }
    let fingerprint = Fingerprint::stored(fingerprint);
    let converter = get::<Option<i64>>(&quarantined, "converter")?.map(ConverterVersion);
    let title = line(&quarantined, "title")?;
    let page =
        Page::new(title.as_deref(), get(&quarantined, "content")?, 0, 200).ok_or_else(|| corrupt("held content"))?;
    let page = Page { fingerprint, converter, ..page };
    // Chatwoot rebuilds no FAQs of a PDF, or of a document that is not available, because its text changes.
    let is_synced = document.syncable().is_ok();
    let matters = is_synced && (tx.compares_texts() || tx.is_on_chatwoot_database());
    let text_changed = matters && contents::differs(tx, &document, &page.content).await?;
    let (mut text, length) = contents::replace(tx, &document, &page, &page.fingerprint).await?;
    // A first text failed the document when it was quarantined.
    let is_first = !document.has_content();
    if is_first {
        text.insert("sync_status".into(), SyncStatus::Synced.code().into());
    }
    tx.change_row(if is_first { SYNCED_TEXTS } else { TEXTS }, document.id, Value::Object(text)).await?;
    // The versions are kept before the state counts a new one.
    tx.write_batches().await?;
    let written = AcceptedText { length, has_changed: text_changed, fetched_at: time(&quarantined, "held_at")? };
    write_accepted(tx, &document, &page, &written).await?;
    if is_first {
        let ended = "UPDATE @document_state SET failures = 0, error_code = NULL, detail = NULL, http_status = NULL, \
             failure_cluster = NULL, failed_since = NULL, failed_at = NULL WHERE document_id = ?";
        tx.run(query(ended).bind(document.id)).await?;
    }
    let job = ids.into_iter().flatten().find_map(|id| jobs.remove(&JobId(id)));
    let mut job = job.ok_or_else(|| corrupt("held job_id"))?;
    job.requested_by = Some(by.clone());
    let mut draft = OutcomeDraft::new(OutcomeResult::Updated);
    let reason: String = get(&quarantined, "reason")?;
    draft.detail = Some(SafeLine::new(&format!("accepted by {by}, although the text {reason}")));
    draft.content = Some(ContentChange::Changed);
    let with = TransitionData { page: Some((&page, &page.fingerprint)), ..TransitionData::default() };
    let new = new_outcome(&job, Some(&document), &draft, &with, tx.now);
    tx.record(NewOutcome { text_changed, ..new });
    Ok(DecisionResult::Done)
}

/// What is known of an accepted text beside its page.
struct AcceptedText {
    /// Length in characters.
    length: usize,
    /// True if it differs from the text that it replaces.
    has_changed: bool,
    /// Time at which it was fetched, UTC.
    fetched_at: Option<Timestamp>,
}

async fn write_accepted(tx: &mut Tx<'_>, document: &Document, page: &Page, written: &AcceptedText) -> Result<()> {
    // The validators (`ETag`, `Last-Modified`) and the body digest of this text were not kept, so the next fetch
    // requests the whole page and converts it.
    let state = query(
        "UPDATE @document_state SET recent = ?2, etag = NULL, last_modified = NULL, body_digest = NULL, \
         template_version = NULL, validated = ?3, converter = ?4, fetched_whole_at = ?5, \
         content_version = content_version + 1, content_length = ?6, last_content = 'changed', \
         text_at = CASE WHEN ?7 THEN ?8 ELSE text_at END \
         WHERE document_id = ?1",
    );
    let state = state
        .bind(document.id)
        .bind(push_recent(&document.recent, RecentResult::Updated))
        .bind(page.fingerprint.as_str())
        .bind(page.converter.map(|converter| converter.0))
        .bind(written.fetched_at.map(Timestamp::micros))
        .bind(i64::try_from(written.length).unwrap_or(i64::MAX))
        .bind(written.has_changed)
        .bind(tx.now.micros());
    tx.run(state).await?;
    tx.run(query("DELETE FROM @held_contents WHERE document_id = ?").bind(document.id)).await?;
    Ok(())
}
