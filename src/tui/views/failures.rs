//! The failures view: the causes for which documents failed, those of most documents first, with what helps.

mod about;
pub mod cause;
mod draw;
pub mod state;
pub mod text;

use super::documents::row_changes_at;
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

/// The failures view, whose state is in `model.views.failures`.
pub struct FailuresView;

impl View for FailuresView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn rows<'m>(&self, model: &'m Model) -> Option<&'m dyn Rows> {
        Some(&model.views.failures)
    }

    fn rows_mut<'m>(&self, model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        Some(&mut model.views.failures)
    }

    fn peek(&self, model: &Model) -> Peek {
        if model.views.failures.row().is_some() { Peek::Members } else { Peek::Absent }
    }

    fn explain(&self, model: &Model, inner: Rect) -> Explanation {
        let row = model.views.failures.row();
        row.map_or_else(Explanation::default, |summary| about::explain(model, summary, inner))
    }

    fn about(&self, model: &Model) -> Option<(String, Vec<Spans>)> {
        model.views.failures.row().map(|summary| about::facts(model, summary))
    }

    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let rows = model.views.failures.data.rows.iter().skip(model.views.failures.top).take(lines);
        let members =
            model.views.failures.row().and_then(|summary| model.members.of(summary.cause)).unwrap_or_default();
        let members = members.iter().filter_map(|row| row_changes_at(row, model.now));
        rows.flat_map(|summary| {
            let ages = [summary.first_at, summary.last_at].into_iter().flatten();
            let countdown = summary.backoff_until.and_then(|at| format::countdown_changes_at(at, model.now));
            ages.map(|at| format::age_changes_at(at, model.now)).chain(countdown)
        })
        .chain(members)
        .min()
    }

    fn document(&self, _model: &Model) -> Result<SelectedDocument, &'static str> {
        Err("select a document first, in its list")
    }

    fn group(&self, model: &Model) -> Result<PauseScope, &'static str> {
        let summary = model.views.failures.row().ok_or("nothing has failed")?;
        let host = summary.only_host.as_ref();
        host.map(|host| PauseScope::Host(host.to_string())).ok_or("several hosts: pause one in the hosts view, 4")
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        let needs_row =
            matches!(action, Action::About | Action::RetryCause | Action::CopyCause | Action::ShowDocuments)
                || matches!(action, Action::RetryCauses | Action::MarkCause | Action::MarkCauses);
        (needs_row && model.views.failures.row().is_none()).then_some("nothing has failed")
    }
}
