//! The settings: defaults < file < environment < flags.
//!
//! Each module owns the type and the defaults of its settings; this one fills them. `keys` is the table of what a file may
//! say (`sites` reads its longest value), `read` walks a file and reads values, `places` knows where things lie by default.
//! Every mistake is named with the place where it was made, all of them at once.

mod keys;
mod places;
mod read;
mod sites;

pub use places::Places;

use crate::chatwoot::faq_job::FaqSettings;
use crate::domain::lock::LockMode;
use crate::domain::plan::{Plan, PlanName, PlanTable};
use crate::fetch::FetchSettings;
use crate::runner::Scheduling;
use crate::runner::log::LogSettings;
use crate::{lock, runner};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The annotated file with every key and its default, as `quarterdeck config` prints it.
pub const TEMPLATE: &str = include_str!("../assets/config.toml");

/// Every setting, with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[store]`
    pub store: StoreConfig,
    /// `[redis]`
    pub redis: lock::Settings,
    /// `runner.enabled`: whether the console runs jobs itself. Unless somebody says so, not on a server: nobody's laptop
    /// starts to sync production by looking at it.
    pub console_runs_jobs: bool,
    /// `[runner]`, `[retry]` and `fetch.host_interval`
    pub runner: runner::Settings,
    /// `[chatwoot]`
    pub faq_job: FaqSettings,
    /// `[fetch]`
    pub fetch: FetchSettings,
    /// `[schedule]`, `[plans]` and `[accounts]`
    pub schedule: Scheduling,
    /// `[log]`
    pub log: LogSettings,
    /// Outdated parts of the file.
    pub warnings: Vec<Problem>,
}

/// Place of the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// `sqlite:` and a path, or `postgres://…`. May hold a secret: never printed as it is.
    pub url: String,
}

impl StoreConfig {
    /// Returns true if the URL names a server, not a file.
    pub fn is_server(&self) -> bool {
        ["postgres:", "postgresql:"].iter().any(|scheme| self.url.starts_with(scheme))
    }
}

/// Settings from the environment. Plain `DATABASE_URL` and `REDIS_URL` are not read: nothing may be written to a
/// database that nobody named for this program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `QUARTERDECK_STORE`
    pub store: Option<String>,
    /// `QUARTERDECK_REDIS`
    pub redis: Option<String>,
    /// `QUARTERDECK_CONFIG`
    pub config: Option<PathBuf>,
}

