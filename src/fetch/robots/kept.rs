//! The rules of each host, asked for once a day.

use super::{Rules, product};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// Time for which rules are cached (RFC 9309, 2.4, allows this much).
const DAY: Duration = Duration::from_secs(86_400);
/// Time for which a missing answer is cached: the next request may get one.
const UNREACHED: Duration = Duration::from_secs(60);
/// Hosts that are remembered; beyond that all are forgotten and asked again.
const HOSTS: usize = 2_000;

/// Cached answer for `/robots.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file, or none: what it comes to.
    Rules(Rules),
    /// No answer, or a server error: until there is one nothing may be fetched (RFC 9309 2.3.1.4). Why.
    Unreachable(String),
}

type Slot = Arc<tokio::sync::Mutex<Option<(Instant, Found)>>>;

/// Cache of the hosts' rules.
#[derive(Debug)]
pub(in crate::fetch) struct Robots {
    name: String,
    hosts: Mutex<HashMap<String, Slot>>,
}

impl Robots {
    /// For a robot that calls itself `user_agent`.
    pub fn new(user_agent: &str) -> Self {
        Self { name: product(user_agent).to_owned(), hosts: Mutex::default() }
    }

    /// The rules for `url`'s host; `ask` fetches the text of its file: once for all that wait.
    pub(super) async fn of<F: Future<Output = Answered>>(&self, url: &Url, ask: impl FnOnce(Url) -> F) -> Found {
        let slot = self.slot(url.origin().ascii_serialization());
        let mut kept = slot.lock().await;
        if let Some((_, found)) = kept.as_ref().filter(|(until, _)| *until > Instant::now()) {
            return found.clone();
        }
        let Ok(file) = url.join("/robots.txt") else { return Found::Rules(Rules::AllowAll) };
        let (found, time) = match ask(file).await {
            Answered::File(text) => (Found::Rules(Rules::read(&text, &self.name)), DAY),
            Answered::None => (Found::Rules(Rules::AllowAll), DAY),
            Answered::Unreachable(why) => (Found::Unreachable(why), UNREACHED),
        };
        *kept = Some((Instant::now() + time, found.clone()));
        found
    }

    fn slot(&self, origin: String) -> Slot {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() >= HOSTS && !hosts.contains_key(&origin) {
            hosts.clear();
        }
        Arc::clone(hosts.entry(origin).or_default())
    }
}

/// Answer of a host.
#[derive(Debug)]
pub(super) enum Answered {
    /// With a file.
    File(String),
    /// The host has no such file (4xx, or a redirect that leads nowhere).
    None,
    /// Not, or with a server error.
    Unreachable(String),
}
