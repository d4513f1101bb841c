//! Chatwoot's own jobs for documents, as they stand in Sidekiq's lists, sets and records of running jobs. These entries
//! are untrusted text: whatever is not exactly of a known form is left out.

use super::faq_job::JOB_CLASS as FAQ_JOB;
use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobKind, ChatwootJobState};
use crate::domain::id::DocumentId;
use crate::domain::text::{SafeLine, cut_chars};
use crate::domain::time::Timestamp;
use serde_json::Value;

/// Ruby classes of Chatwoot's jobs for documents.
const CLASSES: [(&str, ChatwootJobKind); 5] = [
    ("Captain::Documents::PerformSyncJob", ChatwootJobKind::Sync),
    (FAQ_JOB, ChatwootJobKind::Faq),
    ("Captain::Documents::CrawlJob", ChatwootJobKind::Crawl),
    ("Captain::Tools::SimplePageCrawlParserJob", ChatwootJobKind::Crawl),
    ("Captain::Tools::FirecrawlParserJob", ChatwootJobKind::Crawl),
];
/// Text that each of the classes begins with: an entry without it is not parsed.
const MARK: &[u8] = b"Captain::";
/// Ruby class of the daily job that starts Chatwoot's scheduler.
const TRIGGER: &str = "Internal::TriggerDailyScheduledItemsJob";
/// Maximum length of an entry in bytes. That of a document's job has some hundred; a crawled page may stand in one.
const MAX_ENTRY: usize = 256 * 1_024;
/// Maximum length of a text that is kept, in characters.
const MAX_CHARS: usize = 200;

/// The list or set in which an entry was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum EntryPosition {
    /// In the list of a queue.
    Queue,
    /// In the set of failed jobs, to run again at the time in seconds since 1970.
    RetrySet(f64),
    /// In the set of later jobs, to run at the time in seconds since 1970. Rails puts its own retries there, too.
    ScheduleSet(f64),
}

/// Parses an entry; `None` if it is no job for documents.
pub fn parse_entry(entry: &[u8], position: EntryPosition) -> Option<ChatwootJob> {
    let payload = parsed(entry)?;
    let mut job = job_of(&payload)?;
    (job.state, job.at) = match position {
        EntryPosition::Queue => (ChatwootJobState::Queued, time(payload.get("enqueued_at"))),
        EntryPosition::RetrySet(at) => (ChatwootJobState::Retrying, seconds(at)),
        EntryPosition::ScheduleSet(at) if job.attempts > 0 => (ChatwootJobState::Retrying, seconds(at)),
        EntryPosition::ScheduleSet(at) => (ChatwootJobState::Scheduled, seconds(at)),
    };
    Some(job)
}

/// Parses the record of a running job. `process` is the identity of its process, `host:pid:nonce`.
pub fn parse_running(record: &[u8], process: &str) -> Option<ChatwootJob> {
    let record = parsed(record)?;
    // Sidekiq 7 writes the entry as a text, older versions as an object.
    let mut job = match record.get("payload")? {
        Value::String(entry) => job_of(&parsed(entry.as_bytes())?)?,
        entry => job_of(entry)?,
    };
    job.state = ChatwootJobState::Running;
    job.at = time(record.get("run_at"));
    let name = process.rsplit_once(':').map_or(process, |(name, _)| name);
    job.process = Some(short(name));
    Some(job)
}

/// Returns the time at which Chatwoot's daily trigger runs next, by the fields of a record of sidekiq-cron; `None` if the
/// record is that of another job, or switched off.
pub fn next_trigger<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>, now: Timestamp) -> Option<Timestamp> {
    let (mut is_trigger, mut is_on, mut rule) = (false, true, None);
    for (name, value) in fields {
        match name {
            "klass" | "class" => is_trigger |= value == TRIGGER,
            "status" => is_on = value == "enabled",
            "cron" => rule = Some(value),
            _ => {}
        }
    }
    if is_trigger && is_on { super::cron::next_run(rule?, now) } else { None }
}

fn parsed(text: &[u8]) -> Option<Value> {
    if text.len() > MAX_ENTRY || !text.windows(MARK.len()).any(|part| part == MARK) {
        return None;
    }
    serde_json::from_slice(text).ok()
}

