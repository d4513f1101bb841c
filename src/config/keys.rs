//! The table of keys: what a config file may say, and what of it is accepted.
//!
//! A key appears here with the feature that reads it; one that nobody reads is an error, so that a setting never seems
//! to work and does not.

use super::Config;
use super::read::{Wrong, duration, flag, list, size, text, whole};
use crate::chatwoot::faq_job::FaqSwitch;
use crate::domain::id::{AccountId, DocumentId};
use crate::domain::lock::LockMode;
use crate::domain::plan::{Cadence, PlanName};
use crate::domain::schedule::DueRules;
use crate::domain::secret::Secret;
use crate::domain::source::{Extract, FetchedBy, Source, Sources};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;
use url::Url;

/// Sets a value, or says what would be right.
pub(super) type Set = fn(&mut Config, &DeValue<'_>) -> Result<(), Wrong>;

/// One key.
pub(super) struct Key {
    /// With its section.
    pub(super) name: &'static str,
    /// What it does to the settings.
    pub(super) set: Set,
}

/// More than any number that makes sense.
const MANY: i64 = 1_000_000_000;
const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);
const TENTH: Duration = Duration::from_millis(100);

/// Every key.
pub(super) const KEYS: [Key; 41] = [
    Key { name: "store.url", set: |c, v| store_url(text(v)?).map(|url| c.store.url = url) },
    Key { name: "redis.url", set: |c, v| redis_url(text(v)?).map(|url| c.redis.url = Some(url)) },
    Key { name: "redis.lock", set: |c, v| lock_mode(text(v)?).map(|mode| c.redis.lock = mode) },
    Key { name: "redis.key", set: |c, v| lock_key(text(v)?).map(|key| c.redis.key = key) },
    Key { name: "runner.enabled", set: |c, v| flag(v).map(|on| c.runner.enabled = on) },
    Key { name: "runner.concurrency", set: |c, v| whole(v, 1..=1_024).map(|n| c.runner.concurrency = n) },
    Key { name: "runner.per_host", set: |c, v| whole(v, 1..=1_024).map(|n| c.runner.per_host = n) },
    Key { name: "runner.per_account", set: |c, v| whole(v, 1..=1_024).map(|n| c.runner.per_account = Some(n)) },
    Key { name: "runner.lease", set: |c, v| duration(v, SECOND..=HOUR).map(|d| c.runner.lease = d) },
    Key { name: "runner.heartbeat", set: |c, v| duration(v, TENTH..=HOUR).map(|d| c.runner.heartbeat = d) },
    Key { name: "runner.drain", set: |c, v| duration(v, Duration::ZERO..=HOUR).map(|d| c.runner.drain = d) },
    Key { name: "retry.transient_waits", set: |c, v| waits(v).map(|waits| c.retry.transient_waits = waits) },
    Key { name: "retry.unexpected_waits", set: |c, v| waits(v).map(|waits| c.retry.unexpected_waits = waits) },
    Key { name: "fetch.connect_timeout", set: |c, v| duration(v, TENTH..=HOUR).map(|d| c.fetch.connect_timeout = d) },
    Key { name: "fetch.read_timeout", set: |c, v| duration(v, TENTH..=HOUR).map(|d| c.fetch.read_timeout = d) },
    Key { name: "fetch.total_timeout", set: |c, v| duration(v, TENTH..=HOUR).map(|d| c.fetch.total_timeout = d) },
    Key {
        name: "fetch.host_interval",
        set: |c, v| duration(v, Duration::ZERO..=HOUR).map(|d| c.fetch.host_interval = d),
    },
    Key { name: "fetch.max_body", set: |c, v| size(v, 1_024..=1 << 30).map(|bytes| c.fetch.max_body = bytes) },
    Key { name: "fetch.max_memory", set: |c, v| size(v, 1 << 20..=1 << 40).map(|bytes| c.fetch.max_memory = bytes) },
    Key { name: "fetch.max_redirects", set: |c, v| whole(v, 0..=50).map(|n| c.fetch.max_redirects = n) },
    Key { name: "fetch.user_agent", set: |c, v| user_agent(text(v)?).map(|name| c.fetch.user_agent = name) },
    Key { name: "fetch.respect_robots", set: |c, v| flag(v).map(|on| c.fetch.respect_robots = on) },
    Key {
        name: "fetch.firecrawl.api_key",
        set: |c, v| api_key(text(v)?).map(|key| c.fetch.firecrawl_api_key = Some(key)),
    },
    Key { name: "fetch.firecrawl.url", set: |c, v| web_url(text(v)?).map(|url| c.fetch.firecrawl_url = url) },
    Key { name: "fetch.firecrawl.version", set: |c, v| whole(v, 1..=2).map(|n| c.fetch.firecrawl_version = n) },
    Key { name: "fetch.sources", set: |c, v| sources(v).map(|sources| c.fetch.sources = sources) },
    Key {
        name: "fetch.allow_private_hosts",
        set: |c, v| list(v, |v| private_host(text(v)?)).map(|hosts| c.fetch.allow_private_hosts = hosts),
    },
    Key {
        name: "fetch.dns_servers",
        set: |c, v| list(v, |v| name_server(text(v)?)).map(|servers| c.fetch.dns_servers = servers),
    },
    Key { name: "fetch.proxy", set: |c, v| proxy(text(v)?).map(|url| c.fetch.proxy = Some(url)) },
    Key {
        name: "fetch.denied_ports",
        set: |c, v| list(v, |v| whole(v, 1..=65_535)).map(|ports| c.fetch.denied_ports = ports),
    },
    Key { name: "chatwoot.enqueue_faq_job", set: |c, v| flag(v).map(|on| c.chatwoot.switch = switch(on)) },
    Key {
        name: "chatwoot.wrapper_class",
        set: |c, v| sidekiq_name(text(v)?).map(|name| c.chatwoot.wrapper = Some(name)),
    },
    Key { name: "chatwoot.faq_queue", set: |c, v| sidekiq_name(text(v)?).map(|name| c.chatwoot.queue = name) },
    Key { name: "schedule.enabled", set: |c, v| flag(v).map(|on| c.schedule.enabled = Some(on)) },
    Key { name: "schedule.rules", set: |c, v| rules(text(v)?).map(|rules| c.schedule.rules = rules) },
    Key { name: "schedule.per_account", set: |c, v| whole(v, 1..=MANY).map(|n| c.schedule.per_account = Some(n)) },
    Key { name: "schedule.total", set: |c, v| whole(v, 1..=MANY).map(|n| c.schedule.total = Some(n)) },
    Key { name: "schedule.queue_depth", set: |c, v| whole(v, 1..=MANY).map(|n| c.schedule.queue_depth = n) },
    Key { name: "plans.default", set: |c, v| plan_name(text(v)?).map(|name| c.plans.default = Some(name)) },
    Key { name: "log.dir", set: |c, v| directory(text(v)?).map(|dir| c.log.dir = dir) },
    Key { name: "log.keep_days", set: |c, v| whole(v, 1..=3_650).map(|days| c.log.keep_days = days) },
];

