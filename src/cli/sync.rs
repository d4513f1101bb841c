//! `quarterdeck sync`: requests syncs, and with `--wait` waits for their end.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::Output;
use super::request::{BulkArgs, JSON_HELP, request};
use crate::domain::request::RequestKind;

/// Failures for which a verb that waits ends with exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FailOn {
    /// Every document that failed
    Failures,
    /// Documents that failed and were not failed before
    NewFailures,
}

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
    /// The documents that are due by their plans; their automatic jobs are not waited for
    #[arg(long, group = "Selection")]
    pub due: bool,
    /// With --wait: exit 1 for any failure, or only for documents that were not failed before
    #[arg(long, value_enum, value_name = "WHAT", default_value = "failures", requires = "wait")]
    pub fail_on: FailOn,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let verb = if args.force { RequestKind::SyncWhole } else { RequestKind::Sync };
    let bulk = BulkArgs { due: args.due, ..args.bulk.clone() };
    request(context, &bulk, verb, args.wait.then_some(args.fail_on), out).await
}
