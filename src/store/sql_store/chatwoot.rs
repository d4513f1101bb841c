//! The interface to Chatwoot's own tables, [`ChatwootStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::{AccountId, AssistantId};
use crate::store::chatwoot::assistants;
use crate::store::{ChatwootStore, Result};
use async_trait::async_trait;

#[async_trait]
impl ChatwootStore for SqlStore {
    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>> {
        assistants::account(&self.db, assistant).await
    }
}
