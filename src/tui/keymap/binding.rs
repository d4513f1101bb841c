//! A row of the key table: an action with its keys and texts.

use super::key::Key;
use crate::tui::action::Action;
use crate::tui::scope::KeyScopes;

/// A row of the key table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    pub action: Action,
    /// Default keys of the action; the footer shows the first key.
    pub keys: &'static [Key],
    /// Short name of the action, shown in the footer and the palette.
    pub word: &'static str,
    /// Explanation of the action, shown in the help, the palette and the documentation.
    pub description: &'static str,
    /// Scopes in which the keys have this action.
    pub scopes: KeyScopes,
    /// The action changes documents, jobs or pauses; a read-only console refuses it.
    pub dangerous: bool,
    /// Rank of the action in the footer, where lower ranks come first; 0 if the footer does not show the action. The
    /// footer shows pausing in the views of hosts and accounts despite its 0.
    pub footer: u8,
}
