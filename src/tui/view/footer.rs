//! The footer: the keys that work here and now, in order of use, and how many rows are marked.

use crate::format;
use crate::tui::action::Action;
use crate::tui::availability::{group_is_paused, useful};
use crate::tui::keymap::{Binding, TABLE};
use crate::tui::model::overlay::{Overlay, PromptKind};
use crate::tui::model::{Focus, Model};
use crate::tui::scope::Scope;
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::widgets::canvas::{Canvas, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let look = model.look();
    let mut canvas = Canvas::new(buf, area);
    let mut right = Words::new();
    let marks = model.documents.marks.len() as u64;
    if marks > 0 {
        let word = if area.width < 60 { "" } else { " marked" };
        right.push(words(format!("{} {}{word}", look.glyphs.mark, format::number(marks)), Tone::Waiting));
    }
    let end = area.width.saturating_sub(1 + if right.is_empty() { 0 } else { cells(&right) + 2 });
    let keys = hints(model);
    let gap = if area.width < 100 { 2 } else { 3 };
    // Help and quit are the ones that nobody may be left without.
    let ends: u16 = keys.iter().filter(|(action, _)| is_way_out(*action)).map(|(_, key)| cells(key) + gap).sum();
    let mut x = 1;
    let mut left = ends;
    // Once one has no room the later ones have none: what is there does not depend on how long a word is.
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
        x = canvas.words(x, 0, cells(key), key, look) + gap;
    }
    let start = area.width.saturating_sub(1 + cells(&right));
    canvas.words(start, 0, cells(&right), &right, look);
}

const fn is_way_out(action: Action) -> bool {
    matches!(action, Action::Help | Action::Quit | Action::Close)
}

/// The keys of the scope that can do something now, in order.
fn hints(model: &Model) -> Vec<(Action, Words)> {
    let scope = model.scope();
    let over = model.overlay.is_some();
    let mut rows: Vec<_> = TABLE
        .iter()
        .filter(|binding| place(model, binding) > 0 && binding.scopes.contains(scope))
        .filter(|binding| over || useful(model, binding.action))
        .collect();
    // What waits for a person comes before what can always be done.
    rows.sort_by_key(|binding| (!matches!(binding.action, Action::Accept | Action::Reject), place(model, binding)));
    rows.into_iter()
        .filter_map(|binding| {
            let key = binding.keys.first()?.label(model.glyphs.ascii);
            Some((
                binding.action,
                vec![
                    words(key, Tone::Accent),
                    words(format!(" {}", word(model, binding.action, binding.word)), Tone::Dim),
                ],
            ))
        })
        .collect()
}

/// Where a key stands; 0 stays out. A host or an account is there to be opened and paused, a document hardly for that.
fn place(model: &Model, binding: &Binding) -> u8 {
    match binding.action {
        Action::Pause if matches!(model.scope(), Scope::Pane(pane) if pane.has_groups()) => 2,
        _ => binding.footer,
    }
}

/// The word of an action here: what it leads to now.
fn word(model: &Model, action: Action, usual: &'static str) -> &'static str {
    match action {
        Action::Choose => match &model.overlay {
            Some(Overlay::Prompt(prompt)) => match prompt.kind {
                PromptKind::Filter(..) | PromptKind::Outcomes(..) => "filter",
                PromptKind::Search(_) => "search",
                PromptKind::Add => "add",
                PromptKind::BreakLease { .. } => "break lease",
            },
            _ => usual,
        },
        Action::SwitchFocus if model.focus == Focus::Main => "outcomes",
        Action::SwitchFocus if model.detail.is_some() => "details",
        Action::SwitchFocus => model.active.word(),
        Action::ShowHeld if model.documents.only_held() => "all",
        Action::Pin if model.panel.pin.is_some() => "unpin",
        Action::Pause if group_is_paused(model) => "resume",
        Action::HideUnchanged if model.panel.hide_unchanged => "show unchanged",
        Action::HideUnchanged => "hide unchanged",
        _ => usual,
    }
}
