//! `quarterdeck keys`: prints the key bindings of the console, from the table that the console uses.

use super::exit::{CliError, Exit};
use super::output::Output;
use crate::tui;

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the keys as a Markdown table
    #[arg(long)]
    pub markdown: bool,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    out.text(&if args.markdown { tui::keys_markdown() } else { tui::keys_text() })?;
    Ok(Exit::Done)
}
