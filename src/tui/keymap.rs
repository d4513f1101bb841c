//! The table of keys. Footer, help, palette, `quarterdeck keys` and `assets/docs/console.md` are generated from it.

mod binding;
pub mod key;
mod print;
mod table;

pub use binding::Binding;
pub use key::Key;
pub use print::help_groups;
pub use print::{keys_markdown, keys_text};
pub use table::TABLE;

use super::action::Action;
use super::scope::KeyScope;

/// Returns the action of `key` in `scope`; `None` if the key has no action there.
pub fn lookup(scope: KeyScope, key: Key) -> Option<Action> {
    TABLE
        .iter()
        .find(|binding| binding.scopes.contains(scope) && binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// Returns the table row of an action; every action has one, which a test checks.
pub fn binding(action: Action) -> Option<&'static Binding> {
    TABLE.iter().find(|binding| binding.action == action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::scope::PaneId;
    use crate::tui::views::catalog::ViewId;
    use crossterm::event::KeyCode;

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        for scope in KeyScope::all() {
            let mut seen = Vec::new();
            for binding in TABLE.iter().filter(|binding| binding.scopes.contains(scope)) {
                for key in binding.keys {
                    assert!(!seen.contains(key), "{} twice in {scope:?}", key.label(false));
                    seen.push(*key);
                }
            }
        }
    }

    #[test]
    fn every_row_is_complete_and_its_action_is_listed_once() {
        for (place, binding) in TABLE.iter().enumerate() {
            assert!(!binding.keys.is_empty() && binding.scopes.list().next().is_some(), "{:?}", binding.action);
            assert!(!binding.word.is_empty() && !binding.description.is_empty(), "{:?}", binding.action);
            assert!(TABLE.iter().skip(place + 1).all(|other| other.action != binding.action), "{:?}", binding.action);
        }
    }

    #[test]
    fn where_text_is_typed_no_letter_is_a_command() {
        for binding in TABLE.iter() {
            if binding.scopes.list().any(KeyScope::types_text) {
                assert!(binding.keys.iter().all(|key| !key.is_text()), "{:?}", binding.action);
            }
        }
    }

    #[test]
    fn every_pane_has_help_palette_a_way_back_and_a_way_out() {
        for pane in PaneId::all() {
            for (key, action) in [
                (Key::char('?'), Action::Help),
                (Key::char(':'), Action::Palette),
                (Key::of(KeyCode::Esc), Action::Back),
                (Key::char('q'), Action::Quit),
                (Key::char('j'), Action::Down),
            ] {
                assert_eq!(lookup(KeyScope::Pane(pane), key), Some(action), "{pane:?}");
            }
            for view in ViewId::ALL {
                for key in view.keys() {
                    assert_eq!(lookup(KeyScope::Pane(pane), *key), Some(Action::ShowView(*view)), "{pane:?}");
                }
            }
        }
    }
}
