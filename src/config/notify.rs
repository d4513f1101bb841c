//! Reads `[notify.NAME]`, the sinks of notifications, and checks that each is complete.

use super::readers::{InvalidValue, describe, duration, flag, list, text};
use super::secrets::value_of;
use super::{Environment, Problem};
use crate::domain::credential::SecretSource;
use crate::domain::notification::{SigningKey, SinkKind, SinkName, Trigger};
use crate::domain::secret::Secret;
use crate::fetch::AllowedHost;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeValue;
use url::Url;

const DAY: Duration = Duration::from_secs(86_400);

/// Settings of `[notify]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotifySettings {
    /// Hosts and networks of webhooks that are not public.
    pub allow_private_hosts: Vec<AllowedHost>,
    pub sinks: BTreeMap<SinkName, SinkSettings>,
}

/// Settings of one sink.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SinkSettings {
    /// Always set in settings that were loaded.
    pub kind: Option<SinkKind>,
    /// URL of a webhook; it may be the receiver's secret.
    pub url: Option<Secret>,
    /// Program of a command with its arguments; never taken from the environment or from the store.
    pub argv: Vec<String>,
    /// Filters and conditions, of which one must match.
    pub trigger: Trigger,
    /// Shortest time between two deliveries.
    pub quiet: Duration,
    /// True if records have the text of their document.
    pub include_content: bool,
    secret_file: Option<PathBuf>,
    /// Key that signs the records of a webhook; `None` if none is set, or if it could not be read.
    pub key: Option<SigningKey>,
    /// Reason why the key could not be read, without the key. This process then delivers nothing to the sink.
    pub problem: Option<String>,
}

impl NotifySettings {
    /// Reads the value of a key of the sink `name`.
    pub(super) fn set(&mut self, name: &str, key: &str, value: &DeValue<'_>) -> Result<(), InvalidValue> {
        let name = SinkName::new(name).ok_or_else(|| {
            "must be in the section of a sink, such as [notify.ops]; its name has lower-case letters, digits, - and _"
                .to_owned()
        })?;
        let sink = self.sinks.entry(name).or_default();
        match key {
            "kind" => sink.kind = Some(kind(text(value)?)?),
            "url" => sink.url = Some(url(text(value)?)?),
            "argv" => sink.argv = argv(value)?,
            "on" => sink.trigger = trigger(value)?,
            "quiet" => sink.quiet = duration(value, Duration::ZERO..=DAY)?,
            "secret_file" => sink.secret_file = Some(secret_file(text(value)?)?),
            "include_content" => sink.include_content = flag(value)?,
            _ => return Err("is no key of a sink".to_owned()),
        }
        Ok(())
    }

    /// Returns what is missing or superfluous in the section of the sink `name`.
    pub(super) fn incomplete(&self, name: &str) -> Option<String> {
        let sink = SinkName::new(name).and_then(|name| self.sinks.get(&name));
        let Some(sink) = sink else { return Some("needs kind = \"webhook\" or \"command\"".to_owned()) };
        let missing = match sink.kind {
            None => Some("needs kind = \"webhook\" or \"command\""),
            Some(SinkKind::Webhook) if sink.url.is_none() => Some("needs a url, since its kind is \"webhook\""),
            Some(SinkKind::Webhook) if !sink.argv.is_empty() => Some("has an argv, but its kind is \"webhook\""),
            Some(SinkKind::Command) if sink.argv.is_empty() => Some("needs an argv, since its kind is \"command\""),
            Some(SinkKind::Command) if sink.url.is_some() => Some("has a url, but its kind is \"command\""),
            Some(SinkKind::Command) if sink.secret_file.is_some() => {
                Some("has a secret_file, but only webhooks are signed")
            }
            Some(_) if sink.trigger.is_empty() => {
                Some("needs `on`, such as on = \"result:failed\"; on = \"\" is every outcome")
            }
            Some(_) if sink.include_content && !sink.quiet.is_zero() => {
                Some("has include_content and quiet: records with texts are not joined")
            }
            Some(_) => None,
        };
        missing.map(str::to_owned)
    }

    /// Reads the keys that sign records, from files whose paths are relative to the folder of the config file `path`.
    /// Returns a warning for each that cannot be read; that is no mistake in the settings.
    pub(super) fn read_keys(&mut self, environment: &Environment, path: &Path) -> Vec<Problem> {
        let dir = path.parent().unwrap_or(Path::new(""));
        let mut warnings = Vec::new();
        for (name, sink) in &mut self.sinks {
            let Some(file) = &sink.secret_file else { continue };
            let value = value_of(&SecretSource::File(file.clone()), environment, dir);
            let key = value.and_then(|secret| SigningKey::parse(secret.reveal()));
            match key {
                Ok(key) => sink.key = Some(key),
                Err(why) => {
                    let problem = format!("secret_file {} {why}", file.display());
                    let message = format!("notify.{name}: {problem}; this process delivers nothing to it");
                    warnings.push(Problem { origin: path.display().to_string(), message });
                    sink.problem = Some(problem);
                }
            }
        }
        warnings
    }
}

fn kind(word: &str) -> Result<SinkKind, InvalidValue> {
    SinkKind::parse(word).ok_or_else(|| format!("must be \"webhook\" or \"command\", not \"{word}\""))
}

/// Reads the URL of a webhook. Messages never repeat it: it may be the receiver's secret.
fn url(text: &str) -> Result<Secret, InvalidValue> {
    let known = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let known = known.filter(|url| url.username().is_empty() && url.password().is_none());
    let url = known.ok_or_else(|| "must be a URL such as https://hooks.example.org/quarterdeck".to_owned())?;
    Ok(Secret::new(url))
}

fn argv(value: &DeValue<'_>) -> Result<Vec<String>, InvalidValue> {
    let argv = list(value, |value| text(value).map(str::to_owned))?;
    let is_program = argv.first().is_some_and(|program| Path::new(program).is_absolute());
    if !is_program || argv.iter().any(|argument| argument.contains('\0')) {
        return Err("must list the absolute path of a program, then its arguments".to_owned());
    }
    Ok(argv)
}

/// Reads one filter or condition, or a list of them.
fn trigger(value: &DeValue<'_>) -> Result<Trigger, InvalidValue> {
    let alternatives = match value.as_str() {
        Some(one) => vec![one],
        None => value
            .as_array()
            .and_then(|list| list.iter().map(|value| value.get_ref().as_str()).collect::<Option<Vec<_>>>())
            .ok_or_else(|| format!("must be a filter in quotes or a list of them, not {}", describe(value)))?,
    };
    Trigger::parse(alternatives).map_err(|wrong| format!("must be a filter of outcomes or a condition: {wrong}"))
}

fn secret_file(path: &str) -> Result<PathBuf, InvalidValue> {
    if path.is_empty() { Err("must name a file".to_owned()) } else { Ok(PathBuf::from(path)) }
}
