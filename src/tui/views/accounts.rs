//! The accounts view: for each account its plan, documents by status, jobs, and share of the last hour's attempts.

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

/// The accounts view, whose state is in `model.views.accounts`.
pub struct AccountsView;

impl View for AccountsView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn rows<'m>(&self, model: &'m Model) -> Option<&'m dyn Rows> {
        Some(&model.views.accounts)
    }

    fn rows_mut<'m>(&self, model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        Some(&mut model.views.accounts)
    }

    fn peek(&self, model: &Model) -> Peek {
        if model.views.accounts.row().is_some() { Peek::Group } else { Peek::Absent }
    }

    fn explain(&self, model: &Model, inner: Rect) -> Explanation {
        let row = model.views.accounts.row();
        row.map_or_else(Explanation::default, |summary| about::explain(model, summary, inner))
    }

    fn about(&self, model: &Model) -> Option<(String, Vec<Spans>)> {
        model.views.accounts.row().map(|summary| about::facts(model, summary))
    }

    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let rows = model.views.accounts.data.rows.iter().skip(model.views.accounts.top).take(lines);
        rows.flat_map(|summary| [summary.next_due_at, summary.window.as_ref().map(|window| window.opens_at)])
            .flatten()
            .filter_map(|at| format::countdown_changes_at(at, model.now))
            .min()
    }

    fn document(&self, _model: &Model) -> Result<SelectedDocument, &'static str> {
        Err("select a document first, in its list")
    }

    fn group(&self, model: &Model) -> Result<PauseScope, &'static str> {
        model.views.accounts.row().map(|summary| PauseScope::Account(summary.id)).ok_or("there is no account here")
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        (action == Action::About && model.views.accounts.row().is_none()).then_some("there is no account here")
    }
}
