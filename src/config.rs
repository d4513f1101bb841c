//! The settings: defaults < file < environment < flags.
//!
//! `fetch` is its section's settings, `keys` the table of what a file may say, `read` walks a file and reads values, `places` knows where things lie by
//! default. Every mistake is named with the place where it was made, all of them at once.

mod fetch;
mod keys;
mod places;
mod read;
mod schedule;

pub use fetch::FetchConfig;
pub use places::Places;
pub use schedule::ScheduleConfig;

use crate::domain::faq_job::FaqJob;
use crate::domain::lock::LockMode;
use crate::domain::plan::PlanTable;
use crate::domain::retry::RetryPolicy;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The annotated file with every key and its default, as `quarterdeck config` prints it.
pub const TEMPLATE: &str = include_str!("../assets/config.toml");

/// Every setting, with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[store]`
    pub store: StoreConfig,
    /// `[redis]`
    pub redis: RedisConfig,
    /// `[runner]`
    pub runner: RunnerConfig,
    /// `[retry]`
    pub retry: RetryPolicy,
    /// `[fetch]`
    pub fetch: FetchConfig,
    /// `[chatwoot]`
    pub chatwoot: FaqJob,
    /// `[schedule]`
    pub schedule: ScheduleConfig,
    /// `[plans]` and `[accounts]`
    pub plans: PlanTable,
    /// `[log]`
    pub log: LogConfig,
}

/// Where documents live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreConfig {
    /// `sqlite:` and a path, or `postgres://…`. May hold a secret: never printed as it is.
    pub url: String,
}

/// The lock of each document, and the channel between processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisConfig {
    /// `redis://` or `rediss://`; `None` is no Redis. May hold a secret: never printed as it is.
    pub url: Option<String>,
    /// How much the lock is wanted.
    pub lock: LockMode,
    /// The key of a document's lock; `{id}` stands for the document.
    pub key: String,
}

impl StoreConfig {
    /// Whether it is a server's, not a file; by the URL alone.
    pub fn is_server(&self) -> bool {
        ["postgres:", "postgresql:"].iter().any(|scheme| self.url.starts_with(scheme))
    }
}

/// How jobs are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerConfig {
    /// Whether the console runs jobs itself. Unless somebody says so, not on a server: nobody's laptop starts to sync
    /// production by looking at it.
    pub enabled: bool,
    /// Attempts at a time in this process.
    pub concurrency: u32,
    /// Attempts at a time on one host, over all workers.
    pub per_host: u32,
    /// Attempts at a time for one account, over all workers; `None` is no cap.
    pub per_account: Option<u32>,
    /// How long a claim holds without a heartbeat.
    pub lease: Duration,
    /// How often a claim is renewed.
    pub heartbeat: Duration,
    /// How long running attempts may go on when the process is told to end.
    pub drain: Duration,
}

/// The rolling file of outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Its directory.
    pub dir: PathBuf,
    /// Days after which a file is removed.
    pub keep_days: u32,
}

/// What the environment says. Plain `DATABASE_URL` and `REDIS_URL` are not among it: nothing is ever written to a
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

/// What the command line says.
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
        /// What the system said.
        reason: String,
    },
    /// Mistakes in what was said, in the order of their lines.
    #[error("{}", lines(problems))]
    Wrong {
        /// At least one.
        problems: Vec<Problem>,
    },
}

/// One mistake.
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
    /// What this process was started with. An empty variable is one that is not set.
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

    /// What holds when nobody says anything.
    pub fn defaults(places: &Places) -> Self {
        let seconds = Duration::from_secs;
        Self {
            store: StoreConfig { url: format!("sqlite:{}", places.store_file.display()) },
            redis: RedisConfig {
                url: None,
                lock: LockMode::default(),
                key: "alfred:CAPTAIN_DOCUMENT_SYNC_LOCK::{id}".to_owned(),
            },
            runner: RunnerConfig {
                enabled: true,
                concurrency: 16,
                per_host: 2,
                per_account: None,
                lease: seconds(30),
                heartbeat: seconds(10),
                drain: seconds(25),
            },
            retry: RetryPolicy::default(),
            fetch: FetchConfig::default(),
            schedule: ScheduleConfig::default(),
            plans: PlanTable::default(),
            chatwoot: FaqJob::default(),
            log: LogConfig { dir: places.log_dir.clone(), keep_days: 14 },
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
                Ok(concurrency) => config.runner.concurrency = concurrency,
                Err(wrong) => problems.push(Problem { place: "--concurrency".to_owned(), message: wrong }),
            }
        }
        if !given.is_said("runner.enabled") {
            config.runner.enabled = !config.store.is_server();
        }
        if flags.no_runner || flags.runner {
            config.runner.enabled = flags.runner;
        }
        config.fetch.sources_place = given.place(&["fetch.sources"]);
        if problems.is_empty() {
            problems = config.conflicts(&given);
        }
        if problems.is_empty() { Ok(config) } else { Err(ConfigError::Wrong { problems }) }
    }

    /// Values that are right one by one and wrong together.
    fn conflicts(&self, given: &Given) -> Vec<Problem> {
        let (redis, runner, fetch) = (&self.redis, &self.runner, &self.fetch);
        let show = crate::domain::duration::exact;
        let rules = [
            (
                redis.lock != LockMode::Required || redis.url.is_some(),
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

/// Where each key was said last.
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
