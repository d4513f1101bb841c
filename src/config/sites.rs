//! Reads the value of `fetch.sites`: a list of tables, each a rule for one host or one document.

use super::SecretOrSource;
use super::readers::{InvalidValue, list, text, whole};
use crate::domain::credential::{Credential, SecretSource};
use crate::domain::id::DocumentId;
use crate::domain::secret::Secret;
use crate::domain::site_rule::{Extract, FetcherKind, MarkdownUse, SiteRule, SiteRules};
use crate::fetch::check_site;
use toml::de::DeValue;

/// The keys that a rule may have, as messages list them.
const RULE_KEYS: &str = "host or document, fetcher, fallback, extract, include, exclude, ignore, markdown, headers, \
     cookies, basic, bearer";
/// The two forms of a secret value, as messages show them.
pub(super) const SOURCE: &str = "{ env = \"NAME\" } or { file = \"PATH\" }";

/// Reads all rules and checks their selectors and patterns. Returns the first mistake, which is reported at the line of
/// the whole list.
pub(super) fn read(value: &DeValue<'_>) -> Result<SiteRules, InvalidValue> {
    list(value, site).map(SiteRules)
}

fn site(value: &DeValue<'_>) -> Result<SiteRule, InvalidValue> {
    let table = value.as_table().ok_or_else(|| format!("must list tables with {RULE_KEYS}"))?;
    let mut site = SiteRule::default();
    for (name, value) in table {
        let value = value.get_ref();
        let set = match &**name.get_ref() {
            "host" => text(value).map(|host| site.host = Some(host.trim().to_ascii_lowercase())),
            "document" => whole(value, 1..=i64::MAX).map(|id| site.document = Some(DocumentId(id))),
            "fetcher" => fetcher(value).map(|fetcher| site.fetcher = Some(fetcher)),
            "fallback" => fetcher(value).map(|fallback| site.fallback = Some(fallback)),
            "extract" => extract(value).map(|extract| site.extract = extract),
            "include" => texts(value).map(|selectors| site.include = selectors),
            "exclude" => texts(value).map(|selectors| site.exclude = selectors),
            "ignore" => texts(value).map(|patterns| site.ignore = patterns),
            "markdown" => markdown(value).map(|markdown| site.markdown = markdown),
            "headers" => named(value, |name, value| Credential::Header { name, value }, &mut site.credentials),
            "cookies" => named(value, |name, value| Credential::Cookie { name, value }, &mut site.credentials),
            "basic" => basic(value).map(|basic| site.credentials.push(basic)),
            "bearer" => source(value).map(|token| site.credentials.push(Credential::Bearer(token))),
            other => return Err(format!("must list tables with {RULE_KEYS}, not {other}")),
        };
        set.map_err(|wrong| format!("({}) {wrong}", name.get_ref()))?;
    }
    if site.host.is_some() == site.document.is_some() {
        return Err("must list tables with either a host or a document".to_owned());
    }
    check_site(&site)?;
    Ok(site)
}

fn fetcher(value: &DeValue<'_>) -> Result<FetcherKind, InvalidValue> {
    let word = text(value)?;
    FetcherKind::parse(word).ok_or_else(|| must_be_one_of(word, &FetcherKind::ALL.map(FetcherKind::word)))
}

fn markdown(value: &DeValue<'_>) -> Result<MarkdownUse, InvalidValue> {
    let word = text(value)?;
    MarkdownUse::parse(word).ok_or_else(|| must_be_one_of(word, &MarkdownUse::ALL.map(MarkdownUse::word)))
}

/// Reads a table of names and the sources of their values.
fn named(
    value: &DeValue<'_>,
    credential: impl Fn(String, SecretSource) -> Credential,
    credentials: &mut Vec<Credential>,
) -> Result<(), InvalidValue> {
    let table = value.as_table().ok_or_else(|| format!("must be a table such as {{ Name = {SOURCE} }}"))?;
    for (name, value) in table {
        let name = name.get_ref().to_string();
        let source = source(value.get_ref()).map_err(|wrong| format!("{name} {wrong}"))?;
        credentials.push(credential(name, source));
    }
    Ok(())
}

fn basic(value: &DeValue<'_>) -> Result<Credential, InvalidValue> {
    let form = || format!("must be a table such as {{ user = \"ana\", password = {SOURCE} }}");
    let table = value.as_table().ok_or_else(form)?;
    let (mut user, mut password) = (None, None);
    for (name, value) in table {
        match &**name.get_ref() {
            "user" => user = Some(text(value.get_ref()).map_err(|_| form())?.to_owned()),
            "password" => password = Some(source(value.get_ref()).map_err(|wrong| format!("password {wrong}"))?),
            _ => return Err(form()),
        }
    }
    let (user, password) = user.zip(password).ok_or_else(form)?;
    Ok(Credential::Basic { user, password })
}

/// Reads a secret, or the source of one. Messages never repeat it.
pub(super) fn secret_or_source(value: &DeValue<'_>) -> Result<SecretOrSource, InvalidValue> {
    match value.as_str() {
        Some(text) => Ok(SecretOrSource::Value(Secret::new(text))),
        None if value.is_table() => source(value).map(SecretOrSource::Source),
        None => Err(format!("must be a text in quotes, {SOURCE}, not a {}", value.type_str())),
    }
}

/// Reads the source of a secret value. Messages never repeat a value that was written in place of its source.
pub(super) fn source(value: &DeValue<'_>) -> Result<SecretSource, InvalidValue> {
    if value.is_str() {
        return Err(format!("must be {SOURCE}: a secret is not written into this file"));
    }
    let wrong = || format!("must be {SOURCE}");
    let table = value.as_table().filter(|table| table.len() == 1).ok_or_else(wrong)?;
    let (name, value) = table.iter().next().ok_or_else(wrong)?;
    let value = value.get_ref().as_str().filter(|value| !value.trim().is_empty()).ok_or_else(wrong)?;
    match &**name.get_ref() {
        "env" if !value.contains(['=', '\0']) => Ok(SecretSource::Env(value.to_owned())),
        "file" => Ok(SecretSource::File(value.into())),
        _ => Err(wrong()),
    }
}

fn extract(value: &DeValue<'_>) -> Result<Extract, InvalidValue> {
    let word = text(value)?;
    Extract::parse(word).ok_or_else(|| must_be_one_of(word, &Extract::ALL.map(Extract::word)))
}

/// Returns a message that lists the valid words.
fn must_be_one_of(word: &str, known: &[&str]) -> InvalidValue {
    let known: Vec<String> = known.iter().map(|known| format!("\"{known}\"")).collect();
    format!("must be {}, not \"{word}\"", known.join(" or "))
}

fn texts(value: &DeValue<'_>) -> Result<Vec<String>, InvalidValue> {
    list(value, |value| text(value).map(str::to_owned))
}
