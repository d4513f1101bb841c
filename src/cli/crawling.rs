//! Follows the way in which Chatwoot fetches pages, on its database.

use crate::chatwoot::crawling::{API_KEY, Crawling, PROVIDER};
use crate::config::Config;
use crate::domain::finding::Finding;
use crate::fetch::DEFAULT_API_VERSION;
use crate::format;
use crate::runner::firecrawl_access;
use crate::store::{Store, StoreError};

/// Returns the settings with which this process fetches pages: those of `config`, and on a database of Chatwoot the
/// access to Firecrawl that its settings have now, unless `config` has a key or does not follow them.
pub(super) async fn followed(config: &Config, store: &dyn Store) -> Result<Config, StoreError> {
    let mut config = config.clone();
    let follows = config.runner.follows_installation && config.fetch.firecrawl.api_key.is_none();
    if follows && store.is_chatwoot_database() {
        config.fetch.firecrawl.followed = firecrawl_access(&store.crawling().await?);
    }
    Ok(config)
}

/// Returns the cost of fetching `documents` pages with these settings, for a preview; `None` without Firecrawl. A page
/// costs one credit; rules of sites may name another way for some.
pub(super) fn cost(config: &Config, documents: usize) -> Option<u64> {
    config.fetch.firecrawl.is_used().then_some(documents as u64)
}

/// Describes a number of credits.
pub(super) fn firecrawl_credits(credits: u64) -> String {
    format!("{} of Firecrawl", format::count(credits, "credit"))
}

/// Returns the finding about the way in which pages are fetched; `None` if the store is not Chatwoot's.
pub(super) async fn finding(config: &Config, store: &dyn Store) -> Option<Finding> {
    const CHECK: &str = "crawling";
    if !store.is_chatwoot_database() {
        return None;
    }
    let theirs = match store.crawling().await {
        Ok(theirs) => theirs,
        Err(error) => return Some(Finding::warn(CHECK, error.to_string(), "run doctor again")),
    };
    let own = config.fetch.firecrawl.api_key.is_some();
    let keep = "set fetch.firecrawl.api_key, or leave it so if these texts are wanted";
    Some(match theirs {
        _ if own => Finding::ok(CHECK, "pages are fetched by Firecrawl, with the key of fetch.firecrawl.api_key"),
        Crawling::Firecrawl { version, .. } if config.runner.follows_installation => {
            let (used, from) = match (config.fetch.firecrawl.version, version) {
                (Some(own), _) => (own, "by fetch.firecrawl.version"),
                (None, Some(theirs)) => (theirs, "by the age of this Chatwoot"),
                (None, None) => (DEFAULT_API_VERSION, "as the age of this Chatwoot is not known"),
            };
            Finding::ok(
                CHECK,
                format!(
                    "pages are fetched by Firecrawl, as Chatwoot does, with its key ({API_KEY}) and version {used} of \
                     the API, {from}; a page costs 1 credit"
                ),
            )
        }
        Crawling::Firecrawl { .. } => Finding::warn(
            CHECK,
            format!(
                "Chatwoot fetches pages by Firecrawl ({API_KEY}), and they are fetched directly here: texts differ"
            ),
            "set fetch.from_installation = true to follow it",
        ),
        Crawling::Direct => Finding::ok(CHECK, "pages are fetched directly, as Chatwoot does"),
        Crawling::KeyMissing => Finding::warn(
            CHECK,
            format!("{PROVIDER} is firecrawl, and there is no {API_KEY}: pages are fetched directly"),
            "set the key in Chatwoot",
        ),
        Crawling::Unknown(provider) => Finding::warn(
            CHECK,
            format!(
                "Chatwoot fetches pages by {provider} ({PROVIDER}), which is not followed: they are fetched directly"
            ),
            keep,
        ),
        Crawling::Unreadable(reason) => Finding::warn(
            CHECK,
            format!("{reason}, so it is not known how Chatwoot fetches pages: they are fetched directly"),
            "GRANT SELECT ON installation_configs to this role",
        ),
    })
}
