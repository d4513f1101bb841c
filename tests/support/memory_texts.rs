//! Texts of the store in memory. A console restores them and follows no changes.

use super::memory::Memory;
use async_trait::async_trait;
use quarterdeck::domain::cursor::History;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::text::SafeLine;
use quarterdeck::domain::text_change::{TextChange, TextHead};
use quarterdeck::store::{RestoredText, Result, StoredText, TextChanges, TextStore};

#[async_trait]
impl TextStore for Memory {
    async fn history(&self) -> Result<History> {
        unimplemented!("a console follows no changes of texts")
    }

    async fn text_changes(&self, _of: TextChanges) -> Result<Vec<TextChange>> {
        unimplemented!("a console follows no changes of texts")
    }

    async fn text_heads(&self, _documents: &[DocumentId]) -> Result<Vec<TextHead>> {
        unimplemented!("a console follows no changes of texts")
    }

    async fn stored_texts(&self, _documents: &[DocumentId]) -> Result<Vec<StoredText>> {
        unimplemented!("a console follows no changes of texts")
    }

    async fn restore_text(&self, _document: DocumentId, _version: u64, _by: &SafeLine) -> Result<RestoredText> {
        Ok(RestoredText::NoVersion)
    }
}
