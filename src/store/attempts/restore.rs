//! Restores of earlier texts on a person's request.

use crate::domain::content::ContentChange;
use crate::domain::document::RecentResult;
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::JobState;
use crate::domain::outcome::{OutcomeDraft, OutcomeResult};
use crate::domain::text::SafeLine;
use crate::store::queue::apply::{personal_outcome, push_recent};
use crate::store::queue::contents;
use crate::store::queue::row_changes::TEXTS;
use crate::store::sql::columns::number;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::packed::{text_of_version, version_row};
use crate::store::sql::rows::outcomes::NewOutcome;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{RestoredText, Result};
use serde_json::json;

pub(in crate::store) async fn restore(
    db: &Database,
    document: DocumentId,
    version: u64,
    by: &SafeLine,
) -> Result<RestoredText> {
    db.ensure_writable()?;
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let restored = restore_one(&mut tx, document, version, by).await?;
    tx.commit().await?;
    Ok(restored)
}

async fn restore_one(tx: &mut Tx<'_>, id: DocumentId, version: u64, by: &SafeLine) -> Result<RestoredText> {
    let state = query("SELECT job_id, content_version FROM @document_state WHERE document_id = ?").bind(id.0);
    let Some(state) = tx.first(state).await? else { return Ok(RestoredText::NoVersion) };
    let job = get::<Option<i64>>(&state, "job_id")?.map(JobId);
    // While the row of the job is locked, no finish can write, so everything read from here on stays valid until the
    // commit.
    let live = jobs::lock_jobs(tx, job.into_iter()).await?;
    if live.values().any(|row| row.job.state == JobState::Running) {
        return Ok(RestoredText::Syncing);
    }
    let Some(document) = documents::by_id(tx, id).await? else { return Ok(RestoredText::NoVersion) };
    let current: u64 = number(&state, "content_version")?;
    let text = match tx.first(version_row(id, version)).await? {
        Some(row) => text_of_version(&row)?,
        None if version == current && document.has_content() => return Ok(RestoredText::Current),
        None => return Ok(RestoredText::NoVersion),
    };
    if !contents::differs(tx, &document, &text).await? {
        return Ok(RestoredText::Current);
    }
    contents::keep_version(tx, &document).await?;
    let length = text.chars().count();
    // The fingerprint stays that of the page's text: as long as the page does not change, a fetch leaves this text.
    let change = json!({ "id": document.id, "content": text, "name": null, "fingerprint": document.fingerprint });
    tx.change_row(TEXTS, document.id, change).await?;
    // The versions are kept before the state counts a new one.
    tx.write_batches().await?;
    let write = query(
        "UPDATE @document_state SET recent = ?2, content_version = content_version + 1, \
         restored_version = content_version + 1, content_length = ?3, last_content = 'changed', text_at = ?4 \
         WHERE document_id = ?1",
    );
    let write = write
        .bind(document.id)
        .bind(push_recent(&document.recent, RecentResult::Updated))
        .bind(i64::try_from(length).unwrap_or(i64::MAX))
        .bind(tx.now.micros());
    tx.run(write).await?;
    let mut draft = OutcomeDraft::new(OutcomeResult::Restored);
    draft.detail = Some(SafeLine::new(&format!("version {version} restored by {by}")));
    draft.content = Some(ContentChange::Changed);
    // Chatwoot rebuilds no FAQs of a PDF, or of a document that is not available, because its text changes.
    let text_changed = document.syncable().is_ok();
    let outcome = personal_outcome(document, job, draft, by, tx.now);
    tx.record(NewOutcome { text_changed, ..outcome });
    Ok(RestoredText::Done { version: current + 1 })
}
