//! `quarterdeck source add URL`.

use super::{free_name, note_unread, patterns, print};
use crate::cli::add::Owner;
use crate::cli::context::{Context, operator};
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::{Output, shortened};
use crate::domain::duration;
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::source::{NewPages, SourceName, SourceSettings, SourceUrl};
use crate::store::NewSource;
use clap::ValueEnum;
use serde::Serialize;

/// Arguments of `source add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// URL of a sitemap, an index of sitemaps, RSS, Atom, a page of links or llms.txt
    #[arg(value_name = "URL")]
    pub url: String,
    /// Name of the source [default: its host]
    #[arg(long)]
    pub name: Option<String>,
    /// Owner of its documents.
    #[command(flatten)]
    pub owner: Owner,
    /// Only pages that match: * for any characters; from the path's / on, or the whole URL (several times: any of them)
    #[arg(long = "match", visible_alias = "include", value_name = "PATTERN")]
    pub include: Vec<String>,
    /// No pages that match
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Another host whose pages count, too
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
    /// Maximum number of pages; a source with more is not read
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub limit: Option<u64>,
    /// What becomes of new pages
    #[arg(long, value_enum, default_value_t)]
    pub new: NewMode,
    /// Interval between two reads [default: 1 day]
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["at", "manual"])]
    pub every: Option<String>,
    /// Times of reads, as of a plan: "0 3 * * 1-5 Europe/Berlin"
    #[arg(long, value_name = "RULE", conflicts_with = "manual")]
    pub at: Option<String>,
    /// Part of each day in which reads begin, as of a plan: "22:00-06:00 Europe/Berlin"
    #[arg(long, value_name = "WINDOW", conflicts_with = "manual")]
    pub between: Option<String>,
    /// Read it only on request
    #[arg(long)]
    pub manual: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Choices of `--new`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NewMode {
    /// Propose them
    #[default]
    Propose,
    /// Add them at once
    Add,
}

#[derive(Serialize)]
struct AddedJson<'a> {
    id: i64,
    name: &'a str,
    url: &'a str,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let url = SourceUrl::parse(&args.url);
    let url = url.map_err(|error| CliError::Usage(format!("{}: {error}", shortened(&args.url))))?;
    let settings = settings(args).map_err(CliError::Usage)?;
    settings.times().map_err(|error| CliError::Usage(format!("--{error}")))?;
    let name = args.name.as_deref().map(|name| {
        let wrong = "must have 1 to 60 lower-case letters, digits, . - or _, and not be a number";
        SourceName::new(name).ok_or_else(|| CliError::Usage(format!("--name {}: {wrong}", shortened(name))))
    });
    let store = context.writable_store("source add").await?;
    args.owner.check(&*store).await?;
    let assistant = AssistantId(args.owner.assistant());
    let account = match store.is_chatwoot_database() {
        true => store.assistant(assistant).await?.unwrap_or(AccountId(args.owner.account())),
        false => AccountId(args.owner.account()),
    };
    let name = match name.transpose()? {
        Some(name) => name,
        None => free_name(SourceName::of_url(&url), &store.sources().await?),
    };
    let source = NewSource { name, url, account, assistant, settings };
    let Some(id) = store.add_source(&source, &operator()).await? else {
        return Err(CliError::Usage(format!("there is a source {} already; choose another --name", source.name)));
    };
    context.announce(&*store).await?;
    if args.json {
        out.json(&AddedJson { id: id.0, name: source.name.as_str(), url: source.url.as_str() })?;
    } else {
        let times = print::times(&source.settings);
        out.confirmation(format!(
            "added source {}, read {times}; `quarterdeck source read {} --wait` reads it now",
            source.name, source.name
        ))?;
        note_unread(&*store).await?;
    }
    store.close().await;
    Ok(Exit::Done)
}

fn settings(args: &Args) -> Result<SourceSettings, String> {
    let default = SourceSettings::default();
    let every = match &args.every {
        Some(text) => {
            let span =
                duration::parse(text).ok_or_else(|| format!("--every {}: is no span such as 6h", shortened(text)))?;
            Some(span.as_secs())
        }
        None if args.manual || args.at.is_some() => None,
        None => default.every,
    };
    Ok(SourceSettings {
        include: patterns("match", &args.include)?,
        exclude: patterns("exclude", &args.exclude)?,
        hosts: args.host.iter().map(|host| host.to_ascii_lowercase()).collect(),
        limit: args.limit.unwrap_or(default.limit),
        new: match args.new {
            NewMode::Propose => NewPages::Propose,
            NewMode::Add => NewPages::Add,
        },
        every,
        at: args.at.clone(),
        between: args.between.clone(),
    })
}
