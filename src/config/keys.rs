//! The tables of config keys, with the values that each key accepts.
//!
//! A key is added together with the feature that reads it, and an unknown key is an error, so no setting is silently
//! ignored. To add a key, add a field with its default to the settings of its module, and a line to [`KEYS`].

use super::addresses::{listen_address, name_server, private_host, proxy, web_url};
use super::readers::{InvalidValue, duration, flag, list, size, text, whole};
use super::{Config, key_bindings, sites};
use crate::chatwoot::faq_job::FaqSwitch;
use crate::domain::calendar::DayWindow;
use crate::domain::id::AccountId;
use crate::domain::lock::LockMode;
use crate::domain::log_level::LogLevel;
use crate::domain::plan::{Cadence, PlanName, Timetable};
use crate::domain::schedule::DueRules;
use crate::domain::secret::Secret;
use crate::domain::site_rule::WrittenText;
use crate::lock::check_key;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;

/// Function that sets a field of the settings from a value. The error says which values are valid.
pub(super) type SetValue = fn(&mut Config, &DeValue<'_>) -> Result<(), InvalidValue>;

/// A key of the file with a fixed name.
pub(super) struct Key {
    /// Full name with its section, such as `runner.lease`.
    pub(super) name: &'static str,
    pub(super) set: SetValue,
    pub(super) effect: KeyEffect,
}

/// Time at which a changed value takes effect in a worker that reads its settings again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyEffect {
    /// Effect at the signal HUP.
    AtReload,
    /// Effect at the worker's next start.
    AtStart,
}

/// Upper bound of settings that count documents or jobs: above every sensible value.
const MAX_COUNT: i64 = 1_000_000_000;
/// The word for what is never removed.
const FOREVER: &str = "forever";
const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);
const TENTH_SECOND: Duration = Duration::from_millis(100);

