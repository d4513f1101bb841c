//! `quarterdeck source add URL`.

use super::settings::SettingArgs;
use super::{free_name, note_unread, parse_name, parse_url, print};
use crate::cli::add::Owner;
use crate::cli::context::{Context, operator};
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::Output;
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::source::{SourceName, SourceSettings};
use crate::store::NewSource;
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
    /// Which pages count, and when it is read.
    #[command(flatten)]
    pub settings: SettingArgs,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct AddedJson<'a> {
    id: i64,
    name: &'a str,
    url: &'a str,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let url = parse_url(&args.url)?;
    let settings = args.settings.apply(SourceSettings::default())?;
    let name = args.name.as_deref().map(parse_name);
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
