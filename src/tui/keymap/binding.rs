//! A row of the key table: an action with its keys and texts.

use super::key::Key;
use crate::tui::action::Action;
use crate::tui::scope::KeyScopes;

/// A row of the key table: an action with its keys and texts.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    pub action: Action,
    /// The footer shows the first one.
    pub keys: &'static [Key],
    /// Shown in the footer and the palette.
    pub word: &'static str,
    /// Shown in the help, the palette and the documentation.
    pub description: &'static str,
    /// Scopes in which the keys have this action.
    pub scopes: KeyScopes,
    /// The action changes documents, jobs or pauses; a read-only console refuses it.
    pub dangerous: bool,
    /// Position in the footer, from 1; 0 is not shown.
    pub footer: u8,
}