/// All keys with fixed names: name, field, reader and range of each on one line.
pub(super) const KEYS: &[Key] = &[
    fixed("store.url", |c, v| put(&mut c.store.url, store_url(text(v)?))),
    fixed("store.group", |c, v| put(&mut c.store.group, flag(v))),
    fixed("redis.url", |c, v| put_some(&mut c.redis.url, redis_url(text(v)?))),
    fixed("redis.sentinels", |c, v| put(&mut c.redis.sentinel.nodes, sentinels(v))),
    fixed("redis.sentinel_master", |c, v| put_some(&mut c.redis.sentinel.master, text(v).map(str::to_owned))),
    fixed("redis.sentinel_user", |c, v| put_some(&mut c.redis.sentinel.user, text(v).map(str::to_owned))),
    fixed("redis.sentinel_password", |c, v| put_some(&mut c.redis.sentinel.password, secret(v))),
    fixed("redis.ca_file", |c, v| put_some(&mut c.redis.ca_file, file(text(v)?))),
    fixed("redis.lock", |c, v| put(&mut c.redis.mode, lock_mode(text(v)?))),
    fixed("redis.key", |c, v| put(&mut c.redis.key, lock_key(text(v)?))),
    fixed("console.plain", |c, v| put(&mut c.plain_console, flag(v))),
    fixed("runner.enabled", |c, v| put(&mut c.console_runs_jobs, flag(v))),
    key("runner.concurrency", |c, v| put(&mut c.runner.slots, whole(v, 1..=1_024))),
    key("runner.per_host", |c, v| put(&mut c.runner.per_host, whole(v, 1..=1_024))),
    key("runner.per_account", |c, v| put_some(&mut c.runner.per_account, whole(v, 1..=1_024))),
    fixed("runner.lease", |c, v| put(&mut c.runner.lease, duration(v, SECOND..=HOUR))),
    fixed("runner.heartbeat", |c, v| put(&mut c.runner.heartbeat, duration(v, TENTH_SECOND..=HOUR))),
    key("runner.drain", |c, v| put(&mut c.runner.drain, duration(v, Duration::ZERO..=HOUR))),
    key("retry.transient_waits", |c, v| put(&mut c.runner.policy.transient_waits, waits(v))),
    key("retry.unexpected_waits", |c, v| put(&mut c.runner.policy.unexpected_waits, waits(v))),
    key("fetch.connect_timeout", |c, v| put(&mut c.fetch.connect_timeout, duration(v, TENTH_SECOND..=HOUR))),
    key("fetch.read_timeout", |c, v| put(&mut c.fetch.read_timeout, duration(v, TENTH_SECOND..=HOUR))),
    key("fetch.total_timeout", |c, v| put(&mut c.fetch.total_timeout, duration(v, TENTH_SECOND..=HOUR))),
    key("fetch.host_interval", |c, v| put(&mut c.runner.host_interval, duration(v, Duration::ZERO..=HOUR))),
    key("fetch.max_body", |c, v| put(&mut c.fetch.max_body, size(v, 1_024..=1 << 30))),
    key("fetch.max_memory", |c, v| put(&mut c.fetch.max_memory, size(v, 1 << 20..=1 << 40))),
    key("fetch.max_redirects", |c, v| put(&mut c.fetch.max_redirects, whole(v, 0..=50))),
    key("fetch.user_agent", |c, v| put(&mut c.fetch.user_agent, user_agent(text(v)?))),
    key("fetch.respect_robots", |c, v| put(&mut c.fetch.respect_robots, flag(v))),
    key("fetch.from_installation", |c, v| put(&mut c.runner.follows_installation, flag(v))),
    key("fetch.firecrawl.api_key", |c, v| put_some(&mut c.fetch.firecrawl.api_key, api_key(text(v)?))),
    key("fetch.firecrawl.url", |c, v| put(&mut c.fetch.firecrawl.url, web_url(text(v)?))),
    key("fetch.firecrawl.version", |c, v| put_some(&mut c.fetch.firecrawl.version, whole(v, 1..=2))),
    key("fetch.extract", |c, v| put_some(&mut c.fetch.extract, written_text(text(v)?))),
    key("fetch.sites", |c, v| put(&mut c.fetch.sites, sites::read(v))),
    key("fetch.allow_private_hosts", |c, v| put(&mut c.fetch.allow_private_hosts, list(v, private_host))),
    key("fetch.dns_servers", |c, v| put(&mut c.fetch.dns_servers, list(v, name_server))),
    key("fetch.proxy", |c, v| put_some(&mut c.fetch.proxy, proxy(text(v)?))),
    key("fetch.denied_ports", |c, v| put(&mut c.fetch.denied_ports, list(v, |v| whole(v, 1..=65_535)))),
    fixed("chatwoot.enqueue_faq_job", |c, v| put(&mut c.faq_job.switch, flag(v).map(switch))),
    fixed("chatwoot.wrapper_class", |c, v| put_some(&mut c.faq_job.wrapper, sidekiq_name(text(v)?))),
    fixed("chatwoot.faq_queue", |c, v| put(&mut c.faq_job.queue, faq_queue(text(v)?))),
    key("schedule.enabled", |c, v| put_some(&mut c.schedule.enabled, flag(v))),
    key("schedule.rules", |c, v| put(&mut c.schedule.terms.rules, rules(text(v)?))),
    key("schedule.per_account", |c, v| put_some(&mut c.schedule.terms.per_account, whole(v, 1..=MAX_COUNT))),
    key("schedule.total", |c, v| put_some(&mut c.schedule.terms.total, whole(v, 1..=MAX_COUNT))),
    key("schedule.queue_depth", |c, v| put(&mut c.schedule.terms.queue_depth, whole(v, 1..=MAX_COUNT))),
    key("plans.default", |c, v| put_some(&mut c.plans().default, plan_name(text(v)?))),
    key("retention.outcomes", |c, v| put(&mut c.runner.retention.outcomes, kept_for(v))),
    key("retention.max_outcomes", |c, v| put(&mut c.runner.retention.max_outcomes, kept_number(v))),
    fixed("retention.versions", |c, v| put(&mut c.runner.retention.versions, whole(v, 0..=1_000))),
    key("retention.jobs", |c, v| put(&mut c.runner.retention.jobs, kept_for(v))),
    fixed("log.dir", |c, v| put(&mut c.log.dir, directory(text(v)?))),
    fixed("log.keep_days", |c, v| put(&mut c.log.keep_days, whole(v, 1..=3_650))),
    fixed("errors.sentry_dsn", |c, v| put_some(&mut c.errors.source, sites::secret_or_source(v))),
    fixed("notify.allow_private_hosts", |c, v| put(&mut c.notify.allow_private_hosts, list(v, private_host))),
    fixed("metrics.listen", |c, v| put_some(&mut c.metrics, listen_address(text(v)?))),
    key("log.level", |c, v| put(&mut c.log.level, log_level(text(v)?))),
];

