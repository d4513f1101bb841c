//! The column picker of the list of documents: shows, hides and moves columns at once.

use super::effects::Update;
use crate::tui::action::Action;
use crate::tui::keymap::Key;
use crate::tui::model::Model;
use crate::tui::model::overlay::Overlay;
use crate::tui::model::toast::Level;
use crate::tui::scope::KeyScope;
use crate::tui::views::documents::column_id::{ColumnId, DEFAULT, picker_rows};
use crossterm::event::KeyCode;

/// Handles a key of the picker. Returns false for a key that it does not have, such as the one that closes it.
pub(super) fn key(model: &mut Model, key: Key, up: &mut Update) -> bool {
    let Some(Overlay::Columns(selected)) = model.overlay else { return false };
    let rows = picker_rows(model.documents.columns.as_deref());
    let last = rows.len().saturating_sub(1);
    let Some((id, is_shown)) = rows.get(selected.min(last)).copied() else { return false };
    let action = model.keymap().action(KeyScope::Reader, key);
    match key.code {
        _ if action == Some(Action::Down) => select(model, (selected + 1).min(last)),
        _ if action == Some(Action::Up) => select(model, selected.saturating_sub(1)),
        KeyCode::Char(' ') if id == ColumnId::Document => model.notify(Level::Refused, "the document's column stays"),
        KeyCode::Char(' ') => {
            let mut shown = shown(model);
            if is_shown {
                shown.retain(|other| *other != id);
            } else {
                shown.push(id);
            }
            set(model, shown, id);
        }
        KeyCode::Char('J') if is_shown => swap(model, selected, selected + 1, id),
        KeyCode::Char('K') if is_shown && selected > 0 => swap(model, selected, selected - 1, id),
        KeyCode::Char('J' | 'K') => model.notify(Level::Refused, "only a shown column moves"),
        KeyCode::Char('o') => {
            model.documents.columns = None;
            select(model, 0);
        }
        KeyCode::Enter => model.overlay = None,
        _ => return false,
    }
    up.redraw();
    true
}

fn shown(model: &Model) -> Vec<ColumnId> {
    model.documents.columns.clone().unwrap_or_else(|| DEFAULT.to_vec())
}

fn select(model: &mut Model, selected: usize) {
    model.overlay = Some(Overlay::Columns(selected));
}

/// Sets the columns; the usual ones in their order are no choice. The cursor of the picker stays on its column.
fn set(model: &mut Model, shown: Vec<ColumnId>, id: ColumnId) {
    model.documents.columns = Some(shown).filter(|shown| **shown != DEFAULT);
    let rows = picker_rows(model.documents.columns.as_deref());
    select(model, rows.iter().position(|(other, _)| *other == id).unwrap_or(0));
}

fn swap(model: &mut Model, from: usize, to: usize, id: ColumnId) {
    let mut shown = shown(model);
    if from < shown.len() && to < shown.len() {
        shown.swap(from, to);
        set(model, shown, id);
    }
}