/// Settings from the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--store`
    pub store: Option<String>,
    /// `--redis`
    pub redis: Option<String>,
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--concurrency`
    pub concurrency: Option<u32>,
    /// `--no-runner`
    pub no_runner: bool,
    /// `--runner`
    pub runner: bool,
}

/// Why there are no settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The XDG directories cannot be told.
    #[error("the home directory is not known: set HOME, or XDG_CONFIG_HOME, XDG_DATA_HOME and XDG_STATE_HOME")]
    NoHome,
    /// A file that was named does not exist, or the default one cannot be read.
    #[error("cannot read the config file {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// Mistakes in what was said, in the order of their lines.
    #[error("{}", lines(problems))]
    Wrong {
        /// At least one.
        problems: Vec<Problem>,
    },
}

/// A mistake in the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// `FILE:LINE`, a variable or a flag.
    pub place: String,
    /// The key and what is wrong with it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

impl Environment {
    /// Reads this process's environment. An empty variable counts as not set.
    pub fn read() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            store: variable("QUARTERDECK_STORE").map(|value| value.to_string_lossy().into_owned()),
            redis: variable("QUARTERDECK_REDIS").map(|value| value.to_string_lossy().into_owned()),
            config: variable("QUARTERDECK_CONFIG").map(PathBuf::from),
        }
    }
}

impl Config {
    /// The names of every key, with their sections.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        keys::KEYS.iter().map(|key| key.name).chain(keys::NAMED_KEYS.iter().map(|key| key.name))
    }

    /// Returns the settings without file, environment and flags.
    pub fn defaults(places: &Places) -> Self {
        Self {
            store: StoreConfig { url: format!("sqlite:{}", places.store_file.display()) },
            redis: lock::Settings::default(),
            console_runs_jobs: true,
            runner: runner::Settings::default(),
            faq_job: FaqSettings::default(),
            fetch: FetchSettings::default(),
            schedule: Scheduling::default(),
            log: LogSettings { dir: places.log_dir.clone(), keep_days: 14 },
            warnings: Vec::new(),
        }
    }

    /// The file that is read, and whether somebody named it.
    pub fn file<'a>(places: &'a Places, environment: &'a Environment, flags: &'a Flags) -> (&'a Path, bool) {
        let named = flags.config.as_deref().or(environment.config.as_deref());
        (named.unwrap_or(&places.config_file), named.is_some())
    }

    /// Puts together what everybody says. A file named by flag or variable must exist; the default one may be missing.
    pub fn load(places: &Places, environment: &Environment, flags: &Flags) -> Result<Self, ConfigError> {
        let (path, named) = Self::file(places, environment, flags);
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => String::new(),
            Err(error) => {
                return Err(ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() });
            }
        };
        Self::from_parts(places, path, &text, environment, flags)
    }

    /// The same with the file's text at hand.
    pub fn from_parts(
        places: &Places,
        path: &Path,
        text: &str,
        environment: &Environment,
        flags: &Flags,
    ) -> Result<Self, ConfigError> {
        let mut config = Self::defaults(places);
        let mut given = Given::default();
        let mut problems = read::file(&mut config, &mut given, path, text);
        for (place, store) in [("QUARTERDECK_STORE", &environment.store), ("--store", &flags.store)] {
            if let Some(url) = store {
                given.set("store.url", place.to_owned());
                match keys::store_url(url) {
                    Ok(url) => config.store.url = url,
                    Err(wrong) => problems.push(Problem { place: place.to_owned(), message: wrong }),
                }
            }
        }
        for (place, redis) in [("QUARTERDECK_REDIS", &environment.redis), ("--redis", &flags.redis)] {
            if let Some(url) = redis {
                given.set("redis.url", place.to_owned());
                match keys::redis_url(url) {
                    Ok(url) => config.redis.url = Some(url),
                    Err(wrong) => problems.push(Problem { place: place.to_owned(), message: wrong }),
                }
            }
        }
        if let Some(concurrency) = flags.concurrency {
            given.set("runner.concurrency", "--concurrency".to_owned());
            match keys::concurrency(i64::from(concurrency)) {
                Ok(concurrency) => config.runner.slots = concurrency,
                Err(wrong) => problems.push(Problem { place: "--concurrency".to_owned(), message: wrong }),
            }
        }
        if !given.is_said("runner.enabled") {
            config.console_runs_jobs = !config.store.is_server();
        }
        if flags.no_runner || flags.runner {
            config.console_runs_jobs = flags.runner;
        }
        if problems.is_empty() {
            problems = config.conflicts(&given);
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Wrong { problems }) }
    }

    /// The plans of `[plans]`, and who has them.
    fn plans(&mut self) -> &mut PlanTable {
        &mut self.schedule.terms.plans
    }

    /// The plan of this name, made when there is none yet.
    fn plan(&mut self, name: &str) -> Result<&mut Plan, String> {
        let name = PlanName::new(name).ok_or_else(|| "must stand under the name of a plan".to_owned())?;
        Ok(self.plans().plans.entry(name).or_default())
    }

    /// Values that are right one by one and wrong together.
    fn conflicts(&self, given: &Given) -> Vec<Problem> {
        let (redis, runner, fetch) = (&self.redis, &self.runner, &self.fetch);
        let show = crate::domain::duration::exact;
        let rules = [
            (
                redis.mode != LockMode::Required || redis.url.is_some(),
                ["redis.lock", "redis.url"],
                "redis.lock is \"required\", and no redis.url says where Redis is".to_owned(),
            ),
            (
                runner.heartbeat * 2 < runner.lease,
                ["runner.heartbeat", "runner.lease"],
                format!(
                    "runner.heartbeat ({}) must be shorter than half of runner.lease ({}), so that one lost beat does \
                     not cost the claim",
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
        let broken = rules.into_iter().filter(|(holds, ..)| !holds);
        broken.map(|(_, keys, message)| Problem { place: given.place(&keys), message }).collect()
    }
}

/// Place at which each key was last set.
#[derive(Debug, Default)]
struct Given(BTreeMap<&'static str, String>);

impl Given {
    fn set(&mut self, key: &'static str, place: String) {
        self.0.insert(key, place);
    }

    fn is_said(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The place of the first of `keys` that somebody said.
    fn place(&self, keys: &[&str]) -> String {
        keys.iter().find_map(|key| self.0.get(key)).cloned().unwrap_or_else(|| "defaults".to_owned())
    }
}
