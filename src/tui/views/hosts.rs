//! The hosts view, the worst hosts first: for each host its documents, its responses in the last hour, and its
//! back-off.

mod about;
mod draw;
pub mod state;
mod text;

use super::selected::SelectedDocument;
use super::view::{Explanation, Pane, View};
use crate::domain::pause::PauseScope;
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::action::Action;
use crate::tui::layout::Peek;
use crate::tui::model::Model;
use crate::tui::table::state::Rows;
use crate::tui::text::Spans;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The hosts view, whose state is in `model.views.hosts`.
pub struct HostsView;

impl View for HostsView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn rows<'m>(&self, model: &'m Model) -> Option<&'m dyn Rows> {
        Some(&model.views.hosts)
    }

    fn rows_mut<'m>(&self, model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        Some(&mut model.views.hosts)
    }

    fn peek(&self, model: &Model) -> Peek {
        if model.views.hosts.row().is_some() { Peek::Group } else { Peek::Absent }
    }

    fn explain(&self, model: &Model, inner: Rect) -> Explanation {
        let row = model.views.hosts.row();
        row.map_or_else(Explanation::default, |summary| about::explain(model, summary, inner))
    }

    fn about(&self, model: &Model) -> Option<(String, Vec<Spans>)> {
        model.views.hosts.row().map(|summary| about::facts(model, summary))
    }

    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let rows = model.views.hosts.data.rows.iter().skip(model.views.hosts.top).take(lines);
        let backoffs = rows.filter_map(|summary| summary.backoff.as_ref());
        backoffs.filter_map(|backoff| format::countdown_changes_at(backoff.until, model.now)).min()
    }

    fn document(&self, _model: &Model) -> Result<SelectedDocument, &'static str> {
        Err("select a document first, in its list")
    }

    fn group(&self, model: &Model) -> Result<PauseScope, &'static str> {
        match model.views.hosts.row() {
            Some(summary) if summary.host.is_empty() => Err("no host: the documents of this row are files"),
            Some(summary) => Ok(text::scope(summary)),
            None => Err("there is no host here"),
        }
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        (action == Action::About && model.views.hosts.row().is_none()).then_some("there is no host here")
    }
}
