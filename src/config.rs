//! The settings, merged from defaults, file, environment and flags, in this order: a later source overrides an earlier
//! one.
//!
//! Each module owns the type and the defaults of its settings, and this module fills them. `keys` is the table of the
//! keys that a file may contain (`sites` reads the value of `fetch.sites`, `secrets` the secrets that it names,
//! `key_bindings` the section `[keys]`, `addresses` hosts and URLs), `read` parses a file, `readers` reads single values,
//! `env` the variables of the keys, `values` tells which have changed, `paths` has the default paths. All mistakes are
//! reported at once, each with its line, variable or flag; those of `[keys]` after all others.

mod addresses;
mod env;
mod error;
#[cfg(test)]
mod fuzz;
mod key_bindings;
mod keys;
mod listing;
mod notify;
mod paths;
mod read;
mod readers;
mod secrets;
mod sites;
mod values;

pub use env::Environment;
pub use error::{ConfigError, Problem};
pub use key_bindings::KeyBinding;
pub use keys::KeyEffect;
pub use notify::{NotifySettings, SinkSettings};
pub use paths::DefaultPaths;
pub use values::KeyValues;

use crate::chatwoot::faq_job::FaqSettings;
use crate::domain::credential::SecretSource;
use crate::domain::error_report::Dsn;
use crate::domain::lock::LockMode;
use crate::domain::log_level::LogLevel;
use crate::domain::plan::{Plan, PlanName, PlanTable};
use crate::domain::secret::Secret;
use crate::fetch::FetchSettings;
use crate::runner::Scheduling;
use crate::runner::log::LogSettings;
use crate::{lock, runner};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Text of an annotated config file with every key and its default, as `quarterdeck config` prints it.
pub const TEMPLATE: &str = include_str!("../assets/config.toml");

/// All settings, each with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Values of `[store]`.
    pub store: StoreConfig,
    /// Values of `[redis]`.
    pub redis: lock::Settings,
    /// True if the console runs jobs (`runner.enabled`, `--runner`, `--no-runner`). If not set: true for SQLite, false
    /// for a server, so that a console opened on a laptop does not start to sync production.
    pub console_runs_jobs: bool,
    /// True if the console writes lines instead of drawing (`console.plain`).
    pub plain_console: bool,
    /// Values of `[runner]`, `[retry]`, `fetch.host_interval` and `fetch.from_installation`.
    pub runner: runner::Settings,
    /// Values of `[chatwoot]`.
    pub faq_job: FaqSettings,
    /// Values of `[fetch]`, without `fetch.host_interval` and `fetch.from_installation`.
    pub fetch: FetchSettings,
    /// Values of `[schedule]`, `[plans]` and `[accounts]`.
    pub schedule: Scheduling,
    /// Values of `[log]`.
    pub log: LogSettings,
    /// Values of `[errors]`.
    pub errors: ErrorSettings,
    /// Values of `[notify]`.
    pub notify: NotifySettings,
    /// Lines of `[keys]`, which the console checks: its actions with the keys in place of their own.
    pub keys: Vec<KeyBinding>,
    /// Address at which a worker serves its metrics (`metrics.listen`); `None` for the port of `work --health`.
    pub metrics: Option<SocketAddr>,
    /// Warnings, one for each key that the file still has under an old name.
    pub warnings: Vec<Problem>,
}

/// Connection settings of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// `sqlite:` and a path, or `postgres://…`. May contain a password, which must be masked before the URL is printed.
    pub url: String,
    /// Members of the file's group may read and write the store and the logs that this program creates.
    pub group: bool,
}

/// Settings of error reports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorSettings {
    /// The setting `errors.sentry_dsn` as written.
    source: Option<SecretOrSource>,
    /// Project of Sentry that gets a report of each job that was given up through errors of this program or lost workers.
    pub sentry: Option<Dsn>,
}

/// A secret, or the place where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SecretOrSource {
    Value(Secret),
    Source(SecretSource),
}

impl ErrorSettings {
    /// Reads the value of the DSN, or returns its mistake, which does not repeat it. A value that this process lacks is
    /// a warning: it may not be the one that runs jobs.
    fn read(&mut self, environment: &Environment, dir: &Path) -> Result<Option<String>, String> {
        let secret = match &self.source {
            None => return Ok(None),
            Some(SecretOrSource::Value(secret)) => secret.clone(),
            Some(SecretOrSource::Source(source)) => match secrets::value_of(source, environment, dir) {
                Ok(secret) => secret,
                Err(why) => {
                    let message = format!("errors.sentry_dsn: {source} {why}; this process reports no errors");
                    return Ok(Some(message));
                }
            },
        };
        self.sentry = Some(Dsn::parse(&secret).map_err(|error| format!("errors.sentry_dsn {error}"))?);
        Ok(None)
    }
}

