//! `quarterdeck list`: prints documents as a table or as JSON lines.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::pause::{pauses_document, report_pauses};
use super::rows::{DocumentJson, table_head, table_line};
use super::selection::read_filter;
use crate::domain::filter::Subject;
use crate::store::{PagePosition, PageQuery, Sort, SortBy};
use std::collections::HashSet;

/// Maximum number of rows read by one query.
const PAGE_SIZE: u64 = 1_000;

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print only documents that match
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// id, status, name, url, error, attempted, synced or next; a leading - reverses the order
    #[arg(long, value_name = "COLUMN", default_value = "id", allow_hyphen_values = true, value_parser = read_sort)]
    pub sort: Sort,
    /// Print at most N
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

fn read_sort(text: &str) -> Result<Sort, String> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let by = match name {
        "id" => SortBy::Id,
        "status" => SortBy::Status,
        "name" => SortBy::Name,
        "url" => SortBy::Url,
        "error" => SortBy::Error,
        "attempted" => SortBy::Attempted,
        "synced" => SortBy::Synced,
        "next" => SortBy::Next,
        _ => return Err("one of id, status, name, url, error, attempted, synced, next".to_owned()),
    };
    Ok(Sort { by, descending })
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let filter = read_filter(args.filter.as_deref().unwrap_or_default(), Subject::Documents)?;
    let store = context.store().await?;
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut offset = 0;
    // Rows change pages while syncs run: a row that moved to a later page is not printed again.
    let mut printed = HashSet::new();
    let pauses: Vec<_> = store.pauses().await?.into_iter().map(|pause| pause.scope).collect();
    let mut paused = HashSet::new();
    while left > 0 {
        let limit = left.min(PAGE_SIZE);
        let query =
            PageQuery { filter: filter.clone(), sort: args.sort, position: PagePosition::Offset(offset), limit };
        let page = store.page(&query).await?;
        if printed.is_empty() && !args.json && !page.rows.is_empty() {
            out.line(table_head())?;
        }
        // The last page is always a full one, so it may begin with rows that were printed already.
        let before = printed.len();
        for row in
            page.rows.iter().filter(|row| printed.insert(row.id)).take(usize::try_from(left).unwrap_or(usize::MAX))
        {
            paused.extend(pauses.iter().filter(|scope| pauses_document(scope, row)).cloned());
            if args.json {
                out.json(&DocumentJson::from(row))?;
            } else {
                out.line(table_line(row, store.now()))?;
            }
        }
        let new = (printed.len() - before) as u64;
        left = left.saturating_sub(new);
        offset = page.offset + page.rows.len() as u64;
        if new == 0 || offset >= page.total {
            break;
        }
    }
    if !args.json {
        report_pauses(&*store, |scope| paused.contains(scope)).await?;
    }
    store.close().await;
    if printed.is_empty() && args.limit != Some(0) {
        note(if filter.terms.is_empty() {
            "there are no documents; `quarterdeck add URL` adds one"
        } else {
            "no document matches"
        });
    }
    Ok(Exit::Done)
}
