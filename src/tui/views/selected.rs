//! The document to which an action applies.

use super::documents::text::error;
use crate::domain::document::{DocumentRow, Status};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;

/// The document of the row under the cursor, or that of the open details, with the facts that are known from its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedDocument {
    pub document: DocumentId,
    pub name: SafeLine,
    /// Empty if the URL is not known.
    pub url: SafeLine,
    /// `None` if it is unknown: the document's row is not loaded, and the view does not show the status.
    pub status: Option<Status>,
    /// The error that the row shows, in plain words; `None` if it shows none.
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
