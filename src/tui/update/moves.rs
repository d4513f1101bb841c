//! Movement of the cursor or the scroll position, in views, the outcome panel, the details and readers.

use super::effects::Update;
use super::step::{scrolled, target};
use super::{loads, outcomes};
use crate::tui::action::Action;
use crate::tui::layout::reader_lines;
use crate::tui::model::Model;
use crate::tui::readers;
use crate::tui::scope::PaneId;
use crate::tui::screen::{detail_cells, list_rows, view_lines};
use crate::tui::views;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::detail::changes;
use crate::tui::views::detail::state::Tab;

/// Carries out a movement in the open reader, else in the focused pane.
pub(super) fn go(model: &mut Model, action: Action, up: &mut Update) {
    let text = readers::text(model);
    if let Some(overlay) = &mut model.overlay {
        if let (Some((_, text)), Some(scroll)) = (text, overlay.scroll_mut()) {
            // Stops where the last line is at the bottom of the reader, as the drawing does.
            *scroll = scrolled(action, *scroll, text.len(), reader_lines(model.size));
        }
        return;
    }
    match model.pane() {
        PaneId::Outcomes => outcomes::go(model, action, up),
        PaneId::Detail => detail(model, action),
        PaneId::DOCUMENTS => list(model, action, up),
        PaneId::View(view) => rows(model, view, action),
    }
}

fn list(model: &mut Model, action: Action, up: &mut Update) {
    let rows = list_rows(model);
    let as_usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let documents = &mut model.documents;
    let index = target(action, as_usize(documents.cursor_index), as_usize(documents.page.total), as_usize(rows));
    let missing = documents.move_to(index as u64, rows);
    if missing || (documents.near_edge(rows) && !documents.loading) {
        loads::page(model, up);
    }
}

fn rows(model: &mut Model, view: ViewId, action: Action) {
    let page = view_lines(model, view);
    if let Some(rows) = views::for_pane(PaneId::View(view)).rows_mut(model) {
        rows.move_to(target(action, rows.cursor_index(), rows.rows(), page));
    }
}

fn detail(model: &mut Model, action: Action) {
    let (cells, rows) = detail_cells(model);
    let changes = changes::lines(model, cells, rows);
    let Some(detail) = &mut model.detail else { return };
    if detail.tab == Tab::Attempts {
        let index = target(action, detail.attempt_index(), detail.lines(), rows / 2);
        // On the newest attempt the cursor is `None`, so that it moves to each newer attempt.
        detail.attempt = detail
            .data
            .as_ref()
            .filter(|_| index > 0)
            .and_then(|data| data.outcomes.get(index))
            .map(|outcome| outcome.seq);
    } else if detail.tab == Tab::Versions {
        detail.scroll = target(action, detail.scroll, detail.lines(), rows);
    } else {
        let lines = if detail.tab == Tab::Changes { changes } else { detail.lines() };
        detail.scroll = scrolled(action, detail.scroll, lines, rows);
    }
}
