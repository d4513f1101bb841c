//! Chatwoot's own job that rebuilds a document's FAQs (`Captain::Documents::ResponseBuilderJob`): the outbox message
//! that requests it, and the job in Sidekiq's format.

use crate::domain::id::{AccountId, DocumentId};
use crate::domain::outbox::{OutboxMessage, OutcomeEvent, PendingDelivery};
use crate::domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Name of the outbox subscriber in the store; it must never change.
pub const SUBSCRIBER: &str = "chatwoot_faq";
/// Time for which Redis remembers the id of a job that was put into Sidekiq's queue: a second delivery within it is
/// ignored, and so is a second request for the document.
pub const MEMORY: Duration = Duration::from_secs(7 * 86_400);
/// Length of a job's id (`jid`) in Sidekiq, in hexadecimal digits.
const JID_LENGTH: usize = 24;

/// Class by which Rails runs its jobs in Sidekiq. Newer versions of Sidekiq have another class but keep this name as an
/// alias, so all versions accept it.
pub const WRAPPER_CLASS: &str = "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper";
/// Ruby class of Chatwoot's FAQ job.
pub(super) const JOB_CLASS: &str = "Captain::Documents::ResponseBuilderJob";

/// Condition under which Chatwoot's FAQ job is enqueued after a change (`chatwoot.enqueue_faq_job`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaqSwitch {
    /// Enqueue if the store is Chatwoot's database and the Redis of the settings has keys of Sidekiq.
    #[default]
    Auto,
    On,
    Off,
}

/// Settings of the FAQ job, section `[chatwoot]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaqSettings {
    pub switch: FaqSwitch,
    /// Ruby class that runs Rails' jobs in Sidekiq; `None` uses the class of the jobs found in Sidekiq, else
    /// [`WRAPPER_CLASS`].
    pub wrapper: Option<String>,
    /// Sidekiq's queue for the jobs; `None` chooses one that is served ([`choose_queue`](super::sidekiq::choose_queue)).
    pub queue: Option<String>,
}

/// Payload of the outbox message. At delivery, the payload becomes a Sidekiq entry in the format that the installation
/// uses at that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedDocument {
    pub document_id: DocumentId,
    pub account_id: AccountId,
}

/// Returns the message for an event, or `None` if the text did not change: Chatwoot's own callback also starts the job
/// only for a different text. The message's key becomes the job's id in Sidekiq.
pub fn message(event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
    if !event.text_changed {
        return None;
    }
    requested(event.outcome.document_id, event.outcome.account_id, event.id)
}

/// Returns the message for a job of a document; `id` is random, at least 24 hexadecimal digits. `None` if the ids cannot be
/// written.
pub fn requested(document_id: DocumentId, account_id: AccountId, id: &str) -> Option<OutboxMessage> {
    let key = id.chars().take(JID_LENGTH).collect();
    Some(OutboxMessage { key, payload: serde_json::to_string(&ChangedDocument { document_id, account_id }).ok()? })
}

/// Format of the times in a payload, which depends on the Sidekiq version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SidekiqTimes {
    /// Seconds since 1970 with a fraction (up to Sidekiq 7).
    #[default]
    Seconds,
    /// Whole milliseconds since 1970 (Sidekiq 8).
    Millis,
}

/// Format of the payloads that this program writes for Sidekiq.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadFormat {
    /// Ruby class that runs Rails' jobs in Sidekiq.
    pub wrapper: String,
    pub queue: String,
    pub times: SidekiqTimes,
}

#[derive(Serialize)]
struct Payload<'a> {
    retry: bool,
    queue: &'a str,
    wrapped: &'a str,
    args: [Arguments<'a>; 1],
    class: &'a str,
    jid: &'a str,
    created_at: serde_json::Number,
    enqueued_at: serde_json::Number,
}

#[derive(Serialize)]
struct Arguments<'a> {
    job_class: &'a str,
    job_id: &'a str,
    provider_job_id: Option<&'a str>,
    queue_name: &'a str,
    priority: Option<i64>,
    arguments: [Document; 1],
    executions: u32,
    exception_executions: serde_json::Map<String, serde_json::Value>,
    locale: &'a str,
    timezone: &'a str,
    enqueued_at: String,
    scheduled_at: Option<String>,
}

#[derive(Serialize)]
struct Document {
    #[serde(rename = "_aj_globalid")]
    global_id: String,
}

