//! The interface of what leaves the store, [`TextStore`], on an SQL database.

use super::SqlStore;
use crate::domain::cursor::History;
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::domain::text_change::{TextChange, TextHead};
use crate::store::attempts::restore;
use crate::store::queries::{outcomes, texts};
use crate::store::{RestoredText, Result, StoredText, TextChanges, TextStore};
use async_trait::async_trait;

#[async_trait]
impl TextStore for SqlStore {
    async fn history(&self) -> Result<History> {
        outcomes::history(&self.db).await
    }

    async fn text_changes(&self, of: TextChanges) -> Result<Vec<TextChange>> {
        texts::changes(&self.db, of).await
    }

    async fn text_heads(&self, documents: &[DocumentId]) -> Result<Vec<TextHead>> {
        texts::heads(&self.db, documents).await
    }

    async fn stored_texts(&self, documents: &[DocumentId]) -> Result<Vec<StoredText>> {
        texts::stored_texts(&self.db, documents).await
    }

    async fn restore_text(&self, document: DocumentId, version: u64, by: &SafeLine) -> Result<RestoredText> {
        restore::restore(&self.db, document, version, by).await
    }
}
