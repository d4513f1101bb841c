//! `quarterdeck migrate`: sets a PostgreSQL database up. Prints what it is going to do and does it, without asking.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::Output;
use crate::store;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Also create captain_documents and accounts where they are missing: for a database without Chatwoot
    #[arg(long)]
    pub standalone: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let url = &context.config.store.url;
    if !context.config.store.is_server() {
        if args.standalone {
            return Err(CliError::Usage("--standalone is for PostgreSQL: --store postgres://...".to_owned()));
        }
        if args.dry_run {
            out.line("nothing to do: an SQLite store is brought up to date when it is opened for writing")?;
            return Ok(Exit::Done);
        }
        context.store_for("migrate").await?.close().await;
        out.line("up to date")?;
        return Ok(Exit::Done);
    }
    if !args.dry_run {
        context.may_change("migrate")?;
    }
    let plan = store::plan(url, args.standalone).await?;
    for step in &plan {
        out.line(step)?;
    }
    if plan.is_empty() {
        out.line("nothing to do: up to date")?;
    } else if !args.dry_run {
        // Said before it is done, also through a pipe.
        out.flush()?;
        store::migrate(url, args.standalone, &mut |_| {}).await?;
        out.line("done")?;
    }
    Ok(Exit::Done)
}
