//! Default paths: the XDG base directories.

use super::error::ConfigError;
use etcetera::BaseStrategy as _;
use std::path::PathBuf;

/// Paths that apply when neither file, environment nor flags name others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultPaths {
    /// `$XDG_CONFIG_HOME/quarterdeck/config.toml`
    pub config_file: PathBuf,
    /// `$XDG_DATA_HOME/quarterdeck/quarterdeck.db`
    pub store_file: PathBuf,
    /// `$XDG_STATE_HOME/quarterdeck/log`, the directory of the log files
    pub log_dir: PathBuf,
}

impl DefaultPaths {
    /// Returns the default paths for the user of this process.
    ///
    /// # Errors
    /// The user's home directory is unknown.
    pub fn find() -> Result<Self, ConfigError> {
        let xdg = etcetera::base_strategy::Xdg::new().map_err(|_| ConfigError::NoHome)?;
        let state = state_dir(&xdg);
        Ok(Self {
            config_file: xdg.config_dir().join("quarterdeck/config.toml"),
            store_file: xdg.data_dir().join("quarterdeck/quarterdeck.db"),
            log_dir: state.join("quarterdeck/log"),
        })
    }

    /// Returns `$XDG_STATE_HOME/quarterdeck/console`, the directory of the files that keep the console's state; `None`
    /// if the user's home directory is unknown.
    pub fn console_dir() -> Option<PathBuf> {
        let xdg = etcetera::base_strategy::Xdg::new().ok()?;
        Some(state_dir(&xdg).join("quarterdeck/console"))
    }
}

fn state_dir(xdg: &etcetera::base_strategy::Xdg) -> PathBuf {
    xdg.state_dir().unwrap_or_else(|| xdg.data_dir())
}
