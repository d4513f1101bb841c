//! Moving: in the list, the panel, the details, and what is only read.

use super::{Update, loads, outcomes, views};
use crate::tui::action::Action;
use crate::tui::layout::{areas, inside, list_rows};
use crate::tui::model::overlay::Overlay;
use crate::tui::model::{Focus, Model};
use crate::tui::readers::{about as view_about, help as view_help, workers as view_workers};
use crate::tui::views::detail::changes as view_changes;
use crate::tui::views::detail::state::Tab;

/// Where a step ends that starts at `from` among `len` things, with `page` of them on the screen.
pub(super) fn target(action: Action, from: usize, len: usize, page: usize) -> usize {
    let last = len.saturating_sub(1);
    let page = page.max(1);
    let half = (page / 2).max(1);
    match action {
        Action::Down => from + 1,
        Action::Up => from.saturating_sub(1),
        Action::PageDown => from + page,
        Action::PageUp => from.saturating_sub(page),
        Action::HalfDown => from + half,
        Action::HalfUp => from.saturating_sub(half),
        Action::First => 0,
        Action::Last => last,
        _ => from,
    }
    .min(last)
}

pub(super) fn go(model: &mut Model, action: Action, up: &mut Update) {
    let page = view_help::rows(model.size);
    let help = if matches!(model.overlay, Some(Overlay::Help(_))) { view_help::lines(model) } else { 0 };
    let workers = if matches!(model.overlay, Some(Overlay::Workers(_))) { view_workers::lines(model) } else { 0 };
    let about = if matches!(model.overlay, Some(Overlay::About(_))) { view_about::lines(model) } else { 0 };
    match &mut model.overlay {
        // The end is where the drawing stops it.
        Some(Overlay::Help(scroll)) => {
            *scroll = scrolled(action, *scroll, help, page);
            return;
        }
        Some(Overlay::Activity(scroll)) => {
            let len = model.notices.activity().len();
            *scroll = scrolled(action, *scroll, len, page);
            return;
        }
        Some(Overlay::Workers(scroll)) => {
            *scroll = scrolled(action, *scroll, workers, page);
            return;
        }
        Some(Overlay::About(scroll)) => {
            *scroll = scrolled(action, *scroll, about, page);
            return;
        }
        Some(_) => return,
        None => {}
    }
    match (model.focus, model.detail.is_some()) {
        (Focus::Outcomes, _) => outcomes::go(model, action, up),
        (Focus::Main, true) => detail(model, action),
        (Focus::Main, false) if model.list_is_shown() => list(model, action, up),
        (Focus::Main, false) => views::go(model, action),
    }
}

/// A first line that is moved, so that the last line stays at the bottom.
fn scrolled(action: Action, from: usize, len: usize, page: usize) -> usize {
    target(action, from, len.saturating_sub(page) + 1, page)
}

fn list(model: &mut Model, action: Action, up: &mut Update) {
    let rows = list_rows(model);
    let as_usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let documents = &mut model.documents;
    let place = target(action, as_usize(documents.place), as_usize(documents.page.total), as_usize(rows));
    let missing = documents.go(place as u64, rows);
    if missing || (documents.near_edge(rows) && !documents.asked) {
        loads::page(model, up);
    }
}

/// Lines of the details' tab on the screen.
pub fn detail_rows(model: &Model) -> usize {
    let height = inside(areas(model).main).height;
    usize::from(height.saturating_sub(crate::tui::views::detail::draw::head_lines(height))).max(1)
}

fn detail(model: &mut Model, action: Action) {
    let rows = detail_rows(model);
    let changes = view_changes::lines(model, rows);
    let Some(detail) = &mut model.detail else { return };
    if detail.tab == Tab::Attempts {
        let place = target(action, detail.attempt_at(), detail.lines(), rows / 2);
        // On the newest the cursor stays with whatever is newest.
        detail.attempt = detail
            .data
            .as_ref()
            .filter(|_| place > 0)
            .and_then(|data| data.outcomes.get(place))
            .map(|outcome| outcome.seq);
    } else if detail.tab == Tab::Versions {
        detail.scroll = target(action, detail.scroll, detail.lines(), rows);
    } else {
        let lines = if detail.tab == Tab::Changes { changes } else { detail.lines() };
        detail.scroll = scrolled(action, detail.scroll, lines, rows);
    }
}
