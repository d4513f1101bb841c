//! The footer: the keys that are available now, by frequency of use, and the number of marked documents (those that a
//! bulk action applies to).

use crate::format;
use crate::tui::action::Action;
use crate::tui::availability::{group_is_paused, useful};
use crate::tui::keymap::{Binding, BoundAction, Key};
use crate::tui::model::overlay::{Overlay, PromptKind};
use crate::tui::model::{Focus, Model};
use crate::tui::scope::KeyScope;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::outcomes::state::VisibleOutcomes;
use crate::tui::widgets::canvas::{Canvas, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Width of the screen, in cells, from which the footer names the palette.
const PALETTE_MIN_WIDTH: u16 = 60;

/// Draws the footer: keys on the left, the number of marked documents on the right.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let appearance = model.appearance();
    let mut canvas = Canvas::new(buf, area);
    let mut right = Spans::new();
    let marks = model.documents.marks.len() as u64;
    if marks > 0 {
        let word = if area.width < 60 { "" } else { " marked" };
        right.push(span(format!("{} {}{word}", appearance.glyphs.mark, format::number(marks)), Tone::Waiting));
    }
    let end = area.width.saturating_sub(1 + if right.is_empty() { 0 } else { cells(&right) + 2 });
    let mut keys = hints(model);
    // The narrowest screens keep the room for one more key of the pane: the help names the palette, too.
    keys.retain(|(action, _)| *action != Action::Palette || area.width >= PALETTE_MIN_WIDTH);
    let gap = if area.width < 100 { 2 } else { 3 };
    // Cells of the keys for palette, help, quit and close, which are always shown.
    let ends: u16 = keys.iter().filter(|(action, _)| is_way_out(*action)).map(|(_, key)| cells(key) + gap).sum();
    let mut x = 1;
    let mut left = ends;
    // Once a key does not fit, all later keys are left out, so that the choice does not depend on the length of a later
    // key's word.
    let mut full = false;
    for (action, key) in &keys {
        let kept = if is_way_out(*action) { 0 } else { left };
        full |= x + cells(key) + kept > end;
        if full && !is_way_out(*action) {
            continue;
        }
        if is_way_out(*action) {
            left = left.saturating_sub(cells(key) + gap);
        }
        x = canvas.spans(x, 0, cells(key), key, appearance) + gap;
    }
    let start = area.width.saturating_sub(1 + cells(&right));
    canvas.spans(start, 0, cells(&right), &right, appearance);
}

/// Returns true for the keys that the footer always has: they end something, or lead to every other key.
const fn is_way_out(action: Action) -> bool {
    matches!(action, Action::Palette | Action::Help | Action::Quit | Action::Close)
}

/// Returns the keys of the current scope in the footer's order. Keys that are of no use now are left out, unless an
/// overlay is open.
fn hints(model: &Model) -> Vec<(Action, Spans)> {
    let scope = model.scope();
    if let Some(begun) = model.begun() {
        return after(model, scope, begun);
    }
    let over = model.overlay.is_some();
    let mut rows: Vec<&BoundAction> = model
        .keymap()
        .actions()
        .filter(|bound| footer_position(model, bound.binding) > 0 && bound.binding.scopes.contains(scope))
        .filter(|bound| over || useful(model, bound.binding.action))
        .collect();
    // The keys that accept or reject a quarantined text come first, since the document waits for that decision.
    rows.sort_by_key(|bound| {
        let action = bound.binding.action;
        (!matches!(action, Action::Accept | Action::Reject), footer_position(model, bound.binding))
    });
    rows.into_iter()
        .filter_map(|bound| {
            let (action, key) = (bound.binding.action, bound.keys.first()?.label(model.glyphs.ascii));
            Some((action, hint(&key, word(model, action, bound.binding.word))))
        })
        .collect()
}

fn hint(key: &str, word: &str) -> Spans {
    vec![span(key.to_owned(), Tone::Accent), span(format!(" {word}"), Tone::Dim)]
}

/// Returns the keys that may follow `begun`, and the one that leaves it.
fn after(model: &Model, scope: KeyScope, begun: &[Key]) -> Vec<(Action, Spans)> {
    let ascii = model.glyphs.ascii;
    let rows = model.keymap().continuations(scope, begun, ascii).into_iter();
    let mut hints: Vec<_> =
        rows.map(|(key, binding)| (binding.action, hint(&key, word(model, binding.action, binding.word)))).collect();
    hints.push((Action::Close, hint("esc", "leave")));
    hints
}

/// Returns the position of a key in the footer; 0 means that the footer leaves the key out. Pausing comes early in the
/// views of hosts and accounts, where it is common; the footer of other panes leaves it out.
fn footer_position(model: &Model, binding: &Binding) -> u8 {
    match binding.action {
        Action::Pause if matches!(model.scope(), KeyScope::Pane(pane) if pane.has_groups()) => 2,
        _ => binding.footer,
    }
}

/// Returns the word for the effect that an action has in the current state, such as "resume" for a paused host; `usual`
/// if the effect is always the same.
fn word(model: &Model, action: Action, usual: &'static str) -> &'static str {
    match action {
        Action::Choose => match &model.overlay {
            Some(Overlay::Prompt(prompt)) => match prompt.kind {
                PromptKind::Filter(..) | PromptKind::Outcomes(..) => "filter",
                PromptKind::Search(_) => "search",
                PromptKind::Add => "add",
                PromptKind::SaveFilter(_) => "save",
                PromptKind::BreakLease { .. } => "break lease",
                PromptKind::Remove(_) => "remove",
            },
            _ => usual,
        },
        Action::SwitchFocus if model.focus == Focus::Main => "outcomes",
        Action::SwitchFocus if model.detail.is_some() => "details",
        Action::SwitchFocus => model.active_view.word(),
        Action::ShowQuarantined if model.documents.shows_only_quarantined() => "all",
        Action::Pin if model.panel.pin.is_some() => "unpin",
        Action::Pause if group_is_paused(model) => "resume",
        Action::HideUnchanged if model.panel.visible == VisibleOutcomes::Changes => "show unchanged",
        Action::HideUnchanged => "hide unchanged",
        Action::FollowFailures if model.panel.visible == VisibleOutcomes::Failures => "all outcomes",
        _ => usual,
    }
}
