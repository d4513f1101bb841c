//! The details of one document: its state, its attempts, its text, the changes that a quarantined text would make, and
//! its earlier texts.

mod attempts;
pub mod changes;
pub mod difference;
mod draw;
pub mod export;
pub mod state;
mod text;
mod time_bars;

pub use draw::head_lines;

use super::documents::row_changes_at;
use super::jobs::chatwoot_job_changes_at;
use super::selected::SelectedDocument;
use super::view::{Pane, View};
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::action::Action;
use crate::tui::model::Model;
use ratatui::buffer::Buffer;
use state::Tab;

/// The pane with the details of one document.
pub struct DetailView;

impl View for DetailView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn next_refresh(&self, model: &Model, _lines: usize) -> Option<Timestamp> {
        let now = model.now;
        let data = model.detail.as_ref()?.data.as_deref();
        let row = model.detail_row().and_then(|row| row_changes_at(row, now));
        let attempt = data.and_then(|data| data.outcomes.first()).map(|outcome| outcome.at);
        let quarantined = data.and_then(|data| data.quarantined.as_ref()).map(|quarantined| quarantined.quarantined_at);
        let chatwoot =
            data.and_then(|data| data.chatwoot_jobs.first()).and_then(|job| chatwoot_job_changes_at(job, now));
        row.into_iter()
            .chain(chatwoot)
            .chain([attempt, quarantined].into_iter().flatten().map(|at| format::age_changes_at(at, now)))
            .min()
    }

    fn document(&self, model: &Model) -> Result<SelectedDocument, &'static str> {
        let gone = model.detail.as_ref().is_some_and(|detail| detail.gone);
        let none = if gone { "the document was removed" } else { "the document is still loading" };
        model.detail_row().map(SelectedDocument::from).ok_or(none)
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        match action {
            Action::Accept | Action::Reject => {
                model.quarantined_text().is_none().then_some("the document does not need review")
            }
            Action::Pager => export::text(model).is_none().then_some("this tab has no text to show"),
            Action::HostPages => {
                model.detail_row().is_none_or(|row| row.host.is_empty()).then_some("the document has no host")
            }
            Action::Compare | Action::Restore => {
                let has_version = |detail: &state::Detail| detail.tab == Tab::Versions && detail.lines() > 0;
                let none = !model.detail.as_ref().is_some_and(has_version);
                none.then_some("select a version first, in the tab versions")
            }
            _ => None,
        }
    }
}
