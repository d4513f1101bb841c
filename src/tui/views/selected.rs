//! The document that an action applies to.

use super::documents::text::error;
use crate::domain::document::{DocumentRow, Status};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;

/// The document under the cursor, with what its row contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedDocument {
    pub document: DocumentId,
    pub name: SafeLine,
    pub url: SafeLine,
    /// `None` while the document's row is not loaded.
    pub status: Option<Status>,
    /// The last error in plain words.
    pub error: Option<String>,
}

impl From<&DocumentRow> for SelectedDocument {
    fn from(row: &DocumentRow) -> Self {
        Self {
            document: row.id,
            name: row.name.clone(),
            url: row.url.clone(),
            status: Some(row.status),
            error: error(row),
        }
    }
}
