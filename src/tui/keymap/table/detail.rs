//! The rows of the key table about the details of a document.

use super::{danger, row};
use crate::tui::action::Action;
use crate::tui::keymap::binding::Binding;
use crate::tui::keymap::key::Key;
use crate::tui::scope::{KeyScope, KeyScopes};
use crossterm::event::KeyCode;

const DETAIL: KeyScopes = KeyScopes::Only(&[KeyScope::DETAIL]);

pub(super) const ROWS: &[Binding] = &[
    danger(
        Action::Accept,
        &[Key::char('a')],
        "accept",
        "accept the fetched text, which replaces the stored one; always asks first",
        DETAIL,
        1,
    ),
    danger(
        Action::Reject,
        &[Key::char('d')],
        "reject",
        "reject the fetched text: the stored one stays, and the same text is not reviewed again",
        DETAIL,
        2,
    ),
    row(
        Action::Compare,
        &[Key::of(KeyCode::Enter)],
        "compare",
        "show what replaced the version under the cursor",
        DETAIL,
        3,
    ),
    danger(
        Action::Restore,
        &[Key::char('v')],
        "restore",
        "bring the version under the cursor back; always asks first",
        DETAIL,
        4,
    ),
    row(Action::HostPages, &[Key::char('h')], "host pages", "list the documents of the same host", DETAIL, 5),
    row(
        Action::Why,
        &[Key::char('i')],
        "why",
        "why the text is what it is: fetches the page anew, stores nothing",
        DETAIL,
        4,
    ),
    row(Action::PreviousTab, &[Key::char('['), Key::of(KeyCode::Left)], "previous tab", "the previous tab", DETAIL, 0),
    row(Action::NextTab, &[Key::char(']'), Key::of(KeyCode::Right)], "next tab", "the next tab", DETAIL, 6),
];
