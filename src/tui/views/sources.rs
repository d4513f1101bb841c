//! The sources view: each source with its reads, and below it its open proposals, on which a person decides.

mod about;
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
use crate::tui::text::Spans;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use state::SourceLine;

/// The sources view, whose state is in `model.views.sources`.
pub struct SourcesView;

impl View for SourcesView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn rows<'m>(&self, model: &'m Model) -> Option<&'m dyn Rows> {
        Some(&model.views.sources)
    }

    fn rows_mut<'m>(&self, model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        Some(&mut model.views.sources)
    }

    fn peek(&self, model: &Model) -> Peek {
        if model.views.sources.row().is_some() { Peek::Group } else { Peek::Absent }
    }

    fn explain(&self, model: &Model, inner: Rect) -> Explanation {
        let row = model.views.sources.row();
        row.map_or_else(Explanation::default, |line| about::explain(model, line, inner))
    }

    fn about(&self, model: &Model) -> Option<(String, Vec<Spans>)> {
        model.views.sources.row().map(|line| about::facts(model, line))
    }

    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let rows = model.views.sources.data.rows.iter().skip(model.views.sources.top).take(lines);
        let times = rows.filter_map(|line| match line {
            SourceLine::Source(source) => Some(source),
            SourceLine::Proposal(_) => None,
        });
        let changes = times.flat_map(|source| {
            let next = source.next_at.and_then(|next| format::countdown_changes_at(next, model.now));
            let last = source.last.map(|(at, _)| format::age_changes_at(at, model.now));
            [next, last].into_iter().flatten()
        });
        changes.min()
    }

    fn document(&self, _model: &Model) -> Result<SelectedDocument, &'static str> {
        Err("the rows here are sources and proposals")
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        let row = model.views.sources.row();
        match (action, row) {
            (Action::About | Action::ReadSource | Action::AcceptProposals | Action::RefuseProposals, None) => {
                Some("there is no source here")
            }
            (Action::AcceptProposal | Action::RefuseProposal, None | Some(SourceLine::Source(_))) => {
                Some("select a proposal first")
            }
            (Action::AcceptProposals | Action::RefuseProposals, Some(line))
                if model.views.sources.data.proposals_of(line.source()).next().is_none() =>
            {
                Some("this source has no open proposal")
            }
            _ => None,
        }
    }
}
