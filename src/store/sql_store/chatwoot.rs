//! The interface to what is Chatwoot's on an SQL database.

use super::SqlStore;
use crate::chatwoot::faq_job::PendingFaqJob;
use crate::domain::id::{AccountId, AssistantId};
use crate::store::queue::outbox;
use crate::store::{ChatwootStore, Result};
use async_trait::async_trait;

#[async_trait]
impl ChatwootStore for SqlStore {
    fn tell_faqs(&self, on: bool) {
        self.db.publish_changes(on);
    }

    async fn untold(&self, limit: u32) -> Result<Vec<PendingFaqJob>> {
        outbox::untold(&self.db, limit).await
    }

    async fn told(&self, jid: &str) -> Result<()> {
        outbox::told(&self.db, jid).await
    }

    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>> {
        outbox::assistant(&self.db, assistant).await
    }
}