/// Renamed keys, as pairs of old and new name: the old name still works, with a warning.
pub(super) const RENAMED: &[(&str, &str)] = &[("fetch.sources", "fetch.sites")];

const fn key(name: &'static str, set: SetValue) -> Key {
    Key { name, set, effect: KeyEffect::AtReload }
}

/// Does the same as [`key`] for a key that takes effect at the next start.
const fn fixed(name: &'static str, set: SetValue) -> Key {
    Key { name, set, effect: KeyEffect::AtStart }
}

/// Stores a value in `field`, or returns the error of reading the value.
fn put<T>(field: &mut T, value: Result<T, InvalidValue>) -> Result<(), InvalidValue> {
    *field = value?;
    Ok(())
}

/// Does the same as [`put`] for an optional field.
fn put_some<T>(field: &mut Option<T>, value: Result<T, InvalidValue>) -> Result<(), InvalidValue> {
    put(field, value.map(Some))
}

/// A key whose path contains a name (a plan's, a sink's, or that of an action of the console), or an account's number.
pub(super) struct NamedKey {
    /// Full name with its section; `NAME` stands for the name of a plan, a sink or an action, `ID` for the number of an
    /// account.
    pub(super) name: &'static str,
    pub(super) effect: KeyEffect,
    /// Function that sets the field, from the name or the account's number and the value.
    pub(super) set: fn(&mut Config, &str, &DeValue<'_>) -> Result<(), InvalidValue>,
}

macro_rules! sink_key {
    ($key:literal) => {
        NamedKey {
            name: concat!("notify.NAME.", $key),
            effect: KeyEffect::AtStart,
            set: |c, name, v| c.notify.set(name, $key, v),
        }
    };
}

/// All keys with a name or an account's number in their path. Sinks, which start programs, come from the file alone.
pub(super) const NAMED_KEYS: &[NamedKey] = &[
    NamedKey {
        name: "plans.NAME.every",
        effect: KeyEffect::AtReload,
        set: |c, name, v| {
            let every = duration(v, Cadence::MIN..=Cadence::MAX)?;
            c.plan(name)?.cadence = Cadence::new(every);
            Ok(())
        },
    },
    NamedKey {
        name: "plans.NAME.at",
        effect: KeyEffect::AtReload,
        set: |c, name, v| put_some(&mut c.plan(name)?.at, Timetable::parse(text(v)?)),
    },
    NamedKey {
        name: "plans.NAME.between",
        effect: KeyEffect::AtReload,
        set: |c, name, v| put_some(&mut c.plan(name)?.between, DayWindow::parse(text(v)?)),
    },
    NamedKey {
        name: "plans.NAME.weight",
        effect: KeyEffect::AtReload,
        set: |c, name, v| put_some(&mut c.plan(name)?.weight, whole(v, 1..=1_000)),
    },
    NamedKey {
        name: "plans.NAME.max_running",
        effect: KeyEffect::AtReload,
        set: |c, name, v| put_some(&mut c.plan(name)?.max_running, whole(v, 1..=1_024)),
    },
    NamedKey {
        name: "accounts.ID",
        effect: KeyEffect::AtReload,
        set: |c, id, v| {
            let plan = plan_name(text(v)?)?;
            let id = id.parse().map_err(|_| "must be the number of an account".to_owned())?;
            c.plans().accounts.insert(AccountId(id), plan);
            Ok(())
        },
    },
    NamedKey {
        name: "keys.NAME",
        effect: KeyEffect::AtStart,
        set: |c, action, v| key_bindings::set(&mut c.keys, action, v),
    },
    sink_key!("kind"),
    sink_key!("url"),
    sink_key!("argv"),
    sink_key!("on"),
    sink_key!("quiet"),
    sink_key!("secret_file"),
    sink_key!("include_content"),
];

impl NamedKey {
    /// Returns true for the keys of sinks.
    pub(super) fn is_of_sink(&self) -> bool {
        self.name.starts_with("notify.")
    }

