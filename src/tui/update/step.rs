//! Where a step ends.

use crate::tui::action::Action;

/// Returns where a step ends that starts at `from` among `len` things, with `page` of them on the screen.
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

/// Returns the first line on the screen after a step, so that the last line stays at the bottom.
pub(super) fn scrolled(action: Action, from: usize, len: usize, page: usize) -> usize {
    target(action, from, len.saturating_sub(page) + 1, page)
}
