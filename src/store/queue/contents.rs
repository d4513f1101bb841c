//! Contents of documents: the stored text with its earlier versions, and a text that waits for a person's review.

use crate::domain::content::Page;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::JobId;
use crate::domain::text::without_nul;
use crate::store::Result;
use crate::store::queue::row_changes::{OLD_VERSIONS, VERSIONS};
use crate::store::sql::conn::get;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use serde_json::{Map, Value, json};

/// Returns true if `text` is not empty and differs from the stored text of a document. Must be called before `text` is
/// written.
pub(in crate::store) async fn differs(tx: &mut Tx<'_>, document: &Document, text: &str) -> Result<bool> {
    if text.trim().is_empty() {
        return Ok(false);
    }
    let differs = query("SELECT count(*) FROM captain_documents WHERE id = ?1 AND (content IS NULL OR content <> ?2)");
    let row = tx.one(differs.bind(document.id).bind(without_nul(text.to_owned()))).await?;
    Ok(get::<i64>(&row, 0)? > 0)
}

/// Returns the keys of a change of a document's row that replace its text by that of `page` and, if the page has a
/// title, its name by the title; with the length of the text in characters. Keeps the previous text as a version, and
/// deletes the oldest versions beyond the number that is kept.
pub(in crate::store) async fn replace(
    tx: &mut Tx<'_>,
    document: &Document,
    page: &Page,
    fingerprint: &Fingerprint,
) -> Result<(Map<String, Value>, usize)> {
    keep_version(tx, document).await?;
    let content = without_nul(page.content.clone());
    let title = page.title.as_ref().map(|title| title.as_str().to_owned()).filter(|title| !title.is_empty());
    let length = content.chars().count();
    let mut keys = Map::new();
    keys.insert("id".into(), document.id.into());
    keys.insert("content".into(), content.into());
    keys.insert("name".into(), title.into());
    keys.insert("fingerprint".into(), fingerprint.as_str().into());
    Ok((keys, length))
}

/// Keeps the stored text, if there is one, as a version, and deletes the oldest versions beyond the number that is kept.
pub(in crate::store) async fn keep_version(tx: &mut Tx<'_>, document: &Document) -> Result<()> {
    if !document.has_content() {
        return Ok(());
    }
    let kept = tx.kept_versions();
    tx.change_row(OLD_VERSIONS, document.id, json!({ "id": document.id, "kept": kept })).await?;
    if kept > 0 {
        let keep = json!({ "id": document.id, "fingerprint": document.fingerprint });
        tx.change_row(VERSIONS, document.id, keep).await?;
    }
    Ok(())
}

/// Updates a document's quarantine after an attempt that fetched a page: stores `page` as quarantined, unless its text already is
/// or was rejected last. Without a page, removes the text that waits for review. A rejected text stays until another
/// text is quarantined, since a fetch may return the rejected text again.
pub(in crate::store) async fn update_quarantine(
    tx: &mut Tx<'_>,
    job: JobId,
    document: &Document,
    page: Option<&Page>,
) -> Result<()> {
    match (page, &document.quarantined) {
        (None, Some((_, false))) => {
            let clear = query("DELETE FROM @held_contents WHERE document_id = ? AND rejected_at IS NULL");
            tx.run(clear.bind(document.id)).await?;
        }
        (Some(page), quarantined) if quarantined.as_ref().is_none_or(|(known, _)| *known != page.fingerprint) => {
            let keep = query(
                "INSERT INTO @held_contents (document_id, job_id, held_at, reason, fingerprint, converter, title, content, \
                 rejected_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL) ON CONFLICT (document_id) DO UPDATE SET \
                 job_id = excluded.job_id, held_at = excluded.held_at, reason = excluded.reason, \
                 fingerprint = excluded.fingerprint, converter = excluded.converter, title = excluded.title, \
                 content = excluded.content, rejected_at = NULL",
            );
            let reason = page.quarantine_reason.map(|problem| problem.to_string()).unwrap_or_default();
            let keep = keep
                .bind(document.id)
                .bind(job.0)
                .bind(tx.now.micros())
                .bind(reason)
                .bind(page.fingerprint.as_str())
                .bind(page.converter.map(|converter| converter.0))
                .bind(page.title.as_ref().map(|title| without_nul(title.to_string())))
                .bind(without_nul(page.content.clone()));
            tx.run(keep).await?;
        }
        _ => {}
    }
    Ok(())
}
