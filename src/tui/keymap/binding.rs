//! One row of the key table.

use super::key::Key;
use crate::tui::action::Action;
use crate::tui::scope::Scopes;

/// One row of the key table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The action of the keys.
    pub action: Action,
    /// Its keys, the one to be shown first.
    pub keys: &'static [Key],
    /// The word in the footer.
    pub word: &'static str,
    /// The sentence in help, palette and documentation.
    pub says: &'static str,
    /// The scopes in which the keys mean this.
    pub scopes: Scopes,
    /// It changes documents or jobs: refused when the console only reads.
    pub dangerous: bool,
    /// Its place in the footer, from 1; 0 stays out.
    pub footer: u8,
}
