//! The environment, and settings from its variables: `QUARTERDECK_FETCH__MAX_BODY` sets the key `fetch.max_body`, and
//! `QUARTERDECK_FETCH__MAX_BODY_FILE` names a file with its text. Every key of [`KEYS`] and [`NAMED_KEYS`] has its
//! variable, except those of sinks. Other names without two underscores in a row are not looked at.

use super::keys::{KEYS, NAMED_KEYS, NamedKey};
use super::listing::SECRET_KEYS;
use super::read::unknown;
use super::readers::InvalidValue;
use super::{Config, KeyOrigins, Problem, key_bindings, secrets};
use crate::domain::id::AccountId;
use crate::domain::plan::PlanName;
use crate::domain::secret::Secret;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::de::DeValue;

const PREFIX: &str = "QUARTERDECK_";
/// End of the name of a variable that names a file.
const FILE_SUFFIX: &str = "_FILE";
/// Variables that set a key under a shorter name.
const SHORT_NAMES: [(&str, &str); 2] = [("QUARTERDECK_STORE", "store.url"), ("QUARTERDECK_REDIS", "redis.url")];

/// Settings from the environment. The variables `DATABASE_URL` and `REDIS_URL` are not read: nothing may be written to
/// a database that was not named for this program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Value of `QUARTERDECK_STORE`.
    pub store: Option<String>,
    /// Value of `QUARTERDECK_REDIS`.
    pub redis: Option<String>,
    /// Value of `QUARTERDECK_CONFIG`.
    pub config: Option<PathBuf>,
    /// Values of all variables, any of which a site rule may name as a secret.
    pub values: BTreeMap<String, Secret>,
}

impl Environment {
    /// Returns the variables that set keys of the file, each with its key.
    pub fn keys(&self) -> Vec<(String, String)> {
        let (variables, _) = variables(self);
        variables.into_iter().map(|variable| (variable.name.to_owned(), variable.key)).collect()
    }

    /// Reads this process's environment. An empty variable counts as not set.
    pub fn read() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let named = |(name, value): (OsString, OsString)| {
            (name.to_string_lossy().into_owned(), Secret::new(value.to_string_lossy()))
        };
        Self {
            store: variable("QUARTERDECK_STORE").map(|value| value.to_string_lossy().into_owned()),
            redis: variable("QUARTERDECK_REDIS").map(|value| value.to_string_lossy().into_owned()),
            config: variable("QUARTERDECK_CONFIG").map(PathBuf::from),
            values: std::env::vars_os().filter(|(_, value)| !value.is_empty()).map(named).collect(),
        }
    }
}

/// A variable that sets a key.
#[derive(Debug)]
pub(super) struct KeyVariable<'a> {
    pub(super) name: &'a str,
    /// Path of the key, such as `fetch.max_body`.
    pub(super) key: String,
    value: &'a Secret,
    /// The value is the path of a file.
    is_file: bool,
}

/// Returns the variables that set keys, and the mistakes in names of others that look like them.
pub(super) fn variables(environment: &Environment) -> (Vec<KeyVariable<'_>>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for (name, value) in &environment.values {
        let Some(rest) = name.strip_prefix(PREFIX).filter(|rest| rest.contains("__")) else { continue };
        let path = |rest: &str| rest.split("__").map(str::to_lowercase).collect::<Vec<_>>().join(".");
        let is_capital = !rest.chars().any(char::is_lowercase);
        let of_file = rest.strip_suffix(FILE_SUFFIX).map(path);
        match (path(rest), of_file) {
            (key, _) if is_capital && is_key(&key) => found.push(KeyVariable { name, key, value, is_file: false }),
            (_, Some(key)) if is_capital && is_key(&key) => {
                found.push(KeyVariable { name, key, value, is_file: true });
            }
            _ if !is_capital => problems.push(problem(name, "has to be in capitals".to_owned())),
            (key, _) => problems.push(problem(name, unknown(&key, false))),
        }
    }
    (found, problems)
}