/// A key whose path holds a name that is the reader's own.
pub(super) struct NamedKey {
    /// With its section; `NAME` or `ID` stands for the reader's name.
    pub(super) name: &'static str,
    /// What it does to the settings for that name.
    pub(super) set: fn(&mut Config, &str, &DeValue<'_>) -> Result<(), Wrong>,
}

/// Every such key.
pub(super) const NAMED_KEYS: [NamedKey; 4] = [
    NamedKey {
        name: "plans.NAME.every",
        set: |c, name, v| {
            let every = duration(v, Cadence::SHORTEST..=Cadence::LONGEST)?;
            c.plan(name)?.every = Cadence::new(every);
            Ok(())
        },
    },
    NamedKey {
        name: "plans.NAME.weight",
        set: |c, name, v| {
            c.plan(name)?.weight = Some(whole(v, 1..=1_000)?);
            Ok(())
        },
    },
    NamedKey {
        name: "plans.NAME.max_running",
        set: |c, name, v| {
            c.plan(name)?.max_running = Some(whole(v, 1..=1_024)?);
            Ok(())
        },
    },
    NamedKey {
        name: "accounts.ID",
        set: |c, id, v| {
            let plan = plan_name(text(v)?)?;
            let id = id.parse().map_err(|_| "must be the number of an account".to_owned())?;
            c.plans.accounts.insert(AccountId(id), plan);
            Ok(())
        },
    },
];

impl NamedKey {
    /// The reader's name in `path`, if it is a path of this key.
    pub(super) fn name_in<'a>(&self, path: &'a str) -> Option<&'a str> {
        let mark = if self.name.contains("NAME") { "NAME" } else { "ID" };
        let (before, after) = self.name.split_once(mark)?;
        let name = path.strip_prefix(before)?.strip_suffix(after)?;
        if name.is_empty() || name.contains('.') { None } else { Some(name) }
    }

    /// Whether `path` is a section above this key.
    pub(super) fn is_below(&self, path: &str) -> bool {
        let mut own = self.name.split('.');
        let fits =
            path.split('.').all(|part| own.next().is_some_and(|own| own == part || own == "NAME" && part != "default"));
        fits && own.next().is_some()
    }
}