    /// Returns the part of `path` in place of `NAME` or `ID`; `None` if `path` is not a path of this key.
    pub(super) fn name_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mark = if self.name.contains("NAME") { "NAME" } else { "ID" };
        let (before, after) = self.name.split_once(mark)?;
        let name = path.strip_prefix(before)?.strip_suffix(after)?;
        if name.is_empty() || name.contains('.') { None } else { Some(name) }
    }

    /// Returns true if `path` is a section that contains this key.
    pub(super) fn has_section(&self, path: &str) -> bool {
        let mut own = self.name.split('.');
        let fits =
            path.split('.').all(|part| own.next().is_some_and(|own| own == part || own == "NAME" && part != "default"));
        fits && own.next().is_some()
    }
}

/// Reads the age from which something is removed, at least a day; `None` for "forever".
fn kept_for(value: &DeValue<'_>) -> Result<Option<Duration>, InvalidValue> {
    if value.as_str() == Some(FOREVER) {
        return Ok(None);
    }
    duration(value, DAY..=DAY * 36_500).map(Some).map_err(|wrong| or_forever(&wrong))
}

/// Adds the word to the message about a value that is not valid.
fn or_forever(wrong: &str) -> InvalidValue {
    wrong.replacen("must be", &format!("must be \"{FOREVER}\" or"), 1)
}

/// Reads the number above which the oldest are removed; `None` for "forever".
fn kept_number(value: &DeValue<'_>) -> Result<Option<u64>, InvalidValue> {
    if value.as_str() == Some(FOREVER) {
        return Ok(None);
    }
    whole(value, 1..=MAX_COUNT).map(Some).map_err(|wrong| or_forever(&wrong))
}

fn rules(word: &str) -> Result<DueRules, InvalidValue> {
    DueRules::parse(word).ok_or_else(|| format!("must be \"continuous\" or \"chatwoot\", not \"{word}\""))
}

fn plan_name(name: &str) -> Result<PlanName, InvalidValue> {
    PlanName::new(name).ok_or_else(|| "must name a plan from the section [plans]".to_owned())
}

/// Returns a store's URL without white space at its ends. Refuses a blank URL; the store checks the rest when it is
/// opened.
pub(super) fn store_url(url: &str) -> Result<String, InvalidValue> {
    match url.trim() {
        "" => Err("must be the URL of a store, such as sqlite:/var/lib/quarterdeck/quarterdeck.db".to_owned()),
        url => Ok(url.to_owned()),
    }
}

/// Returns the URL of a Redis without white space at its ends, if its scheme is right; the module `lock` checks the
/// rest. Messages never repeat the URL: it may contain a password.
pub(super) fn redis_url(url: &str) -> Result<String, InvalidValue> {
    let url = url.trim();
    let known = ["redis://", "rediss://", "redis+sentinel://", "redis+sentinels://", "rediss+sentinel://"];
    if known.iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
        Ok(url.to_owned())
    } else {
        Err("must be the URL of a Redis, such as redis://:password@host:6379/0, rediss://… or redis+sentinel://…"
            .to_owned())
    }
}