/// Returns the entry of Sidekiq's list for a pending message, enqueued at `now`; `job_id` is Rails' own id of the job,
/// a UUID. Fails if the payload is not a [`ChangedDocument`].
pub fn sidekiq_entry(
    pending: &PendingDelivery,
    job_id: &str,
    form: &PayloadFormat,
    now: Timestamp,
) -> Result<String, serde_json::Error> {
    let changed: ChangedDocument = serde_json::from_str(&pending.payload)?;
    serde_json::to_string(&Payload {
        retry: true,
        queue: &form.queue,
        wrapped: JOB_CLASS,
        args: [Arguments {
            job_class: JOB_CLASS,
            job_id,
            provider_job_id: None,
            queue_name: &form.queue,
            priority: None,
            arguments: [Document { global_id: format!("gid://chatwoot/Captain::Document/{}", changed.document_id) }],
            executions: 0,
            exception_executions: serde_json::Map::new(),
            locale: "en",
            timezone: "UTC",
            enqueued_at: now.rfc3339(),
            scheduled_at: None,
        }],
        class: &form.wrapper,
        jid: &pending.key,
        created_at: number(pending.created_at, form.times),
        enqueued_at: number(now, form.times),
    })
}

fn number(at: Timestamp, times: SidekiqTimes) -> serde_json::Number {
    let millis = || serde_json::Number::from(at.micros() / 1_000);
    match times {
        SidekiqTimes::Millis => millis(),
        #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are exact in a double until 2255")]
        SidekiqTimes::Seconds => serde_json::Number::from_f64(at.micros() as f64 / 1e6).unwrap_or_else(millis),
    }
}

/// Returns the wrapper class and the time format of a payload found in Redis. Returns `None` if the payload is not a
/// Rails job, or if its class is too long or does not end in `Wrapper`.
pub fn format_of(payload: &[u8]) -> Option<(String, SidekiqTimes)> {
    let payload: serde_json::Value = serde_json::from_slice(payload).ok()?;
    payload.get("wrapped")?;
    let class = payload.get("class")?.as_str().filter(|class| class.ends_with("Wrapper") && class.len() < 200)?;
    let millis = payload.get("created_at").is_some_and(serde_json::Value::is_i64);
    Some((class.to_owned(), if millis { SidekiqTimes::Millis } else { SidekiqTimes::Seconds }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::OutboxId;

    fn written(times: SidekiqTimes) -> serde_json::Value {
        let at = Timestamp::from_micros(1_764_054_151_123_456);
        let key = "0123456789abcdef01234567".to_owned();
        let payload = r#"{"document_id":42,"account_id":7}"#.to_owned();
        let pending = PendingDelivery { id: OutboxId(1), key, payload, created_at: at, attempts: 0, tried_at: None };
        let form = PayloadFormat { wrapper: WRAPPER_CLASS.to_owned(), queue: "low".to_owned(), times };
        let text = sidekiq_entry(&pending, "u-u-i-d", &form, at.plus(std::time::Duration::from_secs(1))).expect("JSON");
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn a_payload_is_as_rails_writes_it() {
        let expected = serde_json::json!({
            "retry": true, "queue": "low", "wrapped": "Captain::Documents::ResponseBuilderJob",
            "args": [{
                "job_class": "Captain::Documents::ResponseBuilderJob", "job_id": "u-u-i-d", "provider_job_id": null,
                "queue_name": "low", "priority": null,
                "arguments": [{ "_aj_globalid": "gid://chatwoot/Captain::Document/42" }],
                "executions": 0, "exception_executions": {}, "locale": "en", "timezone": "UTC",
                "enqueued_at": "2025-11-25T07:02:32.123456Z", "scheduled_at": null,
            }],
            "class": "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper", "jid": "0123456789abcdef01234567",
            "created_at": 1_764_054_151.123_456, "enqueued_at": 1_764_054_152.123_456,
        });
        assert_eq!(written(SidekiqTimes::Seconds), expected);
        let later = written(SidekiqTimes::Millis);
        assert_eq!(
            (later["created_at"].as_i64(), later["enqueued_at"].as_i64()),
            (Some(1_764_054_151_123), Some(1_764_054_152_123))
        );
    }

    #[test]
    fn a_payload_that_lies_there_tells_its_form() {
        let own = written(SidekiqTimes::Seconds).to_string();
        assert_eq!(format_of(own.as_bytes()), Some((WRAPPER_CLASS.to_owned(), SidekiqTimes::Seconds)));
        let newer = br#"{"class":"Sidekiq::ActiveJob::Wrapper","wrapped":"X","created_at":1764054151123}"#;
        assert_eq!(format_of(newer), Some(("Sidekiq::ActiveJob::Wrapper".to_owned(), SidekiqTimes::Millis)));
        for other in [&br#"{"class":"Plain","args":[]}"#[..], b"nonsense", br#"{"class":"Odd","wrapped":"X"}"#] {
            assert_eq!(format_of(other), None);
        }
    }
}
