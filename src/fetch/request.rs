//! Request and response of a fetch, for the runner and the commands.

use crate::domain::content::{Page, Validators};
use crate::domain::id::DocumentId;

/// Request for the page of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// Id of the document, by which site rules for single documents are found.
    pub document: DocumentId,
    pub url: String,
    /// Validators of the stored content: the server may answer that nothing has changed. `None` requests the whole
    /// page.
    pub validators: Option<Validators>,
}

impl FetchRequest {
    /// Creates a request without validators, for the whole page.
    pub fn whole(document: DocumentId, url: impl Into<String>) -> Self {
        Self { document, url: url.into(), validators: None }
    }
}

/// Result of a successful fetch.
#[expect(clippy::large_enum_variant, reason = "one an attempt, moved a few times: a box would be one allocation more")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchResponse {
    Page(Page),
    /// The stored page is still current (304). Occurs only if the request had validators.
    NotModified,
}

impl FetchResponse {
    /// Returns the page, unless the server answered 304.
    pub fn page(self) -> Option<Page> {
        match self {
            Self::Page(page) => Some(page),
            Self::NotModified => None,
        }
    }
}
