//! The keys of one console: those of the table, and those of the config in their place.

use super::binding::Binding;
use super::checks;
use super::key::Key;
use super::sequence::{self, KeySequence};
use super::table::TABLE;
use crate::config::{KeyBinding, Problem};
use crate::tui::action::Action;
use crate::tui::scope::KeyScope;

/// An action of the table with its keys in this console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundAction {
    /// Row of the table, whose keys are the default ones.
    pub binding: &'static Binding,
    /// The keys in this console, the first of which the footer shows; none for an action that only the palette has.
    pub keys: Vec<KeySequence>,
}

impl BoundAction {
    /// Returns true if `key` alone has this action.
    pub fn has(&self, key: Key) -> bool {
        self.keys.iter().any(|sequence| sequence.keys() == [key])
    }
}

/// Result of a lookup of keys that were pressed one after the other, in a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMatch {
    /// All keys of an action.
    Action(Action),
    /// The first keys of one action or several.
    Begun,
    Nothing,
}

/// The keys of a console. An action has the same keys in all its scopes, and no key has two actions in one scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keymap(Vec<BoundAction>);

impl Default for Keymap {
    /// Returns the keys of the table.
    fn default() -> Self {
        Self(TABLE.iter().map(|binding| BoundAction { binding, keys: default_keys(binding).collect() }).collect())
    }
}

fn default_keys(binding: &Binding) -> impl Iterator<Item = KeySequence> {
    binding.keys.iter().copied().map(KeySequence::one)
}

impl Keymap {
    /// Returns the default keys with those of the config in their place. An action of the config has only the keys that
    /// stand there. A default key of another action that they need in one of its scopes is taken from that action.
    ///
    /// # Errors
    /// Returns the mistakes of the config: unknown actions and keys, keys with two actions, letters where text is typed,
    /// and a console that cannot be left.
    pub fn configured(settings: &[KeyBinding]) -> Result<Self, Vec<Problem>> {
        let (own, mut problems) = checks::read(settings);
        problems.extend(checks::conflicts(&own));
        let keys = |binding: &'static Binding| match own.iter().find(|own| own.binding.action == binding.action) {
            Some(own) => own.keys.clone(),
            None => default_keys(binding).filter(|key| checks::taker(&own, binding, key).is_none()).collect(),
        };
        let map = Self(TABLE.iter().map(|binding| BoundAction { binding, keys: keys(binding) }).collect());
        if problems.is_empty() {
            problems = checks::ways_out(&own, |action| map.keys(action).is_empty());
        }
        if problems.is_empty() { Ok(map) } else { Err(problems) }
    }

    /// Returns the actions in the order of the table.
    pub fn actions(&self) -> impl Iterator<Item = &BoundAction> {
        self.0.iter()
    }

    /// Returns what the keys `typed` one after the other are in `scope`.
    pub fn lookup(&self, scope: KeyScope, typed: &[Key]) -> KeyMatch {
        let mut begun = KeyMatch::Nothing;
        for bound in self.0.iter().filter(|bound| bound.binding.scopes.contains(scope)) {
            for sequence in &bound.keys {
                if sequence.keys() == typed {
                    return KeyMatch::Action(bound.binding.action);
                }
                if sequence.after(typed).is_some() {
                    begun = KeyMatch::Begun;
                }
            }
        }
        begun
    }

    /// Returns the action that `key` alone has in `scope`.
    pub fn action(&self, scope: KeyScope, key: Key) -> Option<Action> {
        match self.lookup(scope, &[key]) {
            KeyMatch::Action(action) => Some(action),
            KeyMatch::Begun | KeyMatch::Nothing => None,
        }
    }

    /// Returns the names of the keys that may follow `typed` in `scope`, each with its action.
    pub fn continuations(&self, scope: KeyScope, typed: &[Key], ascii: bool) -> Vec<(String, &'static Binding)> {
        let here = self.0.iter().filter(|bound| bound.binding.scopes.contains(scope));
        here.flat_map(|bound| {
            let rests = bound.keys.iter().filter_map(|sequence| sequence.after(typed));
            rests.map(|rest| (sequence::label(rest, ascii), bound.binding))
        })
        .collect()
    }

    /// Returns true if `key` alone has this action in some scope.
    pub fn has(&self, action: Action, key: Key) -> bool {
        self.bound(action).is_some_and(|bound| bound.has(key))
    }

    /// Returns the keys of an action.
    pub fn keys(&self, action: Action) -> &[KeySequence] {
        self.bound(action).map_or(&[], |bound| &bound.keys)
    }

    fn bound(&self, action: Action) -> Option<&BoundAction> {
        self.0.iter().find(|bound| bound.binding.action == action)
    }

    /// Returns the first key of an action for people, or how the palette finds it: `: sync`.
    pub fn label(&self, action: Action, ascii: bool) -> String {
        if let Some(first) = self.keys(action).first() {
            return first.label(ascii);
        }
        let word = self.bound(action).map_or("", |bound| bound.binding.word);
        match self.keys(Action::Palette).first() {
            Some(palette) if action != Action::Palette => format!("{} {word}", palette.label(ascii)),
            _ => word.to_owned(),
        }
    }
}
