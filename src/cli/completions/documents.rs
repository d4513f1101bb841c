//! Completion of documents by ID and by URL, from the store.

use super::TypedOptions;
use crate::config::{Config, DefaultPaths, Environment, Flags};
use crate::domain::document::DocumentRow;
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::text::fit;
use crate::store::{Access, Options, Sort, Store, StoreError, open_with};
use clap::builder::StyledStr;
use clap_complete::engine::{CompletionCandidate, ValueCompleter};
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// Longest wait for the store: a line is being typed.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most documents that are offered.
const MOST: u64 = 100;
/// Cells of a document's description.
const HELP_CELLS: usize = 60;

/// Completes the documents of a verb.
#[derive(Debug)]
pub(super) struct DocumentCompleter {
    options: TypedOptions,
    /// Filter for the documents that the verb can act on.
    filter: Filter,
}

impl DocumentCompleter {
    pub(super) fn new(verb: &str, options: TypedOptions) -> Self {
        let filter = match verb {
            "accept" | "reject" => "content:review",
            "retry" => "status:failed,waiting,stuck",
            "cancel" => "status:queued,waiting,syncing",
            _ => "",
        };
        Self { options, filter: Filter::parse(filter).unwrap_or_default() }
    }

    /// Reads the documents; none if the settings or the store cannot be read in time.
    fn find(&self, typed: &str) -> Vec<DocumentRow> {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return Vec::new();
        };
        let found = runtime.block_on(async { timeout(PATIENCE, self.read(typed)).await });
        runtime.shutdown_background();
        found.ok().flatten().unwrap_or_default()
    }

    async fn read(&self, typed: &str) -> Option<Vec<DocumentRow>> {
        let flags = Flags {
            store: self.options.store.clone(),
            config: self.options.config.as_ref().map(PathBuf::from),
            ..Flags::default()
        };
        let config = Config::load(&DefaultPaths::find().ok()?, &Environment::read(), &flags).ok()?;
        let store = open_with(&config.store.url, Options::new(Access::Read)).await.ok()?;
        let rows = self.matching(&*store, typed).await;
        store.close().await;
        rows.ok()
    }

    async fn matching(&self, store: &dyn Store, typed: &str) -> Result<Vec<DocumentRow>, StoreError> {
        let mut filter = self.filter.clone();
        if typed.bytes().all(|byte| byte.is_ascii_digit()) {
            if let Some(condition) = begins_with(typed) {
                filter.terms.push(Term { negated: false, condition });
            }
        } else {
            filter.terms.push(Term { negated: false, condition: FilterCondition::Word(typed.to_owned()) });
        }
        let ids = store.matching(&filter, Sort::BY_ID, Some(MOST)).await?;
        store.rows(&ids).await
    }
}

/// Returns the condition for IDs that begin with these digits and have up to two more; `None` without digits.
fn begins_with(digits: &str) -> Option<FilterCondition> {
    let number: i64 = digits.parse().ok().filter(|number| *number < i64::MAX / 1_000)?;
    let tens = (number * 10)..=(number * 10 + 9);
    let hundreds = (number * 100)..=(number * 100 + 99);
    Some(FilterCondition::Id([number].into_iter().chain(tens).chain(hundreds).collect()))
}

impl ValueCompleter for DocumentCompleter {
    fn complete(&self, typed: &OsStr) -> Vec<CompletionCandidate> {
        let typed = typed.to_string_lossy();
        let by_id = typed.bytes().all(|byte| byte.is_ascii_digit());
        let rows = self.find(&typed);
        let candidate = |row: &DocumentRow| {
            let (value, help) = match by_id {
                true => (row.id.to_string(), if row.name.is_empty() { &row.url } else { &row.name }),
                false => (row.url.to_string(), &row.name),
            };
            let help = fit(help, HELP_CELLS);
            value.starts_with(&*typed).then(|| CompletionCandidate::new(value).help(Some(StyledStr::from(help))))
        };
        rows.iter().filter_map(candidate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_for_the_ids_that_begin_with_them() {
        let Some(FilterCondition::Id(ids)) = begins_with("12") else { panic!("ids") };
        assert!(ids.len() == 111 && [12, 120, 129, 1_200, 1_299].iter().all(|id| ids.contains(id)), "{ids:?}");
        assert!(begins_with("").is_none() && begins_with("9223372036854775807").is_none());
    }
}
