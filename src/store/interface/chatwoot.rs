//! The interface to Chatwoot's own tables.

use crate::chatwoot::crawling::Crawling;
use crate::domain::id::{AccountId, AssistantId};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Reads of Chatwoot's assistants and settings.
#[async_trait]
pub trait ChatwootStore: StoreBase {
    /// Returns the account of an assistant; `None` if there is no such assistant. Only for stores whose documents are
    /// Chatwoot's own; fails with [`StoreError::Unusable`](crate::store::StoreError::Unusable) if Chatwoot's table of
    /// assistants is missing.
    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>>;

    /// Returns how Chatwoot itself fetches pages. Only for stores whose documents are Chatwoot's own.
    async fn crawling(&self) -> Result<Crawling>;

    /// Returns the reason why attached PDFs are not seen; `None` if they are. Only for stores whose documents are
    /// Chatwoot's own.
    async fn unreadable_attachments(&self) -> Result<Option<String>>;
}
