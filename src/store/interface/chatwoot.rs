//! The interface to Chatwoot's own tables.

use crate::domain::chatwoot_text::Generation;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Numbers of documents by what wrote their texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextOrigins {
    /// Texts of this program.
    pub own: u64,
    /// Texts of Chatwoot that this program has compared with their pages.
    pub compared: u64,
    /// Texts of Chatwoot that this program has not compared yet.
    pub unknown: u64,
    /// Texts without a fingerprint.
    pub without_fingerprint: u64,
    /// Generation of Chatwoot's converter that was seen in the newest of its texts; `None` if none was.
    pub generation: Option<Generation>,
}

/// Reads of Chatwoot's assistants, its attached files, and what it has written.
#[async_trait]
pub trait ChatwootStore: StoreBase {
    /// Returns the account of an assistant; `None` if there is no such assistant. Only for stores whose documents are
    /// Chatwoot's own; fails with [`StoreError::Unusable`](crate::store::StoreError::Unusable) if Chatwoot's table of
    /// assistants is missing.
    async fn assistant(&self, assistant: AssistantId) -> Result<Option<AccountId>>;

    /// Returns the reason why attached PDFs are not seen; `None` if they are. Only for stores whose documents are
    /// Chatwoot's own.
    async fn unreadable_attachments(&self) -> Result<Option<String>>;

    /// Returns what is not available because of a table or column of Chatwoot that is missing or may not be read, each with
    /// the reason, except for plans, the way of fetching and attached PDFs. Only for stores whose documents are
    /// Chatwoot's own.
    async fn limits(&self) -> Result<Vec<String>>;

    /// Counts the stored texts by what wrote them. Reads every document.
    async fn text_origins(&self) -> Result<TextOrigins>;

    /// Returns the ids and URLs of at most `most` documents that have a text and may be synced, as good as random ones,
    /// and the same ones each time.
    async fn text_sample(&self, most: u32) -> Result<Vec<(DocumentId, String)>>;
}
