//! What another program is to be told because a document changed: written in the transaction of the change.

use crate::chatwoot::faq_job::PendingFaqJob;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::time::Timestamp;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{NewDocument, Result, StoreError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Notes that Chatwoot's FAQ job is to be started if `content` is another than what stands there, and not empty:
/// when Chatwoot itself would (upstream.md 2.3). To be called before the content is written, for a document that
/// is available and no PDF.
pub(in crate::store) async fn note_change(tx: &mut Tx<'_>, document: &Document, content: &str) -> Result<()> {
    if content.trim().is_empty() || !tx.publishes_changes() {
        return Ok(());
    }
    let mut jid = uuid::Uuid::new_v4().simple().to_string();
    jid.truncate(24);
    let note = query(
        "INSERT INTO @outbox (jid, document_id, account_id, created_at) \
         SELECT ?2, d.id, d.account_id, ?3 FROM captain_documents d \
         WHERE d.id = ?1 AND (d.content IS NULL OR d.content <> ?4)",
    );
    tx.run(note.bind(document.id).bind(jid).bind(tx.now.micros()).bind(content)).await?;
    Ok(())
}

pub(in crate::store) async fn untold(db: &Database, limit: u32) -> Result<Vec<PendingFaqJob>> {
    let mut reader = db.reader().await?;
    let statement =
        query("SELECT jid, document_id, account_id, created_at FROM @outbox ORDER BY id LIMIT ?").bind(limit);
    let rows = reader.all(statement).await?;
    rows.iter()
        .map(|row| {
            Ok(PendingFaqJob {
                jid: get(row, "jid")?,
                document: DocumentId(get(row, "document_id")?),
                account: AccountId(get(row, "account_id")?),
                at: Timestamp::from_micros(get(row, "created_at")?),
            })
        })
        .collect()
}

pub(in crate::store) async fn told(db: &Database, jid: &str) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    tx.run(query("DELETE FROM @outbox WHERE jid = ?").bind(jid)).await?;
    tx.commit().await?;
    Ok(())
}

/// Documents as Chatwoot would add them: each belongs to an assistant that is there, and to its account.
pub(in crate::store) async fn as_chatwoots(db: &Database, documents: &[NewDocument]) -> Result<Vec<NewDocument>> {
    let mut accounts = BTreeMap::new();
    for document in documents {
        let id = document.assistant_id;
        if let Entry::Vacant(place) = accounts.entry(id) {
            let none = || StoreError::Unusable(format!("this Chatwoot has no assistant {id}"));
            place.insert(assistant(db, id).await?.ok_or_else(none)?);
        }
    }
    let with =
        |document: &NewDocument| NewDocument { account_id: accounts[&document.assistant_id], ..document.clone() };
    Ok(documents.iter().map(with).collect())
}

pub(in crate::store) async fn assistant(db: &Database, assistant: AssistantId) -> Result<Option<AccountId>> {
    let mut reader = db.reader().await?;
    let there = reader.one(query("SELECT to_regclass('captain_assistants') IS NOT NULL")).await?;
    if !get::<bool>(&there, 0)? {
        return Err(StoreError::Unusable("there is no table captain_assistants beside captain_documents".into()));
    }
    let statement = query("SELECT account_id FROM captain_assistants WHERE id = ?").bind(assistant.0);
    let rows = reader.all(statement).await?;
    rows.first().map(|row| Ok(AccountId(get(row, 0)?))).transpose()
}
