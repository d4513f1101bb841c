//! The context of the verbs that use a store: the settings, access to the store, and the user's name.

use super::exit::CliError;
use super::keys;
use super::output::note;
use super::record::OutcomeFiles;
use super::subscribers;
use super::suspend::SuspendHandler;
use super::wiring;
use crate::config::{Config, ConfigError, DefaultPaths, Environment, Flags, KeyValues};
use crate::domain::text::SafeLine;
use crate::store::{Access, Options, Recorder, Store, open_with};
use std::sync::Arc;

/// Origins of the settings of this call, from which they can be read again.
pub(super) struct ConfigOrigin {
    pub(super) paths: DefaultPaths,
    pub(super) flags: Flags,
}

impl ConfigOrigin {
    /// Returns the values that the settings have now.
    pub(super) fn values(&self) -> KeyValues {
        KeyValues::read(&self.paths, &Environment::read(), &self.flags)
    }

    /// Reads the settings again, as far as they may have changed: the file.
    pub(super) fn read(&self) -> Result<Config, ConfigError> {
        Config::load(&self.paths, &Environment::read(), &self.flags).and_then(keys::checked)
    }
}

/// Settings and outcome files of one call of the program; `read_only` is the flag `--read-only`.
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) read_only: bool,
    pub(super) files: Arc<OutcomeFiles>,
}

impl Context {
    pub(super) fn new(config: Config, read_only: bool) -> Self {
        Self { files: OutcomeFiles::of(&config), config, read_only }
    }

    /// Opens the store. An SQLite file that does not exist is created, unless `--read-only` is given. Outcomes that
    /// this process records are also written to the outcome files.
    pub(super) async fn store(&self) -> Result<Arc<dyn Store>, CliError> {
        self.store_with(None).await
    }

    /// Opens the store for a verb that only reads: nothing is created or upgraded, and no other process that writes, or
    /// is stopped while it does, keeps it waiting.
    pub(super) async fn readable_store(&self) -> Result<Arc<dyn Store>, CliError> {
        let access = if self.read_only { Access::ReadOnly } else { Access::Read };
        Ok(open_with(&self.config.store.url, Options::new(access)).await?)
    }

    /// Opens the store for a verb that changes it. Fails if `--read-only` is given.
    pub(super) async fn writable_store(&self, verb: &str) -> Result<Arc<dyn Store>, CliError> {
        self.ensure_writable(verb)?;
        self.store_that_suspends(None).await
    }

    /// Opens the store for a verb that writes: Ctrl-Z stops the process between two writes. The recorder `also`, if given,
    /// receives the outcomes, too.
    pub(super) async fn store_that_suspends(&self, also: Option<Recorder>) -> Result<Arc<dyn Store>, CliError> {
        let suspend = SuspendHandler::install()?;
        let store = self.store_with(also).await?;
        suspend.between_writes_of(&store);
        Ok(store)
    }

    async fn store_with(&self, also: Option<Recorder>) -> Result<Arc<dyn Store>, CliError> {
        let access = if self.read_only { Access::ReadOnly } else { Access::Create };
        let mut options = Options::new(access);
        options.recorder = Some(self.files.recorder(also));
        options.kept_versions = self.config.runner.retention.versions;
        let store = open_with(&self.config.store.url, options).await?;
        if let Some(upgraded) = store.upgraded() {
            note(upgraded);
        }
        if !self.read_only {
            subscribers::subscribe(&self.config, &*store).await?;
        }
        Ok(store)
    }

    /// Notifies the other processes of the store that it has changed.
    pub(super) async fn announce(&self, store: &dyn Store) -> Result<(), CliError> {
        wiring::announce(&self.config, store).await
    }

    pub(super) fn ensure_writable(&self, verb: &str) -> Result<(), CliError> {
        if self.read_only {
            return Err(CliError::Usage(format!("--read-only: `{verb}` would change the store")));
        }
        Ok(())
    }
}

/// Returns the user's name from `USER` or `LOGNAME`, which outcomes record as the requester; else `operator`.
pub(super) fn operator() -> SafeLine {
    let name =
        ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    SafeLine::new(name.as_deref().unwrap_or("operator"))
}
