//! `quarterdeck config`: prints the annotated settings with their defaults.

use super::exit::{CliError, Exit};
use super::output::Output;
use crate::config::TEMPLATE;

pub(super) fn run(out: &mut Output) -> Result<Exit, CliError> {
    out.text(TEMPLATE)?;
    Ok(Exit::Done)
}
