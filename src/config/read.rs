//! Parses a config file, finds the line of each key, and reports unknown ones.

use super::keys::{KEYS, Key, NAMED_KEYS, RENAMED};
use super::{Config, Environment, KeyOrigins, Problem, env};
use crate::domain::plan::PlanName;
use crate::domain::suggest::nearest;
use std::path::Path;
use toml::de::DeTable;

/// Applies the file's `text` to `config`, records the line of each key in `given`, and returns all mistakes: those of the
/// file ordered by line, then those of `environment`, whose variables override the file.
pub(super) fn file(
    config: &mut Config,
    given: &mut KeyOrigins,
    (path, text): (&Path, &str),
    environment: &Environment,
) -> Vec<Problem> {
    let walk = ConfigFile { path, text };
    let mut found: Vec<(usize, Problem)> = Vec::new();
    let of_variables;
    match DeTable::parse(text) {
        Ok(table) => {
            walk.table(table.get_ref(), "", config, given, &mut found);
            walk.key_bindings(table.get_ref(), config);
            of_variables = env::apply(config, given, environment);
            // A plan may be made by a variable.
            walk.plans(table.get_ref(), config, &mut found);
            walk.timetables(table.get_ref(), config, &mut found);
            walk.sinks(table.get_ref(), config, &mut found);
            walk.renamed(table.get_ref(), config, &mut found);
        }
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            found.push(walk.problem(at, format!("is not TOML: {}", error.message())));
            of_variables = env::apply(config, given, environment);
        }
    }
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().map(|(_, problem)| problem).chain(of_variables).collect()
}

struct ConfigFile<'a> {
    path: &'a Path,
    text: &'a str,
}

impl ConfigFile<'_> {
    fn table(
        &self,
        table: &DeTable<'_>,
        section: &str,
        config: &mut Config,
        given: &mut KeyOrigins,
        found: &mut Vec<(usize, Problem)>,
    ) {
        for (name, value) in table {
            let at = name.span().start;
            let path = match section {
                "" => name.get_ref().to_string(),
                section => format!("{section}.{}", name.get_ref()),
            };
            let is_section =
                KEYS.iter().any(|key| key.name.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.')))
                    || NAMED_KEYS.iter().any(|key| key.has_section(&path));
            let named = NAMED_KEYS.iter().find_map(|key| Some((key, key.name_in(&path)?)));
            let today = RENAMED.iter().find(|(old, _)| *old == path).map_or(path.as_str(), |(_, new)| *new);
            if let Some(Key { name, set, .. }) = KEYS.iter().find(|key| key.name == today) {
                given.set(name, self.origin_at(at));
                if let Err(wrong) = set(config, value.get_ref()) {
                    found.push(self.problem(at, format!("{path} {wrong}")));
                }
            } else if let Some((key, own)) = named {
                if let Err(wrong) = (key.set)(config, own, value.get_ref()) {
                    found.push(self.problem(at, format!("{path} {wrong}")));
                }
            } else if let (true, Some(inner)) = (is_section, value.get_ref().as_table()) {
                if let Some(plan) = path.strip_prefix("plans.") {
                    // A plan without keys is a plan too: its documents are synced only on request.
                    if let Err(wrong) = config.plan(plan) {
                        found.push(self.problem(at, format!("{path} {wrong}")));
                        continue;
                    }
                }
                self.table(inner, &path, config, given, found);
            } else if is_section {
                found.push(self.problem(at, format!("{path} is a section: write its keys under [{path}]")));
            } else {
                found.push(self.problem(at, unknown(&path, value.get_ref().is_table())));
            }
        }
    }

    /// Records the lines of the console's keys, and orders them by line.
    fn key_bindings(&self, table: &DeTable<'_>, config: &mut Config) {
        let at = |action: &str| position(table, &format!("keys.{action}")).unwrap_or_default();
        for binding in &mut config.keys {
            binding.origin = self.origin_at(at(&binding.action));
        }
        config.keys.sort_by_key(|binding| at(&binding.action));
    }

    /// Reports plans with both an interval and times.
    fn timetables(&self, table: &DeTable<'_>, config: &mut Config, found: &mut Vec<(usize, Problem)>) {
        let plans = table.get("plans").and_then(|section| section.get_ref().as_table());
        for (key, _) in plans.into_iter().flatten() {
            let plan = PlanName::new(key.get_ref()).and_then(|name| config.plans().plans.get(&name).cloned());
            if plan.is_some_and(|plan| plan.cadence.is_some() && plan.at.is_some()) {
                let message = format!("plans.{} has both every and at; remove one of them", key.get_ref());
                found.push(self.problem(key.span().start, message));
            }
        }
    }

    /// Reports `plans.default` and `accounts` entries that name a plan which does not exist.
    fn plans(&self, table: &DeTable<'_>, config: &mut Config, found: &mut Vec<(usize, Problem)>) {
        let section = |name: &str| table.get(name).and_then(|section| section.get_ref().as_table());
        let default = section("plans").and_then(|plans| plans.get_key_value("default"));
        let accounts = section("accounts").into_iter().flatten();
        for (key, value) in accounts.chain(default) {
            let Some(plan) = value.get_ref().as_str().and_then(PlanName::new) else { continue };
            let plans = &config.plans().plans;
            if plans.contains_key(&plan) {
                continue;
            }
            let parent = if key.get_ref() == "default" { "plans.default" } else { "accounts" };
            let known: Vec<&str> = plans.keys().map(PlanName::as_str).collect();
            let suggestion = match nearest(plan.as_str(), known.iter().copied()) {
                Some(suggestion) => format!("did you mean \"{suggestion}\"?"),
                None if known.is_empty() => format!("no plan is set up; add a section [plans.{plan}]"),
                None => format!("known plans: {}", known.join(", ")),
            };
            let path = if parent == "accounts" { format!("accounts.{}", key.get_ref()) } else { parent.to_owned() };
            found.push(self.problem(key.span().start, format!("{path}: there is no plan \"{plan}\" ({suggestion})")));
        }
    }

    /// Reports sections of sinks that are not complete.
    fn sinks(&self, table: &DeTable<'_>, config: &Config, found: &mut Vec<(usize, Problem)>) {
        let sinks = table.get("notify").and_then(|section| section.get_ref().as_table());
        for (name, _) in sinks.into_iter().flatten().filter(|(_, value)| value.get_ref().is_table()) {
            // A mistake in the section may be the reason.
            let path = format!("notify.{}.", name.get_ref());
            if found.iter().any(|(_, problem)| problem.message.starts_with(&path)) {
                continue;
            }
            if let Some(missing) = config.notify.incomplete(name.get_ref()) {
                found.push(self.problem(name.span().start, format!("notify.{} {missing}", name.get_ref())));
            }
        }
    }

    /// Reports keys under their old names: as a warning, or as a mistake if the new name is set too.
    fn renamed(&self, table: &DeTable<'_>, config: &mut Config, found: &mut Vec<(usize, Problem)>) {
        for (old, new) in RENAMED {
            let Some(at) = position(table, old) else { continue };
            match position(table, new) {
                Some(other) => {
                    let other = self.origin_at(other);
                    let message = format!("{old} is the old name of {new}, which is also set ({other}); remove {old}");
                    found.push(self.problem(at, message));
                }
                None => {
                    let message = format!("{old} is now called {new}; rename the key");
                    config.warnings.push(Problem { origin: self.origin_at(at), message });
                }
            }
        }
    }

    fn problem(&self, at: usize, message: String) -> (usize, Problem) {
        (at, Problem { origin: self.origin_at(at), message })
    }

    /// Returns the file's name and the line number of the byte offset `at`, such as `config.toml:12`.
    fn origin_at(&self, at: usize) -> String {
        let line = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        format!("{}:{line}", self.path.display())
    }
}

