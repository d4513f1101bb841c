//! `quarterdeck retry`: requests syncs of failed, waiting and stuck documents.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::Output;
use super::request::{BulkArgs, JSON_HELP, request};
use super::sync::FailOn;
use crate::domain::request::RequestKind;

/// Arguments of `retry`.
#[derive(Debug, clap::Args)]
#[command(mut_arg("json", |json| json.help(JSON_HELP)))]
pub struct Args {
    /// Documents, and how the verb treats many of them.
    #[command(flatten)]
    pub bulk: BulkArgs,
    /// Wait until all syncs have ended; run them here if no worker runs. Exit 0 only if all documents were synced
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    request(context, &args.bulk, RequestKind::Retry, args.wait.then_some(FailOn::Failures), out).await
}
