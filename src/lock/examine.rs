//! Read-only check of Redis for `quarterdeck doctor`.

use super::{AddressError, LockMode, Settings, address::RedisAddress};
use crate::domain::finding::{CheckStatus, Finding};
use crate::domain::id::DocumentId;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind};
use tokio::time::timeout;

const REDIS: &str = "redis";
/// Oldest Redis version (major, minor) with which this program is tested.
const MIN_VERSION: (u64, u64) = (5, 0);

/// Checks the Redis of these settings. If the settings use no Redis, the only finding reports that.
pub async fn examine(settings: &Settings) -> Vec<Finding> {
    let address = match RedisAddress::parse(settings) {
        Ok(Some(address)) => address,
        Ok(None) => return vec![unused(settings.mode)],
        Err(error) => {
            let cure = match error {
                AddressError::Url(_) => "write it as redis://HOST:PORT/DATABASE",
                AddressError::Key => "omit redis.key to use Chatwoot's key",
                AddressError::Sentinels(_) => "write them as [\"HOST:PORT\", \"HOST:PORT\"]",
                AddressError::CaFile(_) => "omit redis.ca_file to trust the system's certificates",
            };
            return vec![Finding::fail(REDIS, format!("{} {error}", error.setting()), cure)];
        }
    };
    let mut found = server(&address, settings).await;
    if let Some(sentinels) = address.sentinels() {
        for (node, result) in sentinels.check(settings.call_timeout).await {
            if let Err(error) = result {
                let message = format!("the sentinel at {node} cannot be used: {}", address.masked(&error));
                let cure = match error.kind() {
                    ErrorKind::AuthenticationFailed => {
                        "check user and password of the sentinels (sentinel_password; \"\" for none)"
                    }
                    ErrorKind::MasterNameNotFoundBySentinel => {
                        "check the master's name in redis.sentinel_master or redis.url"
                    }
                    _ => "check it, or remove it from redis.sentinels or redis.url",
                };
                found.push(Finding::warn(REDIS, message, cure));
            }
        }
    }
    found
}

/// Checks the server itself.
async fn server(address: &RedisAddress, settings: &Settings) -> Vec<Finding> {
    match timeout(settings.call_timeout * 3, inspect(address, settings)).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            let mut finding = Finding::of_message(REDIS, CheckStatus::Unreachable, &address.reason(&error));
            finding.remedy.get_or_insert_with(|| "check host and port, and that the server runs".to_owned());
            finding.status = verdict(settings.mode);
            finding.message = format!("Redis at {}", finding.message);
            vec![finding]
        }
        Err(_) => {
            let message = format!("Redis at {}: no answer within three seconds", address.label());
            let remedy = Some("check host and port, and that the server runs".to_owned());
            vec![Finding { check: REDIS, status: verdict(settings.mode), message, remedy }]
        }
    }
}

fn unused(mode: LockMode) -> Finding {
    match mode {
        LockMode::Off => Finding::ok(REDIS, "off (redis.lock): only the store's leases prevent double syncs"),
        LockMode::Required => {
            Finding::fail(REDIS, "redis.lock is required and there is no redis.url", "set redis.url, or --redis")
        }
        LockMode::Preferred => Finding::ok(REDIS, "not configured: only the store's leases prevent double syncs"),
    }
}

/// Returns the verdict for a Redis that does not answer or refuses the check.
const fn verdict(mode: LockMode) -> CheckStatus {
    match mode {
        LockMode::Required => CheckStatus::Unreachable,
        LockMode::Preferred | LockMode::Off => CheckStatus::Fail,
    }
}

async fn inspect(address: &RedisAddress, settings: &Settings) -> redis::RedisResult<Vec<Finding>> {
    let call = Some(settings.call_timeout);
    let config = AsyncConnectionConfig::new().set_connection_timeout(call).set_response_timeout(call);
    let client = address.client().await?;
    let mut open = client.get_multiplexed_async_connection_with_config(&config).await?;
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut open).await?;
    let version = field(&info, "redis_version").unwrap_or("unknown").to_owned();
    let acquired = check_permissions(&mut open, address).await?;
    let mut found = vec![Finding::ok(
        REDIS,
        format!(
            "Redis {version} at {}{}: locks are {}, the key of document 1 is {}{}",
            client.get_connection_info().addr(),
            address.sentinels().map_or(String::new(), |_| format!(", the master {}", address.label())),
            settings.mode.word(),
            address.key(DocumentId(1)),
            if acquired { " (locked now)" } else { "" }
        ),
    )];
    let mut numbers = version.split('.').map(|number| number.parse::<u64>().unwrap_or_default());
    let number = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    if number != (0, 0) && number < MIN_VERSION {
        found.push(Finding::warn(
            REDIS,
            format!("Redis {version} is older than the tested versions"),
            "use 5.0 or newer",
        ));
    }
    Ok(found)
}

/// Checks the permissions to run scripts and to publish: runs a script that only reads, and publishes a message on a
/// channel without subscribers. Returns true if the key of document 1 is set.
async fn check_permissions(open: &mut MultiplexedConnection, address: &RedisAddress) -> redis::RedisResult<bool> {
    let key = address.key(DocumentId(1));
    let read = "return redis.call('EXISTS', KEYS[1])";
    let acquired: bool = redis::cmd("EVAL").arg(read).arg(1).arg(key).query_async(open).await?;
    redis::cmd("PUBLISH").arg("quarterdeck:doctor").arg("").query_async::<redis::Value>(open).await?;
    Ok(acquired)
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}
