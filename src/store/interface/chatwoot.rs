//! The interface to Chatwoot's own tables.

use crate::domain::id::{AccountId, AssistantId};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Reads of Chatwoot's assistants.
#[async_trait]
pub trait ChatwootStore: StoreBase {
    /// Returns the account of an assistant; `None` if there is no such assistant. Only for stores whose documents are
    /// Chatwoot's own; fails with [`StoreError::Unusable`](crate::store::StoreError::Unusable) if Chatwoot's table of
    /// assistants is missing.
    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>>;
}
