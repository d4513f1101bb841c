//! `quarterdeck sync`: requests syncs, and with `--wait` waits for their end.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::Output;
use super::request::{BulkArgs, JSON_HELP, request};
use crate::domain::request::RequestKind;

/// Arguments of `sync`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("json", |json| json.help(JSON_HELP)))]
pub struct Args {
    /// Documents, and how the verb treats many of them.
    #[command(flatten)]
    pub bulk: BulkArgs,
    /// Fetch and convert the pages whole, even if they have not changed
    #[arg(long)]
    pub force: bool,
    /// Wait until all syncs have ended; run them here if no worker runs. Exit 0 only if all documents were synced
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let verb = if args.force { RequestKind::SyncWhole } else { RequestKind::Sync };
    request(context, &args.bulk, verb, args.wait, out).await
}
