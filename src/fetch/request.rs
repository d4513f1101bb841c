//! Request and response of a fetch, for the runner and the commands.

use crate::domain::content::{IdenticalBody, Page, PriorResponse};
use crate::domain::id::DocumentId;
use crate::domain::representation::Negotiation;
use crate::domain::template::Template;
use std::sync::Arc;

/// Request for the page of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchRequest {
    /// Id of the document, by which site rules for single documents are found.
    pub document: DocumentId,
    pub url: String,
    /// Facts about the response that the stored content came from: the server may answer that nothing has changed, and
    /// an identical body is not converted.
    pub prior: PriorResponse,
    /// Representation to request. A site whose rule needs HTML, and a service that fetches pages, get HTML anyway. The
    /// validators of `prior` must belong to the representation that is requested.
    pub negotiation: Negotiation,
    /// Template of the host, whose blocks are left out of the text; `None` leaves nothing out.
    pub template: Option<Arc<Template>>,
    /// True if the texts that Chatwoot's own converter makes of the page are wanted too.
    pub chatwoot: bool,
}

impl FetchRequest {
    /// Creates a request for the whole page, which is converted whatever its body is.
    pub fn whole(document: DocumentId, url: impl Into<String>) -> Self {
        Self {
            document,
            url: url.into(),
            prior: PriorResponse::default(),
            negotiation: Negotiation::HtmlOnly,
            template: None,
            chatwoot: false,
        }
    }
}

/// Result of a successful fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchResponse {
    Page(Box<Page>),
    /// The stored page is still current (304). Occurs only if the request had validators.
    NotModified,
    /// The body is that of the stored page, so it was not converted. Occurs only if the request had a body digest.
    Identical(IdenticalBody),
}

impl FetchResponse {
    /// Returns the page, unless the stored one is still current.
    pub fn page(self) -> Option<Page> {
        match self {
            Self::Page(page) => Some(*page),
            Self::NotModified | Self::Identical(_) => None,
        }
    }
}
