//! Values of the keys that file and environment set, to tell which have changed when they are read again.

use super::keys::{KEYS, KeyEffect, NAMED_KEYS, RENAMED};
use super::listing::{FileEntry, walk};
use super::{Config, DefaultPaths, Environment, Flags, env};
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use toml::de::DeTable;

/// Digest of the value of each key that is set. Secrets are in it only as digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyValues(BTreeMap<String, u64>);

impl KeyValues {
    /// Reads the values of the file and of the environment; of a file that cannot be read there are none.
    pub fn read(paths: &DefaultPaths, environment: &Environment, flags: &Flags) -> Self {
        let (path, _) = Config::file(paths, environment, flags);
        Self::of(&std::fs::read_to_string(path).unwrap_or_default(), environment)
    }

    fn of(text: &str, environment: &Environment) -> Self {
        let mut values = BTreeMap::new();
        if let Ok(table) = DeTable::parse(text) {
            walk(table.get_ref(), "", &mut |path, entry| {
                let name = RENAMED.iter().find(|(old, _)| *old == path).map_or(path, |(_, new)| *new);
                if let FileEntry::Key(value) = entry {
                    values.insert(name.to_owned(), digest(&value));
                }
            });
        }
        for variable in env::variables(environment).0 {
            values.insert(variable.key.clone(), digest(&variable.text()));
        }
        Self(values)
    }

    /// Returns the keys whose values differ, with the time at which they take effect.
    pub fn changes(&self, later: &Self) -> Vec<(String, KeyEffect)> {
        let keys: std::collections::BTreeSet<&String> = self.0.keys().chain(later.0.keys()).collect();
        let changed = keys.into_iter().filter(|key| self.0.get(*key) != later.0.get(*key));
        changed.map(|key| (key.clone(), effect(key))).collect()
    }
}

fn effect(path: &str) -> KeyEffect {
    let fixed = KEYS.iter().find(|key| key.name == path).map(|key| key.effect);
    let named = || NAMED_KEYS.iter().find(|key| key.name_in(path).is_some()).map(|key| key.effect);
    fixed.or_else(named).unwrap_or(KeyEffect::AtStart)
}

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::Secret;

    fn values(text: &str, variables: &[(&str, &str)]) -> KeyValues {
        let named = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
        KeyValues::of(text, &Environment { values: named.collect(), ..Environment::default() })
    }

    #[test]
    fn changed_keys_are_named_with_the_time_of_their_effect() {
        let before = values("[fetch]\nmax_redirects = 3\nsources = []\n[redis]\nkey = \"a{id}\"\n", &[]);
        assert_eq!(before.changes(&before.clone()), []);
        let after = values(
            "# a comment\n[fetch]\nmax_redirects = 4\nsites = []\n[plans]\ndaily.every = \"1 day\"\n[redis]\nkey = \"b{id}\"\n",
            &[("QUARTERDECK_LOG__LEVEL", "\"debug\"")],
        );
        let changes = before.changes(&after);
        let at = |effect: KeyEffect| {
            changes.iter().filter(|(_, own)| *own == effect).map(|(key, _)| key.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(at(KeyEffect::AtReload), ["fetch.max_redirects", "log.level", "plans.daily.every"]);
        assert_eq!(at(KeyEffect::AtStart), ["redis.key"]);
        assert!(!format!("{after:?}").contains("b{id}"));
    }
}
