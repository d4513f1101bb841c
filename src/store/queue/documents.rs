//! Adds and removes documents in chunks, so that no transaction blocks other writers for long.

use crate::domain::content::{ContentChange, MAX_TITLE_CHARS};
use crate::domain::id::{DocumentId, JobId};
use crate::domain::outcome::{OutcomeDraft, OutcomeResult};
use crate::domain::text::{SafeLine, cut_chars};
use crate::store::chatwoot::assistants;
use crate::store::queue::apply::{TransitionData, apply, personal_outcome};
use crate::store::queue::requests::CHUNK_SIZE;
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::documents::AVAILABLE;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use crate::store::{AddResult, NewDocument, Result, StoreError};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// Maximum number of documents that one transaction adds.
const ADD_CHUNK_SIZE: usize = 2_000;

pub(in crate::store) async fn add(db: &Database, documents: &[NewDocument]) -> Result<Vec<AddResult>> {
    // Checked here, since an empty list begins no transaction, which would check it.
    db.ensure_writable()?;
    db.may_add()?;
    let theirs = if db.is_chatwoot_database() { Some(assistants::with_accounts(db, documents).await?) } else { None };
    let documents = theirs.as_deref().unwrap_or(documents);
    let mut added = Vec::with_capacity(documents.len());
    for chunk in documents.chunks(ADD_CHUNK_SIZE) {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        added.extend(add_chunk(&mut tx, chunk).await?);
        tx.commit().await?;
        if chunk.len() == ADD_CHUNK_SIZE {
            db.yield_to_writers().await;
        }
    }
    Ok(added)
}

pub(in crate::store) async fn remove(db: &Database, documents: &[DocumentId], by: &SafeLine) -> Result<u64> {
    db.ensure_writable()?;
    db.may_remove()?;
    let mut removed = 0;
    for chunk in documents.chunks(CHUNK_SIZE) {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        jobs::lock_live_jobs(&mut tx, chunk).await?;
        for &document in chunk {
            removed += u64::from(remove_one(&mut tx, document, by).await?);
        }
        tx.commit().await?;
        if chunk.len() == CHUNK_SIZE {
            db.yield_to_writers().await;
        }
    }
    Ok(removed)
}

/// Assistant and URL, which identify a document.
type LinkKey = (i64, String);

fn link_key(new: &NewDocument) -> LinkKey {
    (new.assistant_id.0, new.link.as_str().to_owned())
}

/// Adds documents with few statements, whatever their number. A link that is there already, or twice in the list, is
/// added once.
async fn add_chunk(tx: &mut Tx<'_>, chunk: &[NewDocument]) -> Result<Vec<AddResult>> {
    // The documents are searched first, since an insert with a conflict would use up an id.
    let mut ids = find_links(tx, chunk).await?;
    let mut listed = HashSet::new();
    let new = chunk.iter().filter(|new| !ids.contains_key(&link_key(new)) && listed.insert(link_key(new)));
    let new: Vec<NewDocument> = new.cloned().collect();
    let inserted = insert(tx, &new).await?;
    if inserted.len() < new.len() {
        // Another process has added the others since the search.
        ids.extend(find_links(tx, &new).await?);
    }
    let mut fresh: HashSet<LinkKey> = inserted.keys().cloned().collect();
    ids.extend(inserted);
    let behind = || StoreError::Refused("the id of the new document is already used: the id sequence is behind".into());
    let result = |new: &NewDocument| {
        let key = link_key(new);
        let id = ids.get(&key).copied().ok_or_else(behind)?;
        Ok(if fresh.remove(&key) { AddResult::New(id) } else { AddResult::Exists(id) })
    };
    chunk.iter().map(result).collect()
}

/// Returns the ids of those documents that are there, by assistant and URL.
async fn find_links(tx: &mut Tx<'_>, documents: &[NewDocument]) -> Result<HashMap<LinkKey, DocumentId>> {
    let link = |new: &NewDocument| json!({ "assistant": new.assistant_id.0, "url": new.link.as_str() });
    let links: Vec<_> = documents.iter().map(link).collect();
    let mut sql = Sql::new(
        "SELECT d.id, d.assistant_id, d.external_link FROM elements(?1) k JOIN captain_documents d \
         ON d.assistant_id = CAST(k.value ->> 'assistant' AS BIGINT) AND d.external_link = k.value ->> 'url'",
    );
    if tx.dialect() == Dialect::Postgres {
        // The unique index there is on the digest, since an index takes no long text.
        sql.push(" AND md5(d.external_link) = md5(k.value ->> 'url')");
    }
    let statement = sql.query().bind(Value::Array(links).to_string());
    tx.all(statement).await?.iter().map(link_of).collect()
}