fn job_of(payload: &Value) -> Option<ChatwootJob> {
    let rails = payload.get("args").and_then(|args| args.get(0));
    let class = payload.get("wrapped").or_else(|| payload.get("class"))?.as_str()?;
    let kind = CLASSES.iter().find(|(name, _)| *name == class)?.1;
    let arguments = rails.and_then(|rails| rails.get("arguments")).and_then(Value::as_array);
    let argument = arguments.and_then(|arguments| arguments.first());
    let document = argument.and_then(|argument| argument.get("_aj_globalid")).and_then(Value::as_str);
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let executions = number(rails.and_then(|rails| rails.get("executions"))).unwrap_or(0);
    // Sidekiq counts from 0, with the first failure.
    let retries = number(payload.get("retry_count")).map_or(0, |count| count.saturating_add(1));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(short);
    Some(ChatwootJob {
        jid: text(payload.get("jid"))?,
        kind,
        state: ChatwootJobState::Queued,
        document: document.and_then(document_id),
        account: None,
        name: text(argument.and_then(|argument| argument.get("page_link"))),
        queue: text(payload.get("queue"))?,
        process: None,
        at: None,
        attempts: executions.max(retries),
        error: text(payload.get("error_class")),
    })
}

/// Returns the document of `gid://app/Captain::Document/42`.
fn document_id(global_id: &str) -> Option<DocumentId> {
    let (_, id) = global_id.strip_prefix("gid://")?.split_once("/Captain::Document/")?;
    let id = id.split('?').next()?;
    let is_number = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    id.parse().ok().filter(|id| is_number && *id > 0).map(DocumentId)
}

fn short(text: &str) -> SafeLine {
    SafeLine::new(cut_chars(&SafeLine::new(text), MAX_CHARS).0)
}

fn time(value: Option<&Value>) -> Option<Timestamp> {
    seconds(value?.as_f64()?)
}

