//! The search of the help: what is typed leaves the keys whose name or explanation contains it.

use super::effects::Update;
use super::prompt::request;
use crate::tui::action::Action;
use crate::tui::keymap::Key;
use crate::tui::model::Model;
use crate::tui::model::overlay::{Overlay, characters_left};
use crate::tui::model::toast::Level;
use crossterm::event::{KeyCode, KeyEvent};
use tui_input::{Input, InputRequest};

/// Opens the help.
pub(super) fn open(model: &mut Model) {
    (model.overlay, model.help_search) = (Some(Overlay::Help(0)), None);
}

/// Begins a search in the open help.
pub(super) fn search(model: &mut Model) {
    match model.overlay {
        Some(Overlay::Help(_)) => (model.overlay, model.help_search) = (Some(Overlay::Help(0)), Some(Input::default())),
        _ => model.notify(Level::Refused, "only the help can be searched"),
    }
}

/// Handles a key while the help is searched. Returns false for a key that the search does not have, such as one that
/// scrolls.
pub(super) fn key(model: &mut Model, event: &KeyEvent, key: Key, up: &mut Update) -> bool {
    if !matches!(model.overlay, Some(Overlay::Help(_))) {
        return false;
    }
    let closes = model.keymap().has(Action::Close, key);
    let Some(input) = &mut model.help_search else { return false };
    match key.code {
        _ if closes => model.help_search = None,
        KeyCode::Enter => {}
        _ => {
            let Some(request) = request(event) else { return false };
            let is_full = characters_left(input) == 0;
            if !(is_full && matches!(request, InputRequest::InsertChar(_))) {
                input.handle(request);
            }
        }
    }
    model.overlay = Some(Overlay::Help(0));
    up.redraw();
    true
}