/// Returns the byte offset in the file at which the key with this path stands; `None` when the file does not have the
/// key.
fn position(table: &DeTable<'_>, path: &str) -> Option<usize> {
    let (section, name) = path.rsplit_once('.')?;
    let section = section.split('.').try_fold(table, |table, name| table.get(name)?.get_ref().as_table())?;
    Some(section.get_key_value(name)?.0.span().start)
}

/// Returns the message about a key or section that is not known, with the likeliest one that is.
pub(super) fn unknown(path: &str, is_table: bool) -> String {
    let last = |name: &'static str| name.rsplit_once('.').map_or(name, |(_, last)| last);
    let own = path.rsplit_once('.').map_or(path, |(_, last)| last);
    let sections = KEYS.iter().filter_map(|key| key.name.split_once('.').map(|(section, _)| section));
    let suggestion = if is_table {
        nearest(path, sections).map(str::to_owned)
    } else {
        let own_plans = path.split('.').next() == Some("plans");
        let mut named = NAMED_KEYS.iter().map(|key| key.name).filter(|name| own_plans && name.starts_with("plans."));
        if let Some(suggestion) = named.find(|name| nearest(own, std::iter::once(last(name))).is_some()) {
            return format!("unknown key {path} (did you mean {suggestion}?)");
        }
        // The right name in the wrong section is likelier than a misspelt name.
        let by_last = KEYS.iter().find(|key| last(key.name) == own).map(|key| key.name);
        by_last.or_else(|| nearest(path, KEYS.iter().map(|key| key.name))).map(str::to_owned)
    };
    let kind = if is_table { "section" } else { "key" };
    match suggestion {
        Some(suggestion) => format!("unknown {kind} {path} (did you mean {suggestion}?)"),
        None => format!("unknown {kind} {path} (`quarterdeck config` prints all {kind}s)"),
    }
}
