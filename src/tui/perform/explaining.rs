//! Fetches the page of a document anew to explain its text.

use super::Shared;
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::tui::msg::Msg;

impl Shared {
    /// Fetches the page and returns the message with the explanation. Nothing is written.
    pub(super) async fn explain(&self, generation: u64, document: DocumentId, url: &str) -> Msg {
        let answer = match &self.explainer {
            Some(explainer) => explainer.explain(document, url).await.map(Box::new).map_err(|failure| failure.detail),
            None => Err(SafeLine::new("this console fetches no pages")),
        };
        Msg::Explained { generation, answer }
    }
}
