//! The rows of the key table about texts that are typed: the search of the help, and filters that are typed, used before,
//! or saved.

use super::row;
use crate::tui::action::Action;
use crate::tui::keymap::binding::Binding;
use crate::tui::keymap::key::Key;
use crate::tui::scope::{KeyScope, KeyScopes};
use crossterm::event::KeyCode;

const LIST: KeyScopes = KeyScopes::Only(&[KeyScope::DOCUMENTS]);
const PROMPT: KeyScopes = KeyScopes::Only(&[KeyScope::Prompt]);

pub(super) const ROWS: &[Binding] = &[
    row(
        Action::SearchHelp,
        &[Key::char('/')],
        "search",
        "search the keys of the help",
        KeyScopes::Only(&[KeyScope::Reader]),
        0,
    ),
    row(Action::Complete, &[Key::of(KeyCode::Tab)], "complete", "complete a field or word of a filter", PROMPT, 0),
    row(Action::EarlierFilter, &[Key::of(KeyCode::Up)], "earlier", "the filter used before", PROMPT, 0),
    row(Action::LaterFilter, &[Key::of(KeyCode::Down)], "later", "the filter used after that", PROMPT, 0),
    row(
        Action::SaveFilter,
        &[Key::ctrl('s')],
        "save filter",
        "save the filter under a name, by which @ finds it",
        KeyScopes::Only(&[KeyScope::DOCUMENTS, KeyScope::Prompt]),
        0,
    ),
    row(Action::SavedFilters, &[Key::char('@')], "saved filters", "choose one of the saved filters", LIST, 0),
];
