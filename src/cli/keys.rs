//! `quarterdeck keys`: the keys of the console, from the table that the console itself uses.

use super::exit::{CliError, Exit};
use super::output::Output;
use super::shim::tui;

pub(super) fn run(out: &mut Output) -> Result<Exit, CliError> {
    out.text(&tui::keys_text())?;
    Ok(Exit::Done)
}
