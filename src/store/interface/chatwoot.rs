//! The interface to Chatwoot's own tables.

use crate::domain::id::{AccountId, AssistantId};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Chatwoot's assistants.
#[async_trait]
pub trait ChatwootStore: StoreBase {
    /// Returns the account of one of Chatwoot's assistants; `None` when there is no such assistant. Only for documents
    /// that are Chatwoot's own.
    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>>;
}