/// Reads the addresses of sentinels: a list, or a text with commas, as in Chatwoot's `REDIS_SENTINELS`. The module `lock`
/// checks each.
fn sentinels(value: &DeValue<'_>) -> Result<Vec<String>, InvalidValue> {
    match value.as_str() {
        Some(text) => Ok(text.split(',').map(|node| node.trim().to_owned()).collect()),
        None => list(value, |value| text(value).map(str::to_owned)),
    }
}

/// Reads a password. Messages never repeat it.
fn secret(value: &DeValue<'_>) -> Result<Secret, InvalidValue> {
    value.as_str().map(Secret::new).ok_or_else(|| format!("must be a text in quotes, not a {}", value.type_str()))
}

fn switch(on: bool) -> FaqSwitch {
    if on { FaqSwitch::On } else { FaqSwitch::Off }
}

/// Reads the name of a Sidekiq class or queue.
fn sidekiq_name(name: &str) -> Result<String, InvalidValue> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    if name.is_empty() || !name.chars().all(known) {
        return Err(format!("must be a name of letters, digits, ':', '_' and '-', not \"{name}\""));
    }
    Ok(name.to_owned())
}

/// Reads the name of Sidekiq's queue; `auto` is none.
fn faq_queue(name: &str) -> Result<Option<String>, InvalidValue> {
    if name == "auto" { Ok(None) } else { sidekiq_name(name).map(Some) }
}

fn lock_mode(word: &str) -> Result<LockMode, InvalidValue> {
    LockMode::parse(word).ok_or_else(|| format!("must be \"required\", \"preferred\" or \"off\", not \"{word}\""))
}

fn log_level(word: &str) -> Result<LogLevel, InvalidValue> {
    let words = LogLevel::ALL.map(|level| format!("\"{}\"", level.word())).join(", ");
    LogLevel::parse(word).ok_or_else(|| format!("must be one of {words}, not \"{word}\""))
}

fn written_text(word: &str) -> Result<WrittenText, InvalidValue> {
    WrittenText::parse(word).ok_or_else(|| format!("must be \"chatwoot\" or \"main\", not \"{word}\""))
}

fn lock_key(key: &str) -> Result<String, InvalidValue> {
    let wrong = |_| format!("must contain {{id}} once, in place of the document's id, unlike \"{key}\"");
    check_key(key).map(|()| key.to_owned()).map_err(wrong)
}

/// Checks the number of `--concurrency` against the range of `runner.concurrency`.
pub(super) fn concurrency(number: i64) -> Result<u32, InvalidValue> {
    let accepted = u32::try_from(number).ok().filter(|number| (1..=1_024).contains(number));
    accepted.ok_or_else(|| format!("must be a whole number from 1 to 1024, not {number}"))
}

fn waits(value: &DeValue<'_>) -> Result<Vec<Duration>, InvalidValue> {
    let waits = list(value, |value| duration(value, Duration::ZERO..=DAY))?;
    if waits.len() > 20 { Err("must not list more than 20 waits".to_owned()) } else { Ok(waits) }
}

fn user_agent(name: &str) -> Result<String, InvalidValue> {
    let printable = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if printable && !name.trim().is_empty() {
        Ok(name.to_owned())
    } else {
        Err("must be a name of printable ASCII characters".to_owned())
    }
}

fn file(path: &str) -> Result<PathBuf, InvalidValue> {
    if path.is_empty() { Err("must name a file".to_owned()) } else { Ok(PathBuf::from(path)) }
}

fn directory(path: &str) -> Result<PathBuf, InvalidValue> {
    if path.is_empty() { Err("must name a directory".to_owned()) } else { Ok(PathBuf::from(path)) }
}

/// Reads an API key. Messages never repeat the key, which is a secret.
fn api_key(key: &str) -> Result<Secret, InvalidValue> {
    let printable = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    if printable { Ok(Secret::new(key)) } else { Err("must be a key of printable ASCII characters".to_owned()) }
}
