//! `quarterdeck source read`: requests reads, or makes them.

use super::print::{ReadJson, read_line};
use super::{find, note_unread};
use crate::cli::context::{Context, operator};
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::{Output, note, problem};
use crate::cli::wiring;
use crate::domain::source::{ReadResult, SourceRead, SourceState, SourceSummary};
use crate::fetch::Fetcher;
use crate::runner::read_source;
use crate::store::Store;
use std::time::Duration;
use tokio::time::sleep;

/// Interval at which the end of a read by another process is looked for.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Arguments of `source read`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names or IDs of sources
    #[arg(value_name = "NAME|ID", required_unless_present_any = ["due", "all"])]
    pub names: Vec<String>,
    /// All sources
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// The sources that are due
    #[arg(long, conflicts_with_all = ["names", "all"])]
    pub due: bool,
    /// Read here and now, and wait for the end; prints each read. Exit code 1 if one is not complete
    #[arg(long)]
    pub wait: bool,
    /// Believe a read that is much smaller than the one before
    #[arg(long, conflicts_with = "due")]
    pub allow_smaller: bool,
    /// Print one JSON object per read, or per source without --wait
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.writable_store("source read").await?;
    let mut sources = Vec::new();
    if args.due || args.all {
        let now = store.now();
        let all = store.sources().await?.into_iter();
        sources.extend(all.filter(|source| args.all || source.next_at.is_some_and(|at| at <= now)));
    } else {
        for name in &args.names {
            sources.push(find(&*store, name).await?);
        }
    }
    if !args.due {
        let ids: Vec<_> = sources.iter().map(|source| source.id).collect();
        store.request_reads(&ids, args.allow_smaller, &operator()).await?;
    }
    if !args.wait {
        context.announce(&*store).await?;
        for source in &sources {
            match args.json {
                true => {
                    out.json(&serde_json::json!({ "id": source.id, "name": source.name.as_str(), "requested": true }))?
                }
                false => out.confirmation(format!("{}: read requested", source.name))?,
            }
        }
        note_unread(&*store).await?;
        store.close().await;
        return Ok(Exit::Done);
    }
    let fetcher = wiring::fetcher(&context.config)?;
    let mut exit = Exit::Done;
    for source in &sources {
        let ended = read(context, &*store, &fetcher, source).await?;
        context.announce(&*store).await?;
        let Some(ended) = ended else {
            exit = Exit::SomeFailed;
            continue;
        };
        if ended.result != ReadResult::Complete {
            exit = Exit::SomeFailed;
        }
        if args.json {
            out.json(&ReadJson::of(Some(source.name.as_str()), &ended))?;
        } else if ended.result == ReadResult::Complete {
            out.confirmation(format!("{}  {}", source.name, read_line(&ended)))?;
        } else {
            out.line(format!("{}  {}", source.name, read_line(&ended)))?;
        }
        out.flush()?;
    }
    store.close().await;
    Ok(exit)
}

/// Reads a source, or waits for the process that reads it. Returns `None` if it is paused.
async fn read(
    context: &Context,
    store: &dyn Store,
    fetcher: &Fetcher,
    source: &SourceSummary,
) -> Result<Option<SourceRead>, CliError> {
    let holder = uuid::Uuid::new_v4().to_string();
    let before = store.source_reads(source.id, 1).await?.first().map_or(0, |read| read.read);
    let mut is_noted = false;
    loop {
        if let Some(lease) = store.claim_read(&holder, &wiring::worker_name(), Some(source.id)).await?
            && let Some(read) = read_source(store, fetcher, &lease, context.config.runner.host_interval).await?
        {
            return Ok(Some(read));
        }
        let now = store.sources().await?.into_iter().find(|other| other.id == source.id);
        let is_reading = now.is_some_and(|now| now.state == SourceState::Reading);
        if let Some(read) = store.source_reads(source.id, 1).await?.into_iter().next()
            && read.read > before
            && !is_reading
        {
            return Ok(Some(read));
        }
        if !is_reading
            && store.pauses().await?.iter().any(|pause| pause.scope.covers(source.account, source.url.host(), None))
        {
            problem(format!("{}: not read, since it is paused; `quarterdeck resume` lists what is", source.name));
            return Ok(None);
        }
        if is_reading && !is_noted {
            is_noted = true;
            note(format!("{} is being read by another process; waiting for it", source.name));
        }
        sleep(POLL_INTERVAL).await;
    }
}
