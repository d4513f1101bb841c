//! Adds and removes documents in chunks, so that no transaction blocks other writers for long.

use crate::domain::content::MAX_TITLE_CHARS;
use crate::domain::id::DocumentId;
use crate::domain::text::{SafeLine, cut_chars};
use crate::store::chatwoot::assistants;
use crate::store::queue::apply::{TransitionData, apply};
use crate::store::queue::requests::CHUNK_SIZE;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::AVAILABLE;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{AddResult, NewDocument, Result, StoreError};

pub(in crate::store) async fn add(db: &Database, documents: &[NewDocument]) -> Result<Vec<AddResult>> {
    // Checked here, since an empty list begins no transaction, which would check it.
    db.ensure_writable()?;
    db.may_add()?;
    let theirs = if db.is_chatwoot_database() { Some(assistants::with_accounts(db, documents).await?) } else { None };
    let documents = theirs.as_deref().unwrap_or(documents);
    let mut added = Vec::with_capacity(documents.len());
    for chunk in documents.chunks(CHUNK_SIZE) {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        for document in chunk {
            added.push(add_one(&mut tx, document).await?);
        }
        tx.commit().await?;
        if chunk.len() == CHUNK_SIZE {
            db.yield_to_writers().await;
        }
    }
    Ok(added)
}

pub(in crate::store) async fn remove(db: &Database, documents: &[DocumentId]) -> Result<u64> {
    db.ensure_writable()?;
    db.may_remove()?;
    let mut removed = 0;
    for chunk in documents.chunks(CHUNK_SIZE) {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        jobs::lock_live_jobs(&mut tx, chunk).await?;
        for &document in chunk {
            removed += u64::from(remove_one(&mut tx, document).await?);
        }
        tx.commit().await?;
        if chunk.len() == CHUNK_SIZE {
            db.yield_to_writers().await;
        }
    }
    Ok(removed)
}

async fn add_one(tx: &mut Tx<'_>, new: &NewDocument) -> Result<AddResult> {
    let url = new.link.as_str();
    // The document is searched first, since an insert with a conflict would use up an id.
    let found = query("SELECT id FROM captain_documents WHERE assistant_id = ? AND external_link = ?");
    let found = found.bind(new.assistant_id.0).bind(url);
    if let Some(row) = tx.first(found.clone()).await? {
        return Ok(AddResult::Exists(DocumentId(get(&row, "id")?)));
    }
    let insert = query(
        "INSERT INTO captain_documents (name, external_link, assistant_id, account_id, status, created_at, \
         updated_at, metadata) VALUES (?1, ?2, ?3, ?4, ?5, stamp(?6), stamp(?6), '{}') ON CONFLICT DO NOTHING RETURNING id",
    );
    let name = new.name.as_ref().map(SafeLine::as_str).filter(|name| !name.is_empty()).unwrap_or(url);
    let name = cut_chars(name, MAX_TITLE_CHARS).0;
    let insert = insert.bind(name).bind(url).bind(new.assistant_id.0).bind(new.account_id.0).bind(AVAILABLE);
    let Some(row) = tx.first(insert.bind(tx.now.micros())).await? else {
        // Another process has added the document since the search.
        let behind =
            || StoreError::Refused("the id of the new document is already used: the id sequence is behind".into());
        let row = tx.first(found).await?.ok_or_else(behind)?;
        return Ok(AddResult::Exists(DocumentId(get(&row, "id")?)));
    };
    let id: i64 = get(&row, 0)?;
    let state = query("INSERT INTO @document_state (document_id, host) VALUES (?, ?) ON CONFLICT DO NOTHING");
    tx.run(state.bind(id).bind(new.link.host())).await?;
    Ok(AddResult::New(DocumentId(id)))
}

async fn remove_one(tx: &mut Tx<'_>, id: DocumentId) -> Result<bool> {
    let Some(document) = documents::by_id(tx, id).await? else { return Ok(false) };
    if let Some(row) = jobs::live_job(tx, id).await? {
        // A running attempt finds its job gone and writes nothing.
        let to = row.job.cancelled(Some("the document was removed"), tx.now);
        let with = TransitionData { worker: row.worker_name.clone(), ..TransitionData::default() };
        apply(tx, &row, Some(&document), &to, with).await?;
    }
    for statement in [
        "DELETE FROM @jobs WHERE document_id = ?",
        "DELETE FROM @document_versions WHERE document_id = ?",
        "DELETE FROM @held_contents WHERE document_id = ?",
        "DELETE FROM @document_state WHERE document_id = ?",
        "DELETE FROM captain_documents WHERE id = ?",
    ] {
        tx.run(query(statement).bind(id.0)).await?;
    }
    Ok(true)
}
