//! Reads the value of `fetch.sites`: a list of tables, each a rule for one host or one document.

use super::read::{InvalidValue, list, text, whole};
use crate::domain::id::DocumentId;
use crate::domain::site_rule::{Extract, FetcherKind, SiteRule, SiteRules};
use crate::fetch::check_site;
use toml::de::DeValue;

/// The keys that a rule may have, as messages list them.
const RULE_KEYS: &str = "host or document, fetcher, fallback, extract, include, exclude, ignore";

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
