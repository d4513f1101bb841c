//! Sidekiq's records of itself in Redis, which are its live processes and the queues that they serve, and the choice of
//! the queue into which a job is put.

use super::faq_job::JOB_CLASS;
use serde_json::Value;
use std::fmt;

/// Queues that Chatwoot has used for the FAQ job, the usual one first. The second is the name of a stored branch of
/// Chatwoot.
pub const USUAL_QUEUES: [&str; 3] = ["low", "within_10_minutes", "default"];
/// Maximum length of the record of a process in bytes. Those of Sidekiq have some hundred.
const MAX_RECORD: usize = 64 * 1_024;
/// Maximum length of a queue's name in bytes.
const MAX_NAME: usize = 200;

/// A live process of Sidekiq, by its record in Redis.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SidekiqProcess {
    /// The queues that it serves.
    pub queues: Vec<String>,
    /// True if it takes no more jobs, because it was told to stop.
    pub is_quiet: bool,
}

impl SidekiqProcess {
    /// Reads the fields `info` and `quiet` of a record; `None` if `info` is not one of Sidekiq.
    pub fn parse(info: &[u8], quiet: Option<&[u8]>) -> Option<Self> {
        if info.len() > MAX_RECORD {
            return None;
        }
        let info: Value = serde_json::from_slice(info).ok()?;
        let queues = info.get("queues")?.as_array()?.iter().filter_map(Value::as_str);
        let queues = queues.filter(|name| is_queue_name(name)).map(str::to_owned).collect();
        Some(Self { queues, is_quiet: quiet == Some(b"true") })
    }
}

/// Returns true for a name that this program accepts as that of a queue: it becomes part of a key, and of messages.
pub fn is_queue_name(name: &str) -> bool {
    let is_known = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-' | '.');
    !name.is_empty() && name.len() <= MAX_NAME && name.chars().all(is_known)
}

/// Returns the queue of a payload of the FAQ job, with the time at which it was put there; `None` for another payload.
pub fn faq_queue_of(payload: &[u8]) -> Option<(f64, String)> {
    let payload: Value = serde_json::from_slice(payload).ok()?;
    if payload.get("wrapped")?.as_str()? != JOB_CLASS {
        return None;
    }
    let queue = payload.get("queue")?.as_str().filter(|name| is_queue_name(name))?;
    let at = payload.get("enqueued_at").or_else(|| payload.get("created_at")).and_then(Value::as_f64).unwrap_or(0.0);
    // Sidekiq 8 writes milliseconds.
    Some((if at > 1e11 { at / 1_000.0 } else { at }, queue.to_owned()))
}

/// Reason why no queue can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// No process of Sidekiq is alive and takes jobs.
    NoProcess,
    /// No live process serves the queue of the settings, or one of [`USUAL_QUEUES`].
    NoReader {
        /// The queue of the settings; `None` if it is chosen.
        configured: Option<String>,
    },
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProcess => f.write_str("no process of Sidekiq is alive"),
            Self::NoReader { configured: Some(queue) } => {
                write!(f, "no live process of Sidekiq serves the queue {queue}")
            }
            Self::NoReader { configured: None } => {
                write!(f, "no live process of Sidekiq serves {}", USUAL_QUEUES.join(", "))
            }
        }
    }
}

/// Returns the queue for an FAQ job: the one of the settings; else that of the newest payload of the job; else the first
/// of [`USUAL_QUEUES`]. Only a queue that a live process serves is chosen.
pub fn choose_queue(
    configured: Option<&str>,
    newest: Option<&str>,
    processes: &[SidekiqProcess],
) -> Result<String, Unserved> {
    if processes.iter().all(|process| process.is_quiet) {
        return Err(Unserved::NoProcess);
    }
    let is_served = |queue: &&str| {
        let serves = |process: &SidekiqProcess| process.queues.iter().any(|name| name == queue);
        processes.iter().any(|process| !process.is_quiet && serves(process))
    };
    let candidates: Vec<&str> = match configured {
        Some(queue) => vec![queue],
        None => newest.into_iter().chain(USUAL_QUEUES).collect(),
    };
    let chosen = candidates.into_iter().find(is_served).map(str::to_owned);
    chosen.ok_or_else(|| Unserved::NoReader { configured: configured.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(queues: &[&str]) -> SidekiqProcess {
        SidekiqProcess { queues: queues.iter().map(|name| (*name).to_owned()).collect(), is_quiet: false }
    }

    #[test]
    fn a_job_is_put_only_where_somebody_reads() {
        let usual = [serving(&["critical", "default"]), serving(&["low"])];
        let renamed = [serving(&["default", "within_10_minutes"])];
        let quiet = [SidekiqProcess { is_quiet: true, ..serving(&["low"]) }];
        for (configured, newest, processes, expected) in [
            (None, None, &usual[..], Ok("low")),
            (None, Some("critical"), &usual[..], Ok("critical")),
            (None, Some("gone"), &usual[..], Ok("low")),
            (None, None, &renamed[..], Ok("within_10_minutes")),
            (None, Some("low"), &renamed[..], Ok("within_10_minutes")),
            (Some("default"), Some("low"), &usual[..], Ok("default")),
            (Some("faqs"), Some("low"), &usual[..], Err("no live process of Sidekiq serves the queue faqs")),
            (
                None,
                None,
                &[serving(&["mailers"])][..],
                Err("no live process of Sidekiq serves low, within_10_minutes, default"),
            ),
            (None, Some("low"), &quiet[..], Err("no process of Sidekiq is alive")),
            (None, None, &[][..], Err("no process of Sidekiq is alive")),
        ] {
            let chosen = choose_queue(configured, newest, processes).map_err(|error| error.to_string());
            assert_eq!(chosen.as_deref().map_err(String::as_str), expected, "{configured:?} {newest:?} {processes:?}");
        }
    }

    #[test]
    fn a_record_is_read_as_sidekiq_writes_it_and_anything_else_is_none() {
        let info = br#"{"hostname":"web-1","pid":7,"concurrency":10,"queues":["low","default","\u001b[1m"],"weights":[{"low":1}]}"#;
        assert_eq!(SidekiqProcess::parse(info, Some(b"false")), Some(serving(&["low", "default"])));
        assert!(SidekiqProcess::parse(info, Some(b"true")).is_some_and(|process| process.is_quiet));
        for other in [&b"nonsense"[..], b"{}", br#"{"queues":"low"}"#, &[b' '; MAX_RECORD + 1]] {
            assert_eq!(SidekiqProcess::parse(other, None), None);
        }
    }

    #[test]
    fn the_queue_of_a_payload_counts_if_it_is_the_faq_job() {
        let payload = |class: &str, queue: &str, at: &str| {
            format!(r#"{{"class":"W","wrapped":"{class}","queue":"{queue}","enqueued_at":{at}}}"#)
        };
        let own = payload(JOB_CLASS, "low", "1764054151.5");
        assert_eq!(faq_queue_of(own.as_bytes()), Some((1_764_054_151.5, "low".to_owned())));
        let newer = payload(JOB_CLASS, "within_10_minutes", "1764054152500");
        assert_eq!(faq_queue_of(newer.as_bytes()), Some((1_764_054_152.5, "within_10_minutes".to_owned())));
        for other in [payload("Other", "low", "1"), payload(JOB_CLASS, "a b", "1"), "[]".to_owned()] {
            assert_eq!(faq_queue_of(other.as_bytes()), None);
        }
    }
}
