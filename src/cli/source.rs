//! `quarterdeck source`: adds, changes, lists, reads and removes sources, and decides about what they propose.

mod add;
mod decide;
mod edit;
mod print;
mod read;
mod settings;

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, note, shortened};
use crate::domain::id::SourceId;
use crate::domain::source::{PagePattern, SourceName, SourceSummary, SourceUrl};
use crate::domain::suggest::nearest;
use crate::domain::text::SafeLine;
use crate::store::{SourceStore, StoreBase};
use clap::Subcommand;

/// Arguments of `source`.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub action: SourceAction,
}

/// Verbs of `source`.
#[derive(Debug, Subcommand)]
pub enum SourceAction {
    /// Add a source: a sitemap, an index of sitemaps, RSS, Atom, a page of links or llms.txt; its first read is due at once
    Add(add::Args),
    /// Change the patterns, limits, times, name or URL of a source; its proposals and refusals stay
    Edit(edit::Args),
    /// Print the sources: their pages, proposals, last and next read
    List {
        /// Print one JSON object per source
        #[arg(long)]
        json: bool,
    },
    /// Print a source with its settings and its last reads
    Show {
        /// Name or ID of the source
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Read sources now: a worker does so, or with --wait this call
    Read(read::Args),
    /// Remove a source with its proposals; its documents stay
    Remove {
        /// Name or ID of the source
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Print proposals: pages that are new, gone, moved or duplicates
    Proposals(decide::ListArgs),
    /// Do what proposals say: add a new page, remove a gone one or a duplicate, replace a moved one
    Accept(decide::AcceptArgs),
    /// Refuse proposals; they never come back
    Refuse(decide::Args),
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    match &args.action {
        SourceAction::Add(args) => add::run(context, args, out).await,
        SourceAction::Edit(args) => edit::run(context, args, out).await,
        SourceAction::List { json } => list(context, *json, out).await,
        SourceAction::Show { name, json } => show(context, name, *json, out).await,
        SourceAction::Read(args) => read::run(context, args, out).await,
        SourceAction::Remove { name, json } => remove(context, name, *json, out).await,
        SourceAction::Proposals(args) => decide::list(context, args, out).await,
        SourceAction::Accept(args) => decide::accept(context, args, out).await,
        SourceAction::Refuse(args) => decide::refuse(context, args, out).await,
    }
}

/// Parses a name of a source.
fn parse_name(name: &str) -> Result<SourceName, CliError> {
    let wrong = "must have 1 to 60 lower-case letters, digits, . - or _, and not be a number";
    SourceName::new(name).ok_or_else(|| CliError::Usage(format!("--name {}: {wrong}", shortened(name))))
}

/// Parses the URL of a source.
fn parse_url(url: &str) -> Result<SourceUrl, CliError> {
    SourceUrl::parse(url).map_err(|error| CliError::Usage(format!("{}: {error}", shortened(url))))
}

/// Returns the source with a name, an id or a URL.
async fn find(store: &(impl SourceStore + ?Sized), name: &str) -> Result<SourceSummary, CliError> {
    let sources = store.sources().await?;
    let id = name.parse().ok().map(SourceId);
    let url = SourceUrl::parse(name).ok();
    let is_it = |source: &&SourceSummary| match (id, &url) {
        (Some(id), _) => source.id == id,
        (None, Some(url)) => source.url == *url,
        (None, None) => source.name.as_str() == name,
    };
    let found: Vec<&SourceSummary> = sources.iter().filter(is_it).collect();
    match found[..] {
        [one] => return Ok(one.clone()),
        [] => {}
        [first, second, ..] => {
            let (first, second) = (&first.name, &second.name);
            let message = format!("several sources have this URL, such as {first} and {second}; name one of them");
            return Err(CliError::Usage(message));
        }
    }
    let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(suggestion) => format!("did you mean {suggestion}?"),
        None if known.is_empty() => "there is none; add one with `quarterdeck source add URL`".to_owned(),
        None => "`quarterdeck source list` has them".to_owned(),
    };
    Err(CliError::Usage(format!("there is no source \"{}\" ({hint})", SafeLine::new(name))))
}

async fn list(context: &Context, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.readable_store().await?;
    let (sources, now) = (store.sources().await?, store.now());
    store.close().await;
    for source in &sources {
        match json {
            true => out.json(&print::SourceJson::of(source, None))?,
            false => out.line(print::line(source, now))?,
        }
    }
    if sources.is_empty() {
        note("there is no source; `quarterdeck help sources` says what one is");
    }
    Ok(Exit::Done)
}

async fn show(context: &Context, name: &str, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.readable_store().await?;
    let source = find(&*store, name).await?;
    let (reads, now) = (store.source_reads(source.id, print::SHOWN_READS).await?, store.now());
    store.close().await;
    match json {
        true => out.json(&print::SourceJson::of(&source, Some(&reads)))?,
        false => print::show(&source, &reads, now, out)?,
    }
    Ok(Exit::Done)
}

async fn remove(context: &Context, name: &str, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.writable_store("source remove").await?;
    let source = find(&*store, name).await?;
    let removed = store.remove_source(source.id).await?;
    context.announce(&*store).await?;
    store.close().await;
    if json {
        out.json(&serde_json::json!({ "id": source.id, "name": source.name.as_str(), "removed": removed }))?;
    } else {
        out.confirmation(format!("removed source {}; its documents stay", source.name))?;
    }
    Ok(Exit::Done)
}

/// Says so if no worker runs, since a read that is due then waits.
async fn note_unread(store: &(impl StoreBase + ?Sized)) -> Result<(), CliError> {
    if store.queue().await?.workers == 0 {
        note("no worker is running: start `quarterdeck work`, or read with `quarterdeck source read NAME --wait`");
    }
    Ok(())
}

/// Parses the patterns of a flag; the error names the flag.
pub(super) fn patterns(flag: &str, texts: &[String]) -> Result<Vec<PagePattern>, String> {
    let parse =
        |text: &String| PagePattern::parse(text).map_err(|error| format!("--{flag} {}: {error}", shortened(text)));
    texts.iter().map(parse).collect()
}

/// Returns a name that no source has: that of the host, with a number if it is taken.
fn free_name(wanted: SourceName, sources: &[SourceSummary]) -> SourceName {
    let is_taken = |name: &SourceName| sources.iter().any(|source| source.name == *name);
    let numbered = (2..).map(|number| wanted.numbered(number));
    std::iter::once(wanted.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(wanted)
}
