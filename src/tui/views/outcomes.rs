//! The outcome panel: outcomes as they arrive, newest at the bottom, with a cursor for reading older ones.

mod draw;
pub mod entry;
pub mod export;
pub mod pin;
pub mod state;
pub mod text;

pub use draw::entry_height;

use super::selected::SelectedDocument;
use super::view::{Pane, View};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::action::Action;
use crate::tui::model::Model;
use ratatui::buffer::Buffer;
use state::TimeStyle;

/// The outcome panel, whose state is in `model.panel`.
pub struct OutcomesView;

impl View for OutcomesView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    /// Returns `None` while the panel shows times of day, which do not change.
    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let panel = &model.panel;
        if panel.times == TimeStyle::Clock {
            return None;
        }
        let bottom = panel.bottom.filter(|_| !panel.follows());
        let shown = panel.shown(model.now).rev().skip_while(|entry| bottom.is_some_and(|bottom| entry.seq() > bottom));
        shown.take(lines).map(|entry| format::age_changes_at(entry.outcome.at, model.now)).min()
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
        match action {
            Action::SearchNext | Action::SearchPrevious => {
                model.panel.search.is_empty().then_some("search for something first: /")
            }
            Action::SaveOutcomes | Action::CopyOutcomes | Action::Pager => {
                model.panel.shown(model.now).next().is_none().then_some("no outcome is shown")
            }
            _ => None,
        }
    }
}
