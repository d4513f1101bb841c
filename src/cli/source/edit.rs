//! `quarterdeck source edit NAME`.

use super::settings::SettingArgs;
use super::{find, note_unread, parse_name, parse_url, print};
use crate::cli::context::Context;
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::Output;
use crate::domain::source::{SourceSettings, SourceSummary};
use crate::format;
use crate::store::{SourceEdit, SourceEdited};
use serde::Serialize;

/// Arguments of `source edit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name, ID or URL of the source
    #[arg(value_name = "NAME|ID|URL")]
    pub source: String,
    /// New name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// New URL of the listing, if it has moved
    #[arg(long)]
    pub url: Option<String>,
    /// Settings; each one given takes the place of those before.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// All pages count but those that are excluded
    #[arg(long, conflicts_with = "include")]
    pub no_match: bool,
    /// No page is excluded
    #[arg(long, conflicts_with = "exclude")]
    pub no_exclude: bool,
    /// Only pages of its own host count
    #[arg(long, conflicts_with = "host")]
    pub no_host: bool,
    /// Reads begin at any time of the day
    #[arg(long, conflicts_with = "between")]
    pub no_between: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct EditedJson<'a> {
    id: i64,
    name: &'a str,
    url: &'a str,
    withdrawn: u64,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.writable_store("source edit").await?;
    let source = find(&*store, &args.source).await?;
    let edit = edited(args, &source)?;
    if (&edit.name, &edit.url, &edit.settings) == (&source.name, &source.url, &source.settings) {
        let hint = "nothing to change; give a flag such as --exclude PATTERN (see `quarterdeck source edit --help`)";
        return Err(CliError::Usage(format!("{}: {hint}", source.name)));
    }
    let withdrawn = match store.edit_source(source.id, &edit).await? {
        SourceEdited::Done { withdrawn } => withdrawn,
        SourceEdited::NoSource => return Err(CliError::Usage(format!("there is no source {} any more", source.name))),
        SourceEdited::NameTaken => return Err(CliError::Usage(format!("another source is called {}", edit.name))),
    };
    context.announce(&*store).await?;
    if args.json {
        out.json(&EditedJson { id: source.id.0, name: edit.name.as_str(), url: edit.url.as_str(), withdrawn })?;
    } else {
        let gone = match withdrawn {
            0 => String::new(),
            withdrawn => format!("; {} withdrawn", format::count(withdrawn, "proposal")),
        };
        out.confirmation(format!("changed source {}, read {}{gone}", edit.name, print::times(&edit.settings)))?;
        note_unread(&*store).await?;
    }
    store.close().await;
    Ok(Exit::Done)
}

/// Returns what the flags make of a source.
fn edited(args: &Args, source: &SourceSummary) -> Result<SourceEdit, CliError> {
    let mut before: SourceSettings = source.settings.clone();
    if args.no_match {
        before.include.clear();
    }
    if args.no_exclude {
        before.exclude.clear();
    }
    if args.no_host {
        before.hosts.clear();
    }
    if args.no_between {
        before.between = None;
    }
    Ok(SourceEdit {
        name: args.name.as_deref().map_or(Ok(source.name.clone()), parse_name)?,
        url: args.url.as_deref().map_or(Ok(source.url.clone()), parse_url)?,
        settings: args.settings.apply(before)?,
    })
}
