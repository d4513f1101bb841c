//! The table of keys: what a config file may say, and what of it is accepted.
//!
//! A key appears here with the feature that reads it; one that nobody reads is an error, so that a setting never seems
//! to work and does not.

use super::Config;
use super::read::{Wrong, duration, flag, list, size, text, whole};
use crate::domain::faq_job::Switch;
use crate::domain::lock::LockMode;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use toml::de::DeValue;

/// Sets a value, or says what would be right.
pub(super) type Set = fn(&mut Config, &DeValue<'_>) -> Result<(), Wrong>;

/// One key.
pub(super) struct Key {
    /// With its section.
    pub(super) name: &'static str,
    /// What it does to the settings.
    pub(super) set: Set,
}

const DAY: Duration = Duration::from_secs(86_400);
const HOUR: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);
const TENTH: Duration = Duration::from_millis(100);

/// Every key.
pub(super) const KEYS: [Key; 26] = [
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
    Key { name: "fetch.max_body", set: |c, v| size(v, 1_024..=1 << 30).map(|bytes| c.fetch.max_body = bytes) },
    Key { name: "fetch.max_redirects", set: |c, v| whole(v, 0..=50).map(|n| c.fetch.max_redirects = n) },
    Key { name: "fetch.user_agent", set: |c, v| user_agent(text(v)?).map(|name| c.fetch.user_agent = name) },
    Key {
        name: "fetch.allow_private_hosts",
        set: |c, v| list(v, |v| private_host(text(v)?)).map(|hosts| c.fetch.allow_private_hosts = hosts),
    },
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
    Key { name: "log.dir", set: |c, v| directory(text(v)?).map(|dir| c.log.dir = dir) },
    Key { name: "log.keep_days", set: |c, v| whole(v, 1..=3_650).map(|days| c.log.keep_days = days) },
];

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

fn switch(on: bool) -> Switch {
    if on { Switch::On } else { Switch::Off }
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
