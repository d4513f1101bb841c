//! The list of documents: a window (the loaded part) of the sorted and filtered rows. A person can mark documents for a
//! bulk action.

pub mod column_id;
mod columns;
mod draw;
pub mod line;
pub mod marks;
pub mod peek;
pub mod state;
pub mod text;

use super::selected::SelectedDocument;
use super::view::{Explanation, Pane, View};
use crate::domain::document::DocumentRow;
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::action::Action;
use crate::tui::layout::Peek;
use crate::tui::model::Model;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The list of documents, whose state is in `model.documents`.
pub struct DocumentsView;

impl View for DocumentsView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn follow_row(&self, model: &mut Model) {
        model.documents.follows_row = true;
    }

    fn peek(&self, model: &Model) -> Peek {
        if model.documents.page.total > 0 { Peek::Document } else { Peek::Absent }
    }

    fn explain(&self, model: &Model, inner: Rect) -> Explanation {
        model.documents.row().map_or_else(Explanation::default, |row| peek::explain(model, row, inner.height))
    }

    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let backoff_changes_at = |row| {
            text::host_backoff(model, row).and_then(|backoff| format::countdown_changes_at(backoff.until, model.now))
        };
        let rows = model.documents.visible(lines as u64).map(|(_, row)| row);
        rows.flat_map(|row| row_changes_at(row, model.now).into_iter().chain(backoff_changes_at(row))).min()
    }

    fn document(&self, model: &Model) -> Result<SelectedDocument, &'static str> {
        match model.documents.row() {
            Some(row) => Ok(row.into()),
            None if model.documents.page.total == 0 => Err("there is no document here"),
            None => Err("the rows are still being read"),
        }
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        match action {
            Action::SyncAll | Action::RetryAll | Action::CancelAll | Action::FaqAll | Action::MarkAll => {
                (model.documents.page.total == 0).then_some("no document matches")
            }
            Action::ClearMarks => model.documents.marks.is_empty().then_some("nothing is marked"),
            _ => None,
        }
    }
}

/// Returns the next time at which an age or a countdown of the row changes its text.
pub(super) fn row_changes_at(row: &DocumentRow, now: Timestamp) -> Option<Timestamp> {
    let ages = [row.attempted_at, row.synced_at].into_iter().flatten().map(|at| format::age_changes_at(at, now));
    let opens_at = row.window.as_ref().map(|window| window.opens_at);
    let countdowns = [row.next_attempt_at, row.next_check_at, opens_at].into_iter().flatten();
    ages.chain(countdowns.filter_map(|at| format::countdown_changes_at(at, now))).min()
}
