//! `quarterdeck cancel`: cancels queued and waiting jobs, and requests that running attempts stop.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::Output;
use super::request::{self, BulkArgs};

/// Arguments of `cancel`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Documents, and how the verb treats many of them.
    #[command(flatten)]
    pub bulk: BulkArgs,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    request::cancel(context, &args.bulk, out).await
}