/// Applies the variables to `config`, and returns the mistakes. No message repeats a value that may be secret.
pub(super) fn apply(config: &mut Config, given: &mut KeyOrigins, environment: &Environment) -> Vec<Problem> {
    let (variables, mut problems) = variables(environment);
    for variable in &variables {
        let KeyVariable { name, key, is_file, .. } = variable;
        if let Some(other) = variables.iter().find(|other| other.key == *key && other.name != *name) {
            if !is_file {
                problems.push(problem(name, format!("{} is set, too; remove one of them", other.name)));
            }
            continue;
        }
        let short = SHORT_NAMES.iter().find(|(short, of)| of == key && is_set(environment, short));
        if let Some((short, _)) = short {
            problems.push(problem(name, format!("{short} is set, too; remove one of them")));
            continue;
        }
        if let Err(wrong) = variable.set(config, given) {
            problems.push(problem(name, wrong));
        }
    }
    for variable in variables.iter().filter(|variable| variable.key.starts_with("accounts.")) {
        let account = variable.key.trim_start_matches("accounts.").parse().map(AccountId);
        let plan = account.ok().and_then(|account| config.schedule.terms.plans.accounts.get(&account));
        problems.extend(plan.and_then(|plan| missing_plan(config, variable, plan)));
    }
    for variable in variables.iter().filter(|variable| variable.key == "plans.default") {
        let plan = config.schedule.terms.plans.default.as_ref();
        problems.extend(plan.and_then(|plan| missing_plan(config, variable, plan)));
    }
    problems
}

impl KeyVariable<'_> {
    /// Returns what the variable or its file says; the path of a file that cannot be read.
    pub(super) fn text(&self) -> String {
        let text = self.value.reveal();
        let read = self.is_file.then(|| secrets::file(Path::new(text)).ok()).flatten();
        read.map_or_else(|| text.to_owned(), |secret| secret.reveal().to_owned())
    }

    fn set(&self, config: &mut Config, given: &mut KeyOrigins) -> Result<(), InvalidValue> {
        let from_file = match self.is_file {
            true => Some(secrets::file(Path::new(self.value.reveal()))?),
            false => None,
        };
        let parsed;
        let value = match &from_file {
            Some(text) => &DeValue::String(text.reveal().into()),
            None => {
                parsed = DeValue::parse(self.value.reveal()).map_err(|_| not_toml(self.name))?;
                parsed.get_ref()
            }
        };
        let set = if let Some(key) = KEYS.iter().find(|key| key.name == self.key) {
            given.set(key.name, self.name.to_owned());
            (key.set)(config, value)
        } else {
            let named = NAMED_KEYS.iter().find_map(|key| Some((key, key.name_in(&self.key)?)));
            let set = named.map_or(Ok(()), |(key, own)| (key.set)(config, own, value));
            if let Some(action) = self.key.strip_prefix("keys.") {
                key_bindings::set_origin(&mut config.keys, action, self.name.to_owned());
            }
            set
        };
        let is_secret = self.is_file || SECRET_KEYS.contains(&self.key.as_str());
        set.map_err(|wrong| match wrong.split_once(", not ") {
            Some((must, _)) if is_secret => must.to_owned(),
            _ => wrong,
        })
    }
}

fn not_toml(name: &str) -> InvalidValue {
    format!("must be a TOML value; a text needs quotes of its own: {name}='\"text\"'")
}

fn is_set(environment: &Environment, short: &str) -> bool {
    match short {
        "QUARTERDECK_STORE" => environment.store.is_some(),
        _ => environment.redis.is_some(),
    }
}

/// Returns true for a key that has a variable. Sinks of notifications, which start programs, come from the file alone.
fn is_key(path: &str) -> bool {
    let is_named = |key: &NamedKey| !key.is_of_sink() && key.name_in(path).is_some();
    KEYS.iter().any(|key| key.name == path) || NAMED_KEYS.iter().any(is_named)
}

fn missing_plan(config: &Config, variable: &KeyVariable<'_>, plan: &PlanName) -> Option<Problem> {
    let plans = &config.schedule.terms.plans.plans;
    let missing = !plans.contains_key(plan);
    missing.then(|| problem(variable.name, format!("there is no plan \"{}\"", plan.as_str())))
}

fn problem(name: &str, message: String) -> Problem {
    Problem { origin: name.to_owned(), message }
}
