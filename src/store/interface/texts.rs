//! The interface of what leaves the store: texts, the changes by which a consumer follows them, and earlier texts.

use crate::domain::cursor::{History, TextPosition};
use crate::domain::id::{DocumentId, Seq};
use crate::domain::text::SafeLine;
use crate::domain::text_change::{TextChange, TextHead};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Reads of texts and of their changes, in parts of bounded size, and the way back to an earlier text.
#[async_trait]
pub trait TextStore: StoreBase {
    /// Returns the store's id, its epoch, and the numbers of the first and the last outcome that are stored.
    async fn history(&self) -> Result<History>;

    /// Returns the changes that `of` selects, in the order of their positions: for each document at most the last one.
    /// Fewer than `of.limit` mean that there are no others up to `of.up_to`.
    async fn text_changes(&self, of: TextChanges) -> Result<Vec<TextChange>>;

    /// Returns facts about the texts of those documents that have one, in the order of their ids.
    async fn text_heads(&self, documents: &[DocumentId]) -> Result<Vec<TextHead>>;

    /// Returns the texts of those documents that have one, in the order of their ids, each with the facts about it at
    /// one instant. The caller bounds how much text that is.
    async fn stored_texts(&self, documents: &[DocumentId]) -> Result<Vec<StoredText>>;

    /// Puts an earlier text in place of the stored one, which becomes an earlier text itself, and records an outcome.
    /// The fingerprint stays that of the page's text, so a fetch leaves the restored text until the page changes; one
    /// that was requested to be of the whole page replaces it.
    async fn restore_text(&self, document: DocumentId, version: u64, by: &SafeLine) -> Result<RestoredText>;
}

/// The result of restoring an earlier text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoredText {
    /// The text is stored now, under a new number.
    Done { version: u64 },
    /// The stored text is this one already.
    Current,
    /// The document is being synced, which may write another text.
    Syncing,
    /// There is no such document or version.
    NoVersion,
}

/// A range of changes of texts.
#[derive(Clone, Copy, Debug)]
pub struct TextChanges {
    pub after: TextPosition,
    /// The last outcome whose changes are read.
    pub up_to: Seq,
    /// Maximum number of changes.
    pub limit: u64,
}

/// The stored text of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredText {
    pub head: TextHead,
    /// Markdown as stored; not safe to print on a terminal.
    pub text: String,
}
