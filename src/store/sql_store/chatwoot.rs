//! The interface to Chatwoot's own tables, [`ChatwootStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::store::attempts::chatwoot_texts;
use crate::store::chatwoot::{assistants, attachments, optional};
use crate::store::{ChatwootStore, Result, TextOrigins};
use async_trait::async_trait;

#[async_trait]
impl ChatwootStore for SqlStore {
    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>> {
        assistants::account(&self.db, assistant).await
    }

    async fn unreadable_attachments(&self) -> Result<Option<String>> {
        attachments::unreadable_files(&self.db).await
    }

    async fn limits(&self) -> Result<Vec<String>> {
        optional::limits(&self.db).await
    }

    async fn text_origins(&self) -> Result<TextOrigins> {
        chatwoot_texts::origins(&self.db).await
    }

    async fn text_sample(&self, most: u32) -> Result<Vec<(DocumentId, String)>> {
        chatwoot_texts::sample(&self.db, most).await
    }
}
