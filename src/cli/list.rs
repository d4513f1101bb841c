//! `quarterdeck list`: prints documents as a table or as JSON lines.

use super::console::saved_filter;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::pause::{pauses_document, report_pauses};
use super::selection::read_filter;
use super::table::DocumentTable;
use crate::domain::filter::{Filter, Subject};
use crate::format::DocumentJson;
use crate::store::{Sort, SortBy, Store};
use crate::tui::SAVED_SIGN;
use std::collections::HashSet;

/// Number of documents whose rows are read by one query.
const BATCH_SIZE: usize = 1_000;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print only documents that match this filter; @NAME is one that the console has saved
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// id, status, name, url, error, attempted, synced or next; a leading - reverses the order
    #[arg(long, value_name = "COLUMN", default_value = "id", allow_hyphen_values = true, value_parser = read_sort)]
    pub sort: Sort,
    /// Print at most N documents
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// Columns that `--sort` takes.
const COLUMNS: [(&str, SortBy); 8] = [
    ("id", SortBy::Id),
    ("status", SortBy::Status),
    ("name", SortBy::Name),
    ("url", SortBy::Url),
    ("error", SortBy::Error),
    ("attempted", SortBy::Attempted),
    ("synced", SortBy::Synced),
    ("next", SortBy::Next),
];

/// Returns the values of `--sort` that begin with `typed`.
pub(super) fn sort_completions(typed: &str) -> Vec<String> {
    let sign = if typed.starts_with('-') { "-" } else { "" };
    COLUMNS.iter().map(|(name, _)| format!("{sign}{name}")).filter(|value| value.starts_with(typed)).collect()
}

fn read_sort(text: &str) -> Result<Sort, String> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let found = COLUMNS.iter().find(|(column, _)| *column == name);
    let names = || COLUMNS.map(|(name, _)| name).join(", ");
    found.map(|(_, by)| Sort { by: *by, descending }).ok_or_else(|| format!("must be one of {}", names()))
}

/// Returns the filter that the console has saved under a name.
async fn read_saved(store: &dyn Store, name: &str) -> Result<Filter, CliError> {
    match saved_filter(store, name).await {
        Some(text) => read_filter(&text, Subject::Documents),
        None => Err(CliError::Usage(format!(
            "no filter is saved as {SAVED_SIGN}{name} for this store; quotes within the filter look for the word: \
             '\"{SAVED_SIGN}{name}\"'"
        ))),
    }
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let text = args.filter.as_deref().unwrap_or_default();
    let name = text.strip_prefix(SAVED_SIGN).filter(|name| !name.contains(char::is_whitespace));
    // A mistake is reported before a store is opened.
    let typed = name.is_none().then(|| read_filter(text, Subject::Documents)).transpose()?;
    let store = context.readable_store().await?;
    let filter = match typed {
        Some(filter) => filter,
        None => read_saved(&*store, name.unwrap_or_default()).await?,
    };
    let pauses: Vec<_> = store.pauses().await?.into_iter().map(|pause| pause.scope).collect();
    let mut paused = HashSet::new();
    // The order is that of one instant; the rows are read in batches, so that a long list takes little memory and holds
    // up no writer. Each row is current when it is printed, and one that was removed meanwhile is left out.
    let ids = store.matching(&filter, args.sort, args.limit).await?;
    let (mut printed, table) = (0_usize, DocumentTable::for_stdout());
    for ids in ids.chunks(BATCH_SIZE) {
        for row in &store.rows(ids).await? {
            if printed == 0 && !args.json {
                out.line(table.head())?;
            }
            printed += 1;
            paused.extend(pauses.iter().filter(|scope| pauses_document(scope, row)).cloned());
            if args.json {
                out.json(&DocumentJson::from(row))?;
            } else {
                out.line(table.line(row, store.now()))?;
            }
        }
    }
    if !args.json {
        report_pauses(&*store, |scope| paused.contains(scope)).await?;
    }
    store.close().await;
    if printed == 0 && args.limit != Some(0) {
        note(if filter.terms.is_empty() {
            "there are no documents; `quarterdeck add URL` adds one"
        } else {
            "no document matches"
        });
    }
    Ok(Exit::Done)
}
