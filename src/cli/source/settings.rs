//! Flags of `source add` and `source edit`: which pages of a source count, and when it is read.

use super::patterns;
use crate::cli::exit::CliError;
use crate::cli::output::shortened;
use crate::domain::duration;
use crate::domain::source::{NewPages, SourceSettings};
use clap::ValueEnum;

/// Settings of a source; what is not given stays as it is.
#[derive(Debug, clap::Args)]
pub struct SettingArgs {
    /// Only pages that match: * for any characters; from the path's / on, or the whole URL (several times: any of them)
    #[arg(long = "match", visible_alias = "include", value_name = "PATTERN")]
    pub include: Vec<String>,
    /// No pages that match
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Another host whose pages count, too
    #[arg(long, value_name = "HOST")]
    pub host: Vec<String>,
    /// Maximum number of pages, 50,000 unless set; a source with more is not read
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub limit: Option<u64>,
    /// What becomes of new pages, which are proposed unless set
    #[arg(long, value_enum)]
    pub new: Option<NewMode>,
    /// Interval between two reads, a day unless set
    #[arg(long, value_name = "SPAN", conflicts_with_all = ["at", "manual"])]
    pub every: Option<String>,
    /// Times of reads, as of a plan: "0 3 * * 1-5 Europe/Berlin"
    #[arg(long, value_name = "RULE", conflicts_with = "manual")]
    pub at: Option<String>,
    /// Part of each day in which reads begin, as of a plan: "22:00-06:00 Europe/Berlin"
    #[arg(long, value_name = "WINDOW", conflicts_with = "manual")]
    pub between: Option<String>,
    /// Read it only on request
    #[arg(long)]
    pub manual: bool,
}

/// Choices of `--new`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NewMode {
    /// Propose them
    Propose,
    /// Add them at once
    Add,
}

impl SettingArgs {
    /// Returns the settings that `before` becomes. Fails if a flag has no valid value.
    pub(super) fn apply(&self, before: SourceSettings) -> Result<SourceSettings, CliError> {
        let mut settings = before;
        if !self.include.is_empty() {
            settings.include = patterns("match", &self.include).map_err(CliError::Usage)?;
        }
        if !self.exclude.is_empty() {
            settings.exclude = patterns("exclude", &self.exclude).map_err(CliError::Usage)?;
        }
        if !self.host.is_empty() {
            settings.hosts = self.host.iter().map(|host| host.to_ascii_lowercase()).collect();
        }
        settings.limit = self.limit.unwrap_or(settings.limit);
        settings.new = match self.new {
            Some(NewMode::Propose) => NewPages::Propose,
            Some(NewMode::Add) => NewPages::Add,
            None => settings.new,
        };
        if let Some(text) = &self.every {
            let wrong = || CliError::Usage(format!("--every {}: is no span such as 6h", shortened(text)));
            (settings.every, settings.at) = (Some(duration::parse(text).ok_or_else(wrong)?.as_secs()), None);
        }
        if let Some(at) = &self.at {
            (settings.every, settings.at) = (None, Some(at.clone()));
        }
        if self.manual {
            (settings.every, settings.at, settings.between) = (None, None, None);
        }
        if let Some(between) = &self.between {
            settings.between = Some(between.clone());
        }
        settings.times().map_err(|error| CliError::Usage(format!("--{error}")))?;
        Ok(settings)
    }
}
