//! The document that an action on one is about.

use super::documents::text::error;
use crate::domain::document::{DocumentRow, Status};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;

/// One document, with what is known of it where the cursor is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedDocument {
    /// The document.
    pub document: DocumentId,
    /// Its name.
    pub name: SafeLine,
    /// Its URL.
    pub url: SafeLine,
    /// Its status, when its row is at hand.
    pub status: Option<Status>,
    /// Its last error in plain words.
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
