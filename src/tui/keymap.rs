//! The one table of keys. Footer, help, palette, `quarterdeck keys` and `assets/docs/console.md` are printed from it.

mod key;
mod print;
mod table;

pub use key::Key;
pub(in crate::tui) use print::help_groups;
pub use print::{keys_markdown, keys_text};
pub use table::TABLE;

use super::action::{Action, Scope};

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Its keys, the one to be shown first.
    pub keys: &'static [Key],
    /// The word in the footer.
    pub word: &'static str,
    /// The sentence in help, palette and documentation.
    pub says: &'static str,
    /// Where the keys mean this.
    pub scopes: &'static [Scope],
    /// It changes documents or jobs: refused when the console only reads.
    pub dangerous: bool,
    /// Its place in the footer, from 1; 0 stays out.
    pub footer: u8,
}

/// What `key` means in `scope`.
pub fn lookup(scope: Scope, key: Key) -> Option<Action> {
    TABLE
        .iter()
        .find(|binding| binding.scopes.contains(&scope) && binding.keys.contains(&key))
        .map(|binding| binding.action)
}

/// The row of an action; every action has one (held by a test).
pub fn binding(action: Action) -> Option<&'static Binding> {
    TABLE.iter().find(|binding| binding.action == action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_scope() {
        for scope in Scope::ALL {
            let mut seen = Vec::new();
            for binding in TABLE.iter().filter(|binding| binding.scopes.contains(&scope)) {
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
            assert!(!binding.keys.is_empty() && !binding.scopes.is_empty(), "{:?}", binding.action);
            assert!(!binding.word.is_empty() && !binding.says.is_empty(), "{:?}", binding.action);
            assert!(TABLE.iter().skip(place + 1).all(|other| other.action != binding.action), "{:?}", binding.action);
        }
    }

    #[test]
    fn where_text_is_typed_no_letter_is_a_command() {
        for binding in TABLE {
            if binding.scopes.iter().any(|scope| scope.types_text()) {
                assert!(binding.keys.iter().all(|key| !key.is_text()), "{:?}", binding.action);
            }
        }
    }
}
