//! `quarterdeck remove`: removes documents with their contents and versions; outcomes stay in the log, which notes the
//! removal. Always asks.

use super::batch;
use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::Output;
use super::progress::ProgressLine;
use super::request::{BulkArgs, ChosenDocuments, choose};
use super::selection::Selection;
use crate::domain::batch::BatchAct;
use crate::format;
use crate::store::BulkVerb;

/// Arguments of `remove`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Documents to remove.
    #[command(flatten)]
    pub selection: RemoveSelection,
    /// Only print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// The documents to remove. There is no --all: whoever wants to remove everything deletes the store.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct RemoveSelection {
    /// Documents by ID or URL
    #[arg(value_name = "ID|URL")]
    pub documents: Vec<String>,
    /// All documents that match this filter
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let bulk = BulkArgs {
        selection: Selection {
            documents: args.selection.documents.clone(),
            filter: args.selection.filter.clone(),
            all: false,
        },
        dry_run: args.dry_run,
        yes: args.yes,
        json: args.json,
        due: false,
    };
    let Some(ChosenDocuments { store, selected, ids, .. }) = choose(context, &bulk, BulkVerb::Remove, out).await?
    else {
        return Ok(Exit::Done);
    };
    let (mut removed, by) = (0, operator());
    let mut progress = ProgressLine::start("documents removed", Some(ids.len() as u64));
    let mut batch = None;
    match ids.as_slice() {
        [_, _, ..] => {
            let took = |_, some| {
                removed += some;
                progress.advance(some);
                Ok(())
            };
            batch = Some(batch::act(&*store, BatchAct::Remove, &selected, &ids, took).await?);
        }
        one => removed += store.remove(one, &by).await?,
    }
    drop(progress);
    if args.json {
        out.json(&serde_json::json!({ "removed": removed }))?;
    } else {
        let batch = batch.map(|batch| format!(" (batch {batch})")).unwrap_or_default();
        out.confirmation(format!("removed {}{batch}", format::count(removed, "document")))?;
    }
    context.announce(&*store).await?;
    store.close().await;
    Ok(Exit::Done)
}
