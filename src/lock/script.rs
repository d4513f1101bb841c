//! A lock in Redis: one key whose value names store, job and token. Each operation is a Lua script, so that reading and
//! writing are atomic.

use crate::domain::lock::{Lock, LockHolder, StoreId};
use crate::domain::text::SafeLine;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Script};
use std::time::Duration;

/// Time to live of a lock without a renewal, the same as Chatwoot's.
pub const TTL: Duration = Duration::from_secs(600);

/// Prefix of the value of every lock that this program sets.
const VALUE_PREFIX: &str = "quarterdeck:";
/// Maximum number of characters of another owner's value that are kept and shown.
const MAX_VALUE_CHARS: usize = 100;

/// Sets the key unless another owner has it; in that case the script returns the owner's value. An earlier claim of the
/// same store, with a lower token, does not count as an owner. For a key that is not a string, the script returns the
/// key's type in parentheses. Tokens are compared as text of digits: numbers in Lua are not exact at that size.
const ACQUIRE: &str = "\
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' and kind ~= 'string' then return '(' .. kind .. ')' end
local own = ARGV[1] .. ARGV[2] .. ':' .. ARGV[3]
local found = redis.call('GET', KEYS[1])
if found and found ~= own then
  if string.sub(found, 1, #ARGV[1]) ~= ARGV[1] then return found end
  local token = string.match(string.sub(found, #ARGV[1] + 1), '^%d+:(%d+)$')
  if not token or #token > #ARGV[3] or (#token == #ARGV[3] and token > ARGV[3]) then return found end
end
redis.call('SET', KEYS[1], own, 'PX', ARGV[4])
return false";

/// Extends a lock that this process still owns. A missing lock is not set: its attempt may just have released it.
const RENEW: &str = "\
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0";

/// Deletes a lock that this process still owns.
const RELEASE: &str = "\
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

/// Scripts that acquire, renew and release the locks of one store.
pub(super) struct Scripts {
    prefix: String,
    acquire: Script,
    renew: Script,
    release: Script,
}

impl Scripts {
    /// Creates the scripts; the values that they set contain the id of `store`.
    pub(super) fn of(store: &StoreId) -> Self {
        Self {
            prefix: format!("{VALUE_PREFIX}{store}:"),
            acquire: Script::new(ACQUIRE),
            renew: Script::new(RENEW),
            release: Script::new(RELEASE),
        }
    }

    fn value(&self, lock: Lock) -> String {
        format!("{}{}:{}", self.prefix, lock.job, lock.token)
    }

    /// Acquires or extends the lock. Returns `None` if this process owns the lock now, else what the script returns:
    /// the other owner's value or the key's type.
    pub(super) async fn acquire(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        lock: Lock,
    ) -> RedisResult<Option<Vec<u8>>> {
        let mut call = self.acquire.key(key);
        call.arg(&self.prefix).arg(lock.job.0).arg(lock.token.0).arg(millis());
        call.invoke_async(connection).await
    }

    /// Extends the lock to [`TTL`] from now; returns false if this process does not own it.
    pub(super) async fn renew(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        lock: Lock,
    ) -> RedisResult<bool> {
        self.renew.key(key).arg(self.value(lock)).arg(millis()).invoke_async(connection).await
    }

    /// Deletes the lock; returns false if this process does not own it.
    pub(super) async fn release(
        &self,
        connection: &mut MultiplexedConnection,
        key: &str,
        lock: Lock,
    ) -> RedisResult<bool> {
        self.release.key(key).arg(self.value(lock)).invoke_async(connection).await
    }
}

fn millis() -> u64 {
    u64::try_from(TTL.as_millis()).unwrap_or(u64::MAX)
}

/// Identifies the owner from the form of `value`.
pub(super) fn holder(value: &[u8], store: &StoreId) -> LockHolder {
    let text = String::from_utf8_lossy(value);
    let name = match text.strip_prefix(VALUE_PREFIX) {
        Some(rest) => match rest.strip_prefix(&store.0).and_then(|rest| rest.strip_prefix(':')) {
            Some(claim) => {
                let job = claim.split(':').next().unwrap_or_default();
                SafeLine::new(&format!("job {job} of this store"))
            }
            None => "a worker of another store".into(),
        },
        // Chatwoot's value is the time in seconds since 1970, with a fraction.
        None if text.parse::<f64>().is_ok_and(f64::is_finite) => "Chatwoot".into(),
        None => "another program".into(),
    };
    let value: String = text.chars().take(MAX_VALUE_CHARS).collect();
    LockHolder { name, value: SafeLine::new(&value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_tells_who_set_it() {
        let store = StoreId("abc".into());
        let name = |value: &[u8]| holder(value, &store).name.to_string();
        assert_eq!(name(b"1764054151.1234567"), "Chatwoot");
        assert_eq!(name(b"quarterdeck:abc:7:12"), "job 7 of this store");
        assert_eq!(name(b"quarterdeck:abcd:7:12"), "a worker of another store");
        assert_eq!(name(b"inf"), "another program");
        assert_eq!(name(b"\xff\x1b[2J"), "another program");
        assert_eq!(holder(&[b'x'; 5_000], &store).value.chars().count(), MAX_VALUE_CHARS);
        assert!(!holder(b"\x1b[2J", &store).value.contains('\x1b'), "values of others are untrusted text");
    }
}
