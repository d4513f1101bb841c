//! The keys of the console: the table of the actions with their default keys, and the keys that the config sets in their
//! place. Footer, help, palette, `quarterdeck keys` and `assets/docs/console.md` are generated from them.

mod binding;
mod checks;
pub mod key;
mod map;
mod names;
mod print;
mod sequence;
mod table;
#[cfg(test)]
mod tests;

pub use binding::Binding;
pub use key::Key;
pub use map::{BoundAction, KeyMatch, Keymap};
pub use names::name;
pub use print::{help_groups, keys_markdown, keys_text};
pub use sequence::{label, labels};
pub use table::TABLE;

use super::action::Action;

/// Returns the table row of an action; every action has one, which a test checks.
pub fn binding(action: Action) -> Option<&'static Binding> {
    TABLE.iter().find(|binding| binding.action == action)
}
