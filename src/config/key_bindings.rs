//! Reads `[keys]`, the keys of the console's actions. The console knows the actions and the names of keys, and checks
//! both.

use super::readers::{InvalidValue, describe, list, text};
use toml::de::DeValue;

/// A line of `[keys]`: the keys of an action, in place of its default keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBinding {
    /// The action's name as written.
    pub action: String,
    /// The keys as written; none for an action without a key.
    pub keys: Vec<String>,
    /// Origin of the line: the file with the line number, or a variable.
    pub origin: String,
}

/// Sets the keys of an action: a key, or a list of keys. A later call replaces an earlier one.
pub(super) fn set(bindings: &mut Vec<KeyBinding>, action: &str, value: &DeValue<'_>) -> Result<(), InvalidValue> {
    let keys = match value {
        DeValue::String(key) => vec![key.to_string()],
        DeValue::Array(_) => list(value, |key| text(key).map(str::to_owned))?,
        other => {
            let what = describe(other);
            return Err(format!(
                "must be a key such as \"S\", or a list such as [\"r\", \"ctrl-r\"] or [], not {what}"
            ));
        }
    };
    bindings.retain(|known| known.action != action);
    bindings.push(KeyBinding { action: action.to_owned(), keys, origin: String::new() });
    Ok(())
}

/// Sets the origin of an action's line.
pub(super) fn set_origin(bindings: &mut [KeyBinding], action: &str, origin: String) {
    if let Some(binding) = bindings.iter_mut().find(|known| known.action == action) {
        binding.origin = origin;
    }
}