impl StoreConfig {
    /// Returns true if the URL names a PostgreSQL server, not a file.
    pub fn is_server(&self) -> bool {
        ["postgres:", "postgresql:"].iter().any(|scheme| self.url.starts_with(scheme))
    }
}

/// Settings from the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Value of `--store`.
    pub store: Option<String>,
    /// Value of `--redis`.
    pub redis: Option<String>,
    /// Value of `--config`.
    pub config: Option<PathBuf>,
    /// Value of `--concurrency`.
    pub concurrency: Option<u32>,
    /// True if `--no-runner` is given.
    pub no_runner: bool,
    /// True if `--runner` is given.
    pub runner: bool,
}

impl Config {
    /// Returns the names of all keys, each with its section.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        keys::KEYS.iter().map(|key| key.name).chain(keys::NAMED_KEYS.iter().map(|key| key.name))
    }

    /// Returns the names of the keys that take effect only when a process starts.
    pub fn keys_of_start() -> impl Iterator<Item = &'static str> {
        let fixed = keys::KEYS.iter().filter(|key| key.effect == KeyEffect::AtStart).map(|key| key.name);
        fixed.chain(keys::NAMED_KEYS.iter().filter(|key| key.effect == KeyEffect::AtStart).map(|key| key.name))
    }

    /// Returns the keys of a config file with their values, without comments and without what may be secret, except
    /// passwords in URLs.
    pub fn listing(text: &str) -> Vec<String> {
        listing::listing(text)
    }

    /// Returns the settings that apply without file, environment and flags.
    pub fn defaults(paths: &DefaultPaths) -> Self {
        Self {
            store: StoreConfig { url: format!("sqlite:{}", paths.store_file.display()), group: false },
            redis: lock::Settings::default(),
            console_runs_jobs: true,
            plain_console: false,
            runner: runner::Settings::default(),
            faq_job: FaqSettings::default(),
            fetch: FetchSettings::default(),
            schedule: Scheduling::default(),
            log: LogSettings { dir: paths.log_dir.clone(), keep_days: 14, level: LogLevel::default() },
            errors: ErrorSettings::default(),
            notify: NotifySettings::default(),
            keys: Vec::new(),
            metrics: None,
            warnings: Vec::new(),
        }
    }

    /// Returns the path of the config file to read, and true if a flag or the environment names it.
    pub fn file<'a>(paths: &'a DefaultPaths, environment: &'a Environment, flags: &'a Flags) -> (&'a Path, bool) {
        let named = flags.config.as_deref().or(environment.config.as_deref());
        (named.unwrap_or(&paths.config_file), named.is_some())
    }

    /// Loads the settings from file, environment and flags, each of which overrides the ones before.
    ///
    /// # Errors
    /// The config file cannot be read, or a value is invalid. Only a file named by flag or variable must exist.
    pub fn load(paths: &DefaultPaths, environment: &Environment, flags: &Flags) -> Result<Self, ConfigError> {
        let (path, named) = Self::file(paths, environment, flags);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => String::new(),
            Err(error) => {
                return Err(ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() });
            }
        };
        Self::from_parts(paths, path, &text, environment, flags)
    }

    /// Does the same as [`Config::load`], but takes the text of the config file. `path` is the file's name for
    /// messages.
    pub fn from_parts(
        paths: &DefaultPaths,
        path: &Path,
        text: &str,
        environment: &Environment,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::defaults(paths);
        let mut given = KeyOrigins::default();
        let mut problems = read::file(&mut config, &mut given, (path, text), environment);
        let dir = path.parent().unwrap_or(Path::new(""));
        config.fetch.secrets = secrets::read(&config.fetch.sites, environment, dir);
        let origin = given.origin(&["errors.sentry_dsn"]);
        match config.errors.read(environment, dir) {
            Ok(warning) => config.warnings.extend(warning.map(|message| Problem { origin, message })),
            Err(message) => problems.push(Problem { origin, message }),
        }
        config.warnings.extend(config.notify.read_keys(environment, path));
        problems.extend(secrets::problems(&config.fetch.sites, &config.fetch.secrets, &given.origin(&["fetch.sites"])));
        for (origin, store) in [("QUARTERDECK_STORE", &environment.store), ("--store", &flags.store)] {
            if let Some(url) = store {
                given.set("store.url", origin.to_owned());
                match keys::store_url(url) {
                    Ok(url) => config.store.url = url,
                    Err(wrong) => problems.push(Problem { origin: origin.to_owned(), message: wrong }),
                }
            }
        }
        for (origin, redis) in [("QUARTERDECK_REDIS", &environment.redis), ("--redis", &flags.redis)] {
            if let Some(url) = redis {
                given.set("redis.url", origin.to_owned());
                match keys::redis_url(url) {
                    Ok(url) => config.redis.url = Some(url),
                    Err(wrong) => problems.push(Problem { origin: origin.to_owned(), message: wrong }),
                }
            }
        }
        if let Some(concurrency) = flags.concurrency {
            given.set("runner.concurrency", "--concurrency".to_owned());
            match keys::concurrency(i64::from(concurrency)) {
                Ok(concurrency) => config.runner.slots = concurrency,
                Err(wrong) => problems.push(Problem { origin: "--concurrency".to_owned(), message: wrong }),
            }
        }
        if !given.is_set("runner.enabled") {
            config.console_runs_jobs = !config.store.is_server();
        }
        if flags.no_runner || flags.runner {
            config.console_runs_jobs = flags.runner;
        }
        if problems.is_empty() {
            problems = config.conflicts(&given);
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Invalid { problems }) }
    }

    /// Returns the plans of `[plans]` and the accounts assigned to them.
    fn plans(&mut self) -> &mut PlanTable {
        &mut self.schedule.terms.plans
    }

    /// Returns the plan of this name, which is created if there is none yet. Fails if the name is not valid for a plan.
    fn plan(&mut self, name: &str) -> Result<&mut Plan, String> {
        let name = PlanName::new(name)
            .ok_or_else(|| "must be in the section of a plan, such as [plans.business]".to_owned())?;
        Ok(self.plans().plans.entry(name).or_default())
    }

    /// Returns one problem for each pair of settings whose values are valid alone but contradict each other.
    fn conflicts(&self, given: &KeyOrigins) -> Vec<Problem> {
        let (redis, runner, fetch) = (&self.redis, &self.runner, &self.fetch);
        let show = crate::domain::duration::exact;
        let rules = [
            (
                redis.mode != LockMode::Required || redis.is_used(),
                ["redis.lock", "redis.url"],
                "redis.lock is \"required\", but redis.url is not set".to_owned(),
            ),
            (
                redis.sentinel.nodes.is_empty() || !redis.url.as_deref().is_some_and(|url| url.contains("+sentinel")),
                ["redis.sentinels", "redis.url"],
                "redis.sentinels is set, but redis.url names sentinels, too; remove one of them".to_owned(),
            ),
            (
                runner.heartbeat * 2 < runner.lease,
                ["runner.heartbeat", "runner.lease"],
                format!(
                    "runner.heartbeat ({}) must be shorter than half of runner.lease ({}), so that one missed \
                     heartbeat does not lose the lease",
                    show(runner.heartbeat),
                    show(runner.lease)
                ),
            ),
            (
                fetch.connect_timeout <= fetch.total_timeout,
                ["fetch.connect_timeout", "fetch.total_timeout"],
                format!(
                    "fetch.connect_timeout ({}) must not be longer than fetch.total_timeout ({})",
                    show(fetch.connect_timeout),
                    show(fetch.total_timeout)
                ),
            ),
            (
                fetch.read_timeout <= fetch.total_timeout,
                ["fetch.read_timeout", "fetch.total_timeout"],
                format!(
                    "fetch.read_timeout ({}) must not be longer than fetch.total_timeout ({})",
                    show(fetch.read_timeout),
                    show(fetch.total_timeout)
                ),
            ),
        ];
        let broken = rules.into_iter().filter(|(valid, ..)| !valid);
        broken.map(|(_, keys, message)| Problem { origin: given.origin(&keys), message }).collect()
    }
}

/// Origin of the value of each key with a fixed name that was set. The last source that sets a key counts.
#[derive(Debug, Default)]
struct KeyOrigins(BTreeMap<&'static str, String>);

impl KeyOrigins {
    fn set(&mut self, key: &'static str, origin: String) {
        self.0.insert(key, origin);
    }

    fn is_set(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// Returns the origin of the first of `keys` that was set, else `defaults`.
    fn origin(&self, keys: &[&str]) -> String {
        keys.iter().find_map(|key| self.0.get(key)).cloned().unwrap_or_else(|| "defaults".to_owned())
    }
}
