//! The outcome panel: outcomes as they arrive, newest at the bottom, with a cursor for reading older ones.

mod draw;
pub mod entry;
pub mod state;
pub mod text;

pub use draw::entry_height;

use super::selected::SelectedDocument;
use super::view::{Pane, View};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::tui::action::Action;
use crate::tui::model::Model;
use ratatui::buffer::Buffer;

/// The outcome panel, whose state is in `model.panel`.
pub struct OutcomesView;

impl View for OutcomesView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    /// Returns `None`: the panel shows times of day, which do not change.
    fn next_refresh(&self, _model: &Model, _lines: usize) -> Option<Timestamp> {
        None
    }

    fn document(&self, model: &Model) -> Result<SelectedDocument, &'static str> {
        let entry = model.panel.selected().ok_or("select an outcome first: k moves up")?;
        if entry.is_run() {
            return Err("this line covers several documents");
        }
        let outcome = &entry.outcome;
        Ok(SelectedDocument {
            document: outcome.document_id,
            name: SafeLine::new(text::name(outcome)),
            url: outcome.url.clone(),
            status: model.documents.find(outcome.document_id).map(|row| row.status),
            error: outcome.error_code.map(|_| text::reason(outcome)),
        })
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        let searches = matches!(action, Action::SearchNext | Action::SearchPrevious);
        (searches && model.panel.search.is_empty()).then_some("search for something first: /")
    }
}
