//! The interface to what is Chatwoot's: the FAQ jobs that a change starts, and Chatwoot's own tables.

use crate::chatwoot::faq_job::PendingFaqJob;
use crate::domain::id::{AccountId, AssistantId};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// FAQ jobs that Chatwoot is to be sent, and Chatwoot's assistants.
#[async_trait]
pub trait ChatwootStore: StoreBase {
    /// Sets whether a finish of this process that changes a content records, in its transaction, that Chatwoot's FAQ job
    /// is to be started. Off until it is set.
    fn tell_faqs(&self, on: bool);

    /// Returns at most `limit` pending FAQ jobs, the oldest first.
    async fn untold(&self, limit: u32) -> Result<Vec<PendingFaqJob>>;

    /// Removes the pending FAQ job that Sidekiq has received as `jid`.
    async fn told(&self, jid: &str) -> Result<()>;

    /// Returns the account of one of Chatwoot's assistants; `None` when there is no such assistant. Only for documents
    /// that are Chatwoot's own.
    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>>;
}
