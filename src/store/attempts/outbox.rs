//! What another program is to be told because a document changed: written in the transaction of the change.

use crate::chatwoot::faq_job::PendingFaqJob;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::time::Timestamp;
use crate::store::sql::conn::get;
use crate::store::sql::rows::Document;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::{Purpose, Tx};
use crate::store::sql_store::SqlStore;
use crate::store::{NewDocument, Result, StoreError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

impl Tx<'_> {
    /// Notes that Chatwoot's FAQ job is to be started if `content` is another than what stands there, and not empty:
    /// when Chatwoot's own callback would start it. To be called before the content is written, for a document that
    /// is available and no PDF.
    pub(in crate::store) async fn note_change(&mut self, document: &Document, content: &str) -> Result<()> {
        if content.trim().is_empty() || !self.tells() {
            return Ok(());
        }
        let mut jid = uuid::Uuid::new_v4().simple().to_string();
        jid.truncate(24);
        let note = query(
            "INSERT INTO @outbox (jid, document_id, account_id, created_at) \
             SELECT ?2, d.id, d.account_id, ?3 FROM captain_documents d \
             WHERE d.id = ?1 AND (d.content IS NULL OR d.content <> ?4)",
        );
        self.run(note.bind(document.id).bind(jid).bind(self.now.micros()).bind(content)).await?;
        Ok(())
    }
}

impl SqlStore {
    pub(in crate::store) async fn read_untold(&self, limit: u32) -> Result<Vec<PendingFaqJob>> {
        let mut reader = self.reader().await?;
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

    pub(in crate::store) async fn forget_told(&self, jid: &str) -> Result<()> {
        let mut tx = self.begin(Purpose::Rows).await?;
        tx.run(query("DELETE FROM @outbox WHERE jid = ?").bind(jid)).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Documents as Chatwoot would add them: each belongs to an assistant that is there, and to its account.
    pub(in crate::store) async fn as_chatwoots(&self, documents: &[NewDocument]) -> Result<Vec<NewDocument>> {
        let mut accounts = BTreeMap::new();
        for document in documents {
            let assistant = document.assistant_id;
            if let Entry::Vacant(place) = accounts.entry(assistant) {
                let none = || StoreError::Unusable(format!("this Chatwoot has no assistant {assistant}"));
                place.insert(self.read_assistant(assistant).await?.ok_or_else(none)?);
            }
        }
        let with =
            |document: &NewDocument| NewDocument { account_id: accounts[&document.assistant_id], ..document.clone() };
        Ok(documents.iter().map(with).collect())
    }

    pub(in crate::store) async fn read_assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>> {
        let mut reader = self.reader().await?;
        let there = reader.one(query("SELECT to_regclass('captain_assistants') IS NOT NULL")).await?;
        if !get::<bool>(&there, 0)? {
            return Err(StoreError::Unusable("there is no table captain_assistants beside captain_documents".into()));
        }
        let statement = query("SELECT account_id FROM captain_assistants WHERE id = ?").bind(assistant.0);
        let rows = reader.all(statement).await?;
        rows.first().map(|row| Ok(AccountId(get(row, 0)?))).transpose()
    }
}
