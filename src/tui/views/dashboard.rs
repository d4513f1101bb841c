//! The dashboard: throughput, results, latency and queue over an hour and a day, the slowest hosts, what is due next, and
//! the disk use. Each figure leads to the rows that it comes from.

mod chart;
mod draw;
pub mod state;
pub mod text;

use super::selected::SelectedDocument;
use super::view::{Explanation, Pane, View};
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::action::Action;
use crate::tui::layout::Peek;
use crate::tui::model::Model;
use crate::tui::table::state::Rows;
use crate::tui::text::{span, with_keys};
use crate::tui::theme::Tone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The dashboard, whose state is in `model.views.dashboard`.
pub struct DashboardView;

impl View for DashboardView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn rows<'m>(&self, model: &'m Model) -> Option<&'m dyn Rows> {
        Some(&model.views.dashboard)
    }

    fn rows_mut<'m>(&self, model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        Some(&mut model.views.dashboard)
    }

    fn heading_lines(&self, height: u16) -> u16 {
        draw::chart_lines(height)
    }

    fn peek(&self, model: &Model) -> Peek {
        if model.views.dashboard.figure().is_some() { Peek::Document } else { Peek::Absent }
    }

    fn explain(&self, model: &Model, inner: Rect) -> Explanation {
        let table = &model.views.dashboard;
        let Some(figure) = table.figure() else { return Explanation::default() };
        let mut lines = vec![
            vec![span(text::meaning(figure), Tone::Plain)],
            with_keys(&text::leads_to(model, figure), Tone::Plain),
            vec![span("A minute in which nobody took a sample is a gap, not a zero.", Tone::Dim)],
        ];
        lines.truncate(usize::from(inner.height));
        let title = vec![span(text::name(&table.data, figure), Tone::Strong)];
        Explanation { title, lines, is_old: table.read_error.is_some(), ..Explanation::default() }
    }

    fn next_refresh(&self, model: &Model, _lines: usize) -> Option<Timestamp> {
        let next = model.views.dashboard.data.figures.next.iter().filter_map(|row| row.next_attempt_at);
        next.filter_map(|at| format::countdown_changes_at(at, model.now)).min()
    }

    fn document(&self, _model: &Model) -> Result<SelectedDocument, &'static str> {
        Err("these are figures, not documents")
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        match action {
            Action::ShowRows if model.views.dashboard.figure().is_none() => Some("there is no figure here"),
            Action::Sort => Some("the figures have one order"),
            _ => None,
        }
    }
}