/// Inserts documents that were not there, with their rows of `document_state`. Returns the ids of the inserted ones, by
/// assistant and URL.
async fn insert(tx: &mut Tx<'_>, new: &[NewDocument]) -> Result<HashMap<LinkKey, DocumentId>> {
    if new.is_empty() {
        return Ok(HashMap::new());
    }
    let row = |new: &NewDocument| {
        let url = new.link.as_str();
        let name = new.name.as_ref().map(SafeLine::as_str).filter(|name| !name.is_empty()).unwrap_or(url);
        json!({
            "name": cut_chars(name, MAX_TITLE_CHARS).0,
            "url": url,
            "assistant": new.assistant_id.0,
            "account": new.account_id.0,
        })
    };
    let rows = Value::Array(new.iter().map(row).collect()).to_string();
    let mut sql = Sql::new(
        "INSERT INTO captain_documents (name, external_link, assistant_id, account_id, status, created_at, updated_at, \
         metadata) SELECT k.value ->> 'name', k.value ->> 'url', CAST(k.value ->> 'assistant' AS BIGINT), \
         CAST(k.value ->> 'account' AS BIGINT), ?2, stamp(?3), stamp(?3), ",
    );
    sql.push(if tx.dialect() == Dialect::Sqlite { "'{}'" } else { "CAST('{}' AS jsonb)" });
    sql.push(" FROM elements(?1) k WHERE true ON CONFLICT DO NOTHING RETURNING id, assistant_id, external_link");
    let statement = sql.query().bind(rows).bind(AVAILABLE).bind(tx.now.micros());
    let inserted: HashMap<_, _> = tx.all(statement).await?.iter().map(link_of).collect::<Result<_>>()?;
    let state =
        |new: &NewDocument| inserted.get(&link_key(new)).map(|id| json!({ "id": id.0, "host": new.link.host() }));
    let states = Value::Array(new.iter().filter_map(state).collect()).to_string();
    let keep = query(
        "INSERT INTO @document_state (document_id, host) SELECT CAST(k.value ->> 'id' AS BIGINT), k.value ->> 'host' \
         FROM elements(?1) k WHERE true ON CONFLICT DO NOTHING",
    );
    tx.run(keep.bind(states)).await?;
    Ok(inserted)
}

fn link_of(row: &Row) -> Result<(LinkKey, DocumentId)> {
    Ok(((get(row, "assistant_id")?, get(row, "external_link")?), DocumentId(get(row, "id")?)))
}

/// Removes a document within a transaction that has locked its live job. Returns false if there is none.
pub(in crate::store) async fn remove_one(tx: &mut Tx<'_>, id: DocumentId, by: &SafeLine) -> Result<bool> {
    let Some(document) = documents::by_id(tx, id).await? else { return Ok(false) };
    if let Some(row) = jobs::live_job(tx, id).await? {
        // A running attempt finds its job gone and writes nothing.
        let to = row.job.cancelled(Some("the document was removed"), tx.now);
        let with = TransitionData { worker: row.worker_name.clone(), ..TransitionData::default() };
        apply(tx, &row, Some(&document), &to, with).await?;
    }
    let last_job = tx.first(query("SELECT job_id FROM @document_state WHERE document_id = ?").bind(id.0)).await?;
    let last_job = last_job.map(|row| get::<Option<i64>>(&row, "job_id")).transpose()?.flatten();
    for statement in [
        "DELETE FROM @jobs WHERE document_id = ?",
        "DELETE FROM @document_versions WHERE document_id = ?",
        "DELETE FROM @held_contents WHERE document_id = ?",
        "DELETE FROM @document_state WHERE document_id = ?",
        "DELETE FROM @last_outcomes WHERE document_id = ?",
        "DELETE FROM captain_documents WHERE id = ?",
    ] {
        tx.run(query(statement).bind(id.0)).await?;
    }
    let mut draft = OutcomeDraft::new(OutcomeResult::Removed).with_detail(format!("removed by {by}"));
    draft.content = document.has_content().then_some(ContentChange::Gone);
    tx.record(personal_outcome(document, last_job.map(JobId), draft, by, tx.now));
    Ok(true)
}
