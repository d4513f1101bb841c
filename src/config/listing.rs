//! The keys of a config file for others to read: without comments, and without what may be secret.

use super::Config;
use super::keys::{NAMED_KEYS, RENAMED};
use toml::de::{DeTable, DeValue};

/// Text in place of a value that may be secret.
const HIDDEN: &str = "***";
/// Keys with a secret as their value. Values of unknown keys are left out as well: they may be misspelt ones of these.
pub(super) const SECRET_KEYS: [&str; 3] = ["redis.sentinel_password", "fetch.firecrawl.api_key", "errors.sentry_dsn"];

/// Returns each key of the file with its value, one per line. Passwords in URLs are still there; the caller masks them.
/// A text that is not TOML yields no key.
pub(super) fn listing(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        walk(table.get_ref(), "", &mut |path, entry| {
            lines.push(match entry {
                FileEntry::Key(_) if SECRET_KEYS.contains(&path) || is_secret_of_sink(path) => {
                    format!("{path} = {HIDDEN}")
                }
                FileEntry::Key(value) => format!("{path} = {value}"),
                FileEntry::Unknown => format!("{path} = {HIDDEN} (unknown key)"),
            });
        });
    }
    lines
}

/// An entry of a config file.
pub(super) enum FileEntry {
    /// A known key, with its value as text; it may be a secret.
    Key(String),
    Unknown,
}

/// Passes each key of the table with its path to `visit`.
pub(super) fn walk(table: &DeTable<'_>, section: &str, visit: &mut impl FnMut(&str, FileEntry)) {
    for (name, value) in table {
        let path = match section {
            "" => name.get_ref().to_string(),
            section => format!("{section}.{}", name.get_ref()),
        };
        let is_known = Config::keys().any(|key| key == path) || RENAMED.iter().any(|(old, _)| *old == path);
        let is_known = is_known || NAMED_KEYS.iter().any(|key| key.name_in(&path).is_some());
        match value.get_ref() {
            value if is_known => visit(&path, FileEntry::Key(shown(value))),
            DeValue::Table(inner) => walk(inner, &path, visit),
            _ => visit(&path, FileEntry::Unknown),
        }
    }
}

/// Returns true for the keys of sinks that may have a secret: URLs of webhooks, and arguments of commands.
fn is_secret_of_sink(path: &str) -> bool {
    path.starts_with("notify.") && [".url", ".argv"].iter().any(|end| path.ends_with(end))
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(list) => {
            format!("[{}]", list.iter().map(|value| shown(value.get_ref())).collect::<Vec<_>>().join(", "))
        }
        DeValue::Table(table) => {
            let pair = |(name, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| -> String {
                let name: &std::borrow::Cow<'_, str> = name.get_ref();
                format!("{name} = {}", shown(value.get_ref()))
            };
            format!("{{ {} }}", table.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_comments_and_unknown_values_are_left_out() {
        let text = "# hunter1\nfetch.max_redirects = 3\nfetch.firecrawl.api_key = \"hunter2\"\n\
             [redis]\nsentinel_password = \"hunter3\"\nsentinel_pasword = \"hunter4\"\nlock = \"off\"\n\
             [errors]\nsentry_dsn = { file = \"hunter5\" }\n[plans]\nbusiness.every = \"1 week\"\n\
             [keys]\nsync = [\"S\", \"f5\"]\n\
             [notify.ops]\nurl = \"https://hooks.test/hunter6\"\nargv = [\"/bin/x\", \"hunter7\"]\n";
        let lines = listing(text);
        assert!(!lines.concat().contains("hunter"), "{lines:?}");
        for line in [
            "fetch.max_redirects = 3",
            "redis.lock = \"off\"",
            "plans.business.every = \"1 week\"",
            "keys.sync = [\"S\", \"f5\"]",
        ] {
            assert!(lines.iter().any(|known| known == line), "{line} in {lines:?}");
        }
        assert!(listing("no toml").is_empty());
    }
}
