//! The explanation of a document's text, for which its page is fetched anew.

use crate::domain::extraction::ExplainedPage;
use crate::domain::text::SafeLine;

/// A requested explanation. Nothing of the fetched page is stored.
#[derive(Clone, Debug)]
pub struct TextExplanation {
    /// Identifies the request; an answer with another number is dropped.
    pub generation: u64,
    /// URL of the document, which is fetched.
    pub url: SafeLine,
    /// The page and what is left out of it, or the failure; `None` while the page is being fetched.
    pub answer: Option<Result<Box<ExplainedPage>, SafeLine>>,
}
