//! Reads the values of the secrets that site rules name, from the environment and from files.

use super::{Environment, Problem};
use crate::domain::credential::{SecretSource, SecretValues};
use crate::domain::secret::Secret;
use crate::domain::site_rule::SiteRules;
use crate::fetch::check_credentials;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

/// Maximum number of bytes of a file with a secret. Headers of this size are refused by most servers anyway.
const MAX_BYTES: u64 = 64 * 1024;

/// Reads the values of all sources that `sites` name. `dir` is the directory of the config file, to which the paths are
/// relative. A missing value is no mistake: this process then fetches no document that needs it.
pub(super) fn read(sites: &SiteRules, environment: &Environment, dir: &Path) -> SecretValues {
    let mut values = SecretValues::default();
    for source in sites.0.iter().flat_map(|site| &site.credentials).map(|credential| credential.source()) {
        if !values.0.contains_key(source) {
            values.0.insert(source.clone(), value_of(source, environment, dir));
        }
    }
    values
}

/// Reads the value of a source, or returns why it has none. `dir` is the directory of the config file.
pub(super) fn value_of(source: &SecretSource, environment: &Environment, dir: &Path) -> Result<Secret, String> {
    match source {
        SecretSource::Env(name) => environment.values.get(name).cloned().ok_or_else(|| "is not set".to_owned()),
        SecretSource::File(path) => file(&dir.join(path)),
    }
}

/// Returns the mistakes in the values: characters that a header cannot have. No message repeats a value.
pub(super) fn problems(sites: &SiteRules, values: &SecretValues, origin: &str) -> Vec<Problem> {
    let wrong = |site| check_credentials(site, values).err();
    let problem = |wrong| Problem { origin: origin.to_owned(), message: format!("fetch.sites {wrong}") };
    sites.0.iter().filter_map(wrong).map(problem).collect()
}

/// Reads a file with a secret, without the line break at its end.
pub(super) fn file(path: &Path) -> Result<Secret, String> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    if let Err(error) = read {
        return Err(format!("cannot be read: {error}"));
    }
    if text.len() as u64 > MAX_BYTES {
        return Err(format!("has more than {MAX_BYTES} bytes"));
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.is_empty() { Err("is empty".to_owned()) } else { Ok(Secret::new(value)) }
}
