//! Keys that are pressed one after the other, and their names in the config file.

use super::key::Key;

/// Most keys of a sequence.
const MAX_KEYS: usize = 3;

/// A sequence of one to three keys that are pressed one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySequence(Vec<Key>);

impl KeySequence {
    /// Returns the sequence of one key.
    pub fn one(key: Key) -> Self {
        Self(vec![key])
    }

    /// Reads the names of keys with spaces between them, such as `space q`. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let keys: Vec<Key> = text.split_whitespace().map(Key::parse).collect::<Result<_, _>>()?;
        match keys.len() {
            0 => Err("an empty text is no key; [] is no key at all, and space is the space bar".to_owned()),
            1..=MAX_KEYS => Ok(Self(keys)),
            _ => Err(format!("{text} has more than {MAX_KEYS} keys")),
        }
    }

    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// Returns the keys that follow `typed`; `None` if the sequence does not begin with it, or is no longer.
    pub fn after(&self, typed: &[Key]) -> Option<&[Key]> {
        self.0.strip_prefix(typed).filter(|rest| !rest.is_empty())
    }

    /// Returns true if one of the two begins with the other, so that both cannot be keys in one scope.
    pub fn clashes_with(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0) || other.0.starts_with(&self.0)
    }

    /// Returns the names of the keys for people, such as `space q`; ASCII only with `ascii`.
    pub fn label(&self, ascii: bool) -> String {
        label(&self.0, ascii)
    }
}

/// Returns the names of keys that are pressed one after the other.
pub fn label(keys: &[Key], ascii: bool) -> String {
    keys.iter().map(|key| key.label(ascii)).collect::<Vec<_>>().join(" ")
}

/// Returns the names of several sequences, with commas where one of them has several keys.
pub fn labels(sequences: &[KeySequence], ascii: bool) -> String {
    let is_plain = sequences.iter().all(|sequence| sequence.0.len() == 1);
    let separator = if is_plain { " " } else { ", " };
    sequences.iter().map(|sequence| sequence.label(ascii)).collect::<Vec<_>>().join(separator)
}
