//! `quarterdeck purge`: drops the jobs of class `auto` that have not started. Jobs that people requested stay. Always
//! asks, since it names no documents.

use super::confirm::agreed;
use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use crate::format;
use serde::Serialize;

/// Arguments of `purge`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only print how many jobs would be dropped
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct PurgeJson {
    purged: u64,
    dry_run: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let store = if args.dry_run { context.readable_store().await? } else { context.writable_store("purge").await? };
    let waiting = store.purgeable().await?;
    let jobs = format::count(waiting, "waiting auto job");
    let mut purged = waiting;
    if !args.dry_run {
        if waiting == 0 {
            note("no auto jobs are waiting");
        } else if agreed(args.yes, &format!("Drop {jobs}?"))? {
            purged = store.purge(&operator()).await?;
            context.announce(&*store).await?;
        } else {
            store.close().await;
            return Ok(Exit::Done);
        }
    }
    if args.json {
        out.json(&PurgeJson { purged, dry_run: args.dry_run })?;
    } else if args.dry_run {
        out.line(format!("would drop {jobs}"))?;
    } else if purged > 0 {
        out.confirmation(format!("dropped {}", format::count(purged, "waiting auto job")))?;
    }
    store.close().await;
    Ok(Exit::Done)
}
