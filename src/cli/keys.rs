//! `quarterdeck keys`: prints the keys of the console, as the settings have them.

use super::exit::{CliError, Exit};
use super::output::Output;
use crate::config::{Config, ConfigError};
use crate::tui::{self, Keymap};

/// Arguments of `keys`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the default keys as a Markdown table
    #[arg(long)]
    pub markdown: bool,
}

/// Prints the default keys as Markdown, without any settings.
pub(super) fn markdown(out: &mut Output) -> Result<Exit, CliError> {
    out.text(&tui::keys_markdown())?;
    Ok(Exit::Done)
}

/// Prints the keys of the settings as text.
pub(super) fn run(config: &Config, out: &mut Output) -> Result<Exit, CliError> {
    out.text(&tui::keys_text(&keymap(config)?))?;
    Ok(Exit::Done)
}

/// Returns the keys of the console.
///
/// # Errors
/// Returns the mistakes in `[keys]`.
pub(super) fn keymap(config: &Config) -> Result<Keymap, ConfigError> {
    Keymap::configured(&config.keys).map_err(|problems| ConfigError::Invalid { problems })
}

/// Returns the settings, unless there are mistakes in `[keys]`, which only the console can tell.
pub(super) fn checked(config: Config) -> Result<Config, ConfigError> {
    keymap(&config).map(|_| config)
}
