//! Request and response of a fetch.

use crate::domain::content::{Page, Validators};
use crate::domain::id::DocumentId;

/// Request for a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The document, by which rules for single documents are found.
    pub document: DocumentId,
    /// URL as stored.
    pub url: String,
    /// Validators of the stored content: the server may answer that nothing has changed. `None` asks for the whole
    /// page.
    pub validators: Option<Validators>,
}

impl Ask {
    /// For the whole page.
    pub fn whole(document: DocumentId, url: impl Into<String>) -> Self {
        Self { document, url: url.into(), validators: None }
    }
}

/// Result of a successful fetch.
#[expect(clippy::large_enum_variant, reason = "one an attempt, moved a few times: a box would be one allocation more")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The page.
    Page(Page),
    /// The server says that it is still the stored one (304). Only when it was asked with validators.
    NotModified,
}

impl Answer {
    /// The page, when there is one.
    pub fn page(self) -> Option<Page> {
        match self {
            Self::Page(page) => Some(page),
            Self::NotModified => None,
        }
    }
}