fn rules(word: &str) -> Result<DueRules, Wrong> {
    DueRules::parse(word).ok_or_else(|| format!("must be \"continuous\" or \"chatwoot\", not \"{word}\""))
}

fn plan_name(name: &str) -> Result<PlanName, Wrong> {
    PlanName::new(name).ok_or_else(|| "must name a plan, which stands under [plans]".to_owned())
}

/// A store's address: not empty; what it must look like is the store's to say.
pub(super) fn store_url(url: &str) -> Result<String, Wrong> {
    match url.trim() {
        "" => Err("must name a store, such as sqlite:/var/lib/quarterdeck/quarterdeck.db".to_owned()),
        url => Ok(url.to_owned()),
    }
}

/// A Redis's address: its scheme; the rest is the lock's to say. It is never repeated: it may hold a password.
pub(super) fn redis_url(url: &str) -> Result<String, Wrong> {
    let url = url.trim();
    if ["redis://", "rediss://"].iter().any(|scheme| url.len() > scheme.len() && url.starts_with(scheme)) {
        Ok(url.to_owned())
    } else {
        Err("must be the URL of a Redis, such as redis://:password@host:6379/0 or rediss://…".to_owned())
    }
}

fn switch(on: bool) -> FaqSwitch {
    if on { FaqSwitch::On } else { FaqSwitch::Off }
}

/// A class or a queue of Sidekiq.
fn sidekiq_name(name: &str) -> Result<String, Wrong> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
    if name.is_empty() || !name.chars().all(known) {
        return Err(format!("must be a name of letters, digits, ':', '_' and '-', not \"{name}\""));
    }
    Ok(name.to_owned())
}

fn lock_mode(word: &str) -> Result<LockMode, Wrong> {
    LockMode::parse(word).ok_or_else(|| format!("must be \"required\", \"preferred\" or \"off\", not \"{word}\""))
}

fn lock_key(key: &str) -> Result<String, Wrong> {
    if key.matches("{id}").count() == 1 {
        Ok(key.to_owned())
    } else {
        Err(format!("must hold {{id}} once, where the document's id stands, unlike \"{key}\""))
    }
}

/// The flag's number, under the same bounds as the key's.
pub(super) fn concurrency(number: i64) -> Result<u32, Wrong> {
    let accepted = u32::try_from(number).ok().filter(|number| (1..=1_024).contains(number));
    accepted.ok_or_else(|| format!("must be a whole number from 1 to 1024, not {number}"))
}

fn waits(value: &DeValue<'_>) -> Result<Vec<Duration>, Wrong> {
    let waits = list(value, |value| duration(value, Duration::ZERO..=DAY))?;
    if waits.len() > 20 { Err("must not hold more than 20 waits".to_owned()) } else { Ok(waits) }
}

fn user_agent(name: &str) -> Result<String, Wrong> {
    let printable = name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if printable && !name.trim().is_empty() {
        Ok(name.to_owned())
    } else {
        Err("must be a name of printable ASCII characters".to_owned())
    }
}

