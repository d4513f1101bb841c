//! Targets of movements in a list: one line, half a page, a page, or to an end.

use crate::tui::action::Action;

/// Returns the index to which `action` moves from index `from`, in a list of `len` rows with `page` rows on the screen.
/// An action that is no movement leaves the index unchanged.
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

/// Returns the scroll position to which `action` moves from position `from`. The position is limited: the last of the
/// `len` lines never rises above the bottom of a screen of `page` lines.
pub(super) fn scrolled(action: Action, from: usize, len: usize, page: usize) -> usize {
    target(action, from, len.saturating_sub(page) + 1, page)
}
