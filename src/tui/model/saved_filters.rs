//! Filters of documents that a person has saved under a name. `@name` in the prompt for a filter stands for the filter.

use std::collections::{BTreeMap, BTreeSet};

/// Sign before the name of a saved filter.
pub const SIGN: char = '@';
/// Maximum number of saved filters.
const MAX_SAVED: usize = 100;
/// Maximum number of characters of a name.
const MAX_NAME: usize = 32;

/// The saved filters, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SavedFilters {
    filters: BTreeMap<String, String>,
    /// Names that were saved or removed in this console. Of the others, those that are kept in the state file count, since
    /// another console may have changed them.
    changed: BTreeSet<String>,
}

impl SavedFilters {
    /// Returns name and text of each filter, in the order of the names.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.filters.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// Returns true if no filter is saved.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// Returns the filter that a typed text stands for, which is its name with the sign; `None` for another text.
    pub fn named(&self, typed: &str) -> Option<&str> {
        self.filters.get(typed.trim().strip_prefix(SIGN)?).map(String::as_str)
    }

    /// Returns name and text of the filters whose names begin with what is typed after the sign; none for a text without
    /// the sign. A whole name is not narrowed further, so that the list stands still while a person steps through it.
    pub fn offered(&self, typed: &str) -> Vec<(&str, &str)> {
        let Some(begun) = typed.trim().strip_prefix(SIGN) else { return Vec::new() };
        let begun = if self.filters.contains_key(begun) { "" } else { begun };
        self.all().filter(|(name, _)| name.starts_with(begun)).collect()
    }

    /// Saves a filter under a name, in place of an earlier one of that name. The error is the reason why it cannot.
    pub fn save(&mut self, name: &str, text: &str) -> Result<(), String> {
        self.restore(name, text)?;
        self.changed.insert(name.to_owned());
        Ok(())
    }

    /// Adds a filter that an earlier console has saved. The error is the reason why it cannot.
    pub fn restore(&mut self, name: &str, text: &str) -> Result<(), String> {
        if !is_name(name) {
            return Err(format!("a name has 1 to {MAX_NAME} letters, digits, - or _"));
        }
        if self.filters.len() >= MAX_SAVED && !self.filters.contains_key(name) {
            return Err(format!("{MAX_SAVED} filters are saved; -NAME removes one"));
        }
        self.filters.insert(name.to_owned(), text.to_owned());
        Ok(())
    }

    /// Removes a filter. Returns false if there is none of that name.
    pub fn remove(&mut self, name: &str) -> bool {
        let was_saved = self.filters.remove(name).is_some();
        if was_saved {
            self.changed.insert(name.to_owned());
        }
        was_saved
    }

    /// Returns the filters to keep: `kept`, those that are in the state file now, with the changes of this console.
    pub fn merged(&self, kept: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
        let others = kept.into_iter().filter(|(name, _)| !self.changed.contains(name));
        let own = self.filters.iter().filter(|(name, _)| self.changed.contains(*name));
        others.chain(own.map(|(name, text)| (name.clone(), text.clone()))).collect()
    }
}

/// Returns true if a filter can be saved under the name.
fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    name.chars().all(is_part) && !name.starts_with('-') && (1..=MAX_NAME).contains(&name.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_for_its_filter_and_its_beginning_offers_it() {
        let mut saved = SavedFilters::default();
        for (name, text) in [("night", "synced:>1d"), ("nightly", "queue:auto"), ("größe", "kind:pdf")] {
            saved.save(name, text).expect("a name");
        }
        assert_eq!(saved.named("@night"), Some("synced:>1d"));
        assert_eq!(saved.named("@größe "), Some("kind:pdf"));
        for other in ["night", "@", "@nigh", "@night x", ""] {
            assert_eq!(saved.named(other), None, "{other}");
        }
        let offered = |typed| saved.offered(typed).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(offered("@ni"), ["night", "nightly"]);
        assert_eq!(offered("@nightl"), ["nightly"]);
        assert_eq!(offered("@night").len(), 3);
        assert_eq!(offered("ni"), Vec::<&str>::new());
        assert!(saved.remove("night") && !saved.remove("night"));
    }

    #[test]
    fn what_another_console_has_kept_meanwhile_stays() {
        let mut saved = SavedFilters::default();
        for name in ["old", "gone", "theirs"] {
            saved.restore(name, "a").expect("a name");
        }
        saved.save("mine", "b").expect("a name");
        assert!(saved.remove("gone"));
        let kept = [("old", "a"), ("gone", "a"), ("new", "c"), ("mine", "x")];
        let merged = saved.merged(kept.map(|(name, text)| (name.to_owned(), text.to_owned())));
        let merged: Vec<_> = merged.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        // "theirs" was removed by the other console.
        assert_eq!(merged, [("mine", "b"), ("new", "c"), ("old", "a")]);
    }

    #[test]
    fn a_name_is_a_word_and_their_number_is_limited() {
        let mut saved = SavedFilters::default();
        for name in ["", "-x", "a b", "a:b", "@a", &"x".repeat(33)] {
            assert!(saved.save(name, "a").is_err(), "{name}");
        }
        for number in 0..MAX_SAVED {
            saved.save(&format!("n{number}"), "a").expect("there is room");
        }
        assert!(saved.save("one-more", "a").is_err());
        assert!(saved.save("n7", "b").is_ok(), "a name that is taken needs no room");
    }
}
