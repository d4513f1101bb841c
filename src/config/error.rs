//! Mistakes in the settings, and the errors of loading them.

use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// Error of loading the settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The home directory of the user is not known.
    #[error("the home directory is not known: set HOME, or XDG_CONFIG_HOME, XDG_DATA_HOME and XDG_STATE_HOME")]
    NoHome,
    /// The config file cannot be read. A default file that does not exist is no error.
    #[error("cannot read the config file {}: {reason}", path.display())]
    Unreadable {
        path: PathBuf,
        /// The operating system's error.
        reason: String,
    },
    /// The settings contain mistakes.
    #[error("{}", lines(problems))]
    Invalid {
        /// The mistakes, at least one: those of the file first, by line, then those of the environment and the flags.
        /// If every value is valid alone, the contradictions between settings.
        problems: Vec<Problem>,
    },
}

/// A mistake, or an outdated key, in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Origin of the value: the file with the line number, a variable, a flag, or `defaults`.
    pub origin: String,
    /// The key and its mistake.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.message)
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