fn directory(path: &str) -> Result<PathBuf, Wrong> {
    if path.is_empty() { Err("must name a directory".to_owned()) } else { Ok(PathBuf::from(path)) }
}

/// An address, with its port unless it is the usual one. Not a name: who would look it up?
fn name_server(address: &str) -> Result<SocketAddr, Wrong> {
    let with_port = address.parse::<SocketAddr>().ok().filter(|address| address.port() != 0);
    let bare = || address.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    let wrong = || format!("must hold addresses such as 192.0.2.53 or [2001:db8::53]:5353, not \"{address}\"");
    with_port.or_else(bare).ok_or_else(wrong)
}

/// It is never repeated: it may hold a password.
fn proxy(url: &str) -> Result<Url, Wrong> {
    let known = Url::parse(url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    known.ok_or_else(|| "must be the URL of a proxy, such as http://user:password@proxy.example.org:3128".to_owned())
}

/// It is never repeated.
fn api_key(key: &str) -> Result<Secret, Wrong> {
    let printable = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    if printable { Ok(Secret::new(key)) } else { Err("must be a key of printable ASCII characters".to_owned()) }
}

fn web_url(url: &str) -> Result<Url, Wrong> {
    let known = Url::parse(url.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let known = known.filter(|url| url.username().is_empty() && url.password().is_none() && url.query().is_none());
    known.ok_or_else(|| "must be a URL such as https://api.firecrawl.dev, without a password in it".to_owned())
}

fn sources(value: &DeValue<'_>) -> Result<Sources, Wrong> {
    list(value, source).map(Sources)
}

/// One rule; what is wrong with it is said as the list's.
fn source(value: &DeValue<'_>) -> Result<Source, Wrong> {
    let known = "host or document, fetcher, fallback, extract, include, exclude, ignore";
    let table = value.as_table().ok_or_else(|| format!("must hold tables with {known}"))?;
    let by = |value: &DeValue<'_>| {
        let word = text(value)?;
        FetchedBy::parse(word).ok_or_else(|| format!("must say \"direct\" or \"firecrawl\", not \"{word}\""))
    };
    let extract = |value: &DeValue<'_>| {
        let word = text(value)?;
        Extract::parse(word).ok_or_else(|| format!("must say \"main\" or \"body\", not \"{word}\""))
    };
    let texts = |value: &DeValue<'_>| list(value, |value| text(value).map(str::to_owned));
    let mut source = Source::default();
    for (name, value) in table {
        let value = value.get_ref();
        let set = match &**name.get_ref() {
            "host" => text(value).map(|host| source.host = Some(host.trim().to_ascii_lowercase())),
            "document" => whole(value, 1..=i64::MAX).map(|id| source.document = Some(DocumentId(id))),
            "fetcher" => by(value).map(|by| source.fetcher = Some(by)),
            "fallback" => by(value).map(|by| source.fallback = Some(by)),
            "extract" => extract(value).map(|extract| source.extract = extract),
            "include" => texts(value).map(|selectors| source.include = selectors),
            "exclude" => texts(value).map(|selectors| source.exclude = selectors),
            "ignore" => texts(value).map(|patterns| source.ignore = patterns),
            other => return Err(format!("must hold tables with {known}, not {other}")),
        };
        set.map_err(|wrong| format!("({}) {wrong}", name.get_ref()))?;
    }
    if source.host.is_some() == source.document.is_some() {
        return Err("must hold tables with either a host or a document".to_owned());
    }
    Ok(source)
}

/// A host, a host with its port, an address, or a network of addresses. What it opens is the fetch's to decide; here
/// only slips are caught.
fn private_host(host: &str) -> Result<String, Wrong> {
    let wrong = || Err(format!("must hold hosts, addresses or networks such as 10.0.0.0/8, not \"{host}\""));
    if let Some((network, bits)) = host.split_once('/') {
        let most = match network.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => 32,
            Ok(IpAddr::V6(_)) => 128,
            Err(_) => return wrong(),
        };
        return if bits.parse::<u8>().is_ok_and(|bits| bits <= most) { Ok(host.to_owned()) } else { wrong() };
    }
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    if host.is_empty() || !host.chars().all(known) { wrong() } else { Ok(host.to_owned()) }
}
