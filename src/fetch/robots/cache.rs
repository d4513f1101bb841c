//! Cache of each host's robots.txt rules, refreshed once a day.

use super::{Rules, product};
use crate::domain::failure::Failure;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// Time for which rules are cached (RFC 9309, 2.4, allows this much).
const RULES_TTL: Duration = Duration::from_secs(86_400);
/// Time for which an unreachable file is cached; the next request after that downloads it again.
const UNREACHABLE_TTL: Duration = Duration::from_secs(60);
/// Maximum number of cached hosts. If a new host would exceed it, the cache is emptied.
const MAX_HOSTS: usize = 2_000;

/// Cached result for a host's `/robots.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CachedRules {
    /// Rules of the file; without a file everything is allowed.
    Rules(Rules),
    /// Reason why there was no usable response. Until there is a usable response, nothing may be fetched (RFC 9309,
    /// 2.3.1.4).
    Unreachable(String),
    /// The file could not be downloaded for a reason that is not the host's; never cached.
    Failed(Failure),
}

type Slot = Arc<tokio::sync::Mutex<Option<(Instant, CachedRules)>>>;

/// Cache of robots.txt rules by origin.
#[derive(Debug)]
pub(in crate::fetch) struct Robots {
    name: String,
    hosts: Mutex<HashMap<String, Slot>>,
}

impl Robots {
    /// Creates an empty cache for a robot that sends `user_agent`.
    pub fn new(user_agent: &str) -> Self {
        Self { name: product(user_agent).to_owned(), hosts: Mutex::default() }
    }

    /// Returns the rules for the origin (scheme, host and port) of `url`. If the rules are not cached, `download`
    /// fetches the file, once for all callers that wait.
    pub(super) async fn of<F: Future<Output = FileResponse>>(
        &self,
        url: &Url,
        download: impl FnOnce(Url) -> F,
    ) -> CachedRules {
        let slot = self.slot(url.origin().ascii_serialization());
        let mut kept = slot.lock().await;
        if let Some((_, found)) = kept.as_ref().filter(|(until, _)| *until > Instant::now()) {
            return found.clone();
        }
        let Ok(file) = url.join("/robots.txt") else { return CachedRules::Rules(Rules::AllowAll) };
        let (found, time) = match download(file).await {
            FileResponse::File(text) => (CachedRules::Rules(Rules::read(&text, &self.name)), RULES_TTL),
            FileResponse::None => (CachedRules::Rules(Rules::AllowAll), RULES_TTL),
            FileResponse::Unreachable(why) => (CachedRules::Unreachable(why), UNREACHABLE_TTL),
            FileResponse::Failed(failure) => return CachedRules::Failed(failure),
        };
        *kept = Some((Instant::now() + time, found.clone()));
        found
    }

    fn slot(&self, origin: String) -> Slot {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= MAX_HOSTS && !hosts.contains_key(&origin) {
            hosts.clear();
        }
        Arc::clone(hosts.entry(origin).or_default())
    }
}

/// Response to the request for a host's robots.txt.
#[derive(Debug)]
pub(super) enum FileResponse {
    File(String),
    /// The host has no such file (4xx, or a redirect without a usable target).
    None,
    /// No response, or a server error.
    Unreachable(String),
    /// A failure that is not the host's.
    Failed(Failure),
}