/// Returns the time for seconds since 1970, or milliseconds as Sidekiq 8 writes them; `None` outside of the years 1970
/// to 5138.
fn seconds(number: f64) -> Option<Timestamp> {
    let seconds = if number > 1e11 { number / 1_000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (seconds > 0.0 && seconds < 1e11).then(|| Timestamp::from_micros((seconds * 1e6) as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(class: &str, argument: &str, more: &str) -> String {
        format!(
            r#"{{"retry":true,"queue":"low","wrapped":"{class}","args":[{{"job_class":"{class}","job_id":"u",
            "queue_name":"low","arguments":[{argument}],"executions":2}}],
            "class":"Sidekiq::ActiveJob::Wrapper","jid":"0123456789abcdef01234567","enqueued_at":1764054151.5{more}}}"#
        )
    }

    const SYNC: &str = "Captain::Documents::PerformSyncJob";
    const DOCUMENT: &str = r#"{"_aj_globalid":"gid://chatwoot/Captain::Document/42"}"#;

    #[test]
    fn an_entry_says_what_whose_and_when() {
        let queued = parse_entry(entry(SYNC, DOCUMENT, "").as_bytes(), EntryPosition::Queue).expect("a job");
        assert_eq!((queued.kind, queued.state), (ChatwootJobKind::Sync, ChatwootJobState::Queued));
        assert_eq!((queued.document, queued.attempts), (Some(DocumentId(42)), 2));
        assert_eq!(queued.at, Some(Timestamp::from_micros(1_764_054_151_500_000)));
        let failed = entry(FAQ_JOB, DOCUMENT, r#","retry_count":4,"error_class":"Net::\u001b[1mTimeout""#);
        let failed = parse_entry(failed.as_bytes(), EntryPosition::RetrySet(1_764_054_160.0)).expect("a job");
        assert_eq!((failed.kind, failed.state, failed.attempts), (ChatwootJobKind::Faq, ChatwootJobState::Retrying, 5));
        assert!(failed.error.is_some_and(|error| error.contains("Timeout") && !error.contains('\u{1b}')));
        let page = r#"{"assistant_id":3,"page_link":"https://example.org/a","_aj_ruby2_keywords":["assistant_id"]}"#;
        let crawl = entry("Captain::Tools::SimplePageCrawlParserJob", page, "");
        let crawl = parse_entry(crawl.as_bytes(), EntryPosition::ScheduleSet(1e12 + 5.0)).expect("a job");
        assert_eq!((crawl.kind, crawl.document), (ChatwootJobKind::Crawl, None));
        assert_eq!(crawl.name.as_deref(), Some("https://example.org/a"));
        assert_eq!(crawl.at, Some(Timestamp::from_micros(1_000_000_000_005_000)), "milliseconds");
    }

    #[test]
    fn a_running_job_is_read_as_a_text_and_as_an_object() {
        let inner = entry(SYNC, DOCUMENT, "");
        let text = serde_json::json!({ "queue": "low", "payload": inner, "run_at": 1_764_054_151 }).to_string();
        let payload: Value = serde_json::from_str(&inner).expect("JSON");
        let object = serde_json::json!({ "queue": "low", "payload": payload, "run_at": 1_764_054_151 }).to_string();
        for record in [text, object] {
            let job = parse_running(record.as_bytes(), "web-1:7:ab12").expect("a job");
            assert_eq!((job.state, job.process.as_deref()), (ChatwootJobState::Running, Some("web-1:7")));
            assert_eq!(job.at, Some(Timestamp::from_micros(1_764_054_151_000_000)));
        }
    }

    #[test]
    fn nothing_else_is_a_job_for_documents() {
        for (class, argument) in [("SendReplyJob", DOCUMENT), ("Captain::Copilot::ResponseJob", DOCUMENT)] {
            assert_eq!(parse_entry(entry(class, argument, "").as_bytes(), EntryPosition::Queue), None);
        }
        for id in [
            "gid://chatwoot/Captain::Document/-1",
            "gid://chatwoot/Account/3",
            "gid://chatwoot/Captain::Document/",
            "gid://chatwoot/Captain::Document/99999999999999999999",
            "gid://chatwoot/Captain::Document/+7",
        ] {
            let argument = serde_json::json!({ "_aj_globalid": id }).to_string();
            let job = parse_entry(entry(SYNC, &argument, "").as_bytes(), EntryPosition::Queue).expect("a job");
            assert_eq!(job.document, None, "{id}");
        }
        let large = entry(SYNC, DOCUMENT, &format!(r#","x":"{}""#, "x".repeat(MAX_ENTRY)));
        assert_eq!(parse_entry(large.as_bytes(), EntryPosition::Queue), None);
    }

    #[test]
    fn the_daily_trigger_is_found_by_its_class() {
        let now = Timestamp::parse_rfc3339("2026-05-27T10:00:00Z").expect("a time");
        let fields = |class, status| [("name", "x"), ("klass", class), ("cron", "0 0 * * *"), ("status", status)];
        let next = next_trigger(fields(TRIGGER, "enabled"), now).expect("a time");
        assert_eq!(next.rfc3339(), "2026-05-28T00:00:00.000000Z");
        assert_eq!(next_trigger(fields(TRIGGER, "disabled"), now), None);
        assert_eq!(next_trigger(fields("Other", "enabled"), now), None);
    }

    proptest! {
        #[test]
        fn no_entry_makes_it_fail_and_no_text_is_unsafe(
            text in r#"[{}\[\]":,a-zA-Z_/0-9.\u{1b}\u{7}-]{0,200}"#, score in any::<f64>(), number in any::<f64>(),
        ) {
            let _ = parse_entry(text.as_bytes(), EntryPosition::RetrySet(score));
            let value = serde_json::json!({
                "wrapped": SYNC, "queue": text, "jid": text, "error_class": text, "enqueued_at": number,
                "args": [{ "arguments": [{ "page_link": text, "_aj_globalid": text }], "executions": number }],
            });
            let job = parse_entry(value.to_string().as_bytes(), EntryPosition::ScheduleSet(score)).expect("a job");
            for line in [Some(job.jid), Some(job.queue), job.error, job.name].into_iter().flatten() {
                prop_assert!(!line.chars().any(char::is_control) && line.chars().count() <= MAX_CHARS);
            }
        }
    }
}
