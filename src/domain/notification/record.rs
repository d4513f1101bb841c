//! Records that sinks receive, as JSON: id, type, time, a text for people, and data. The id is the key of the message in the
//! outbox, so that each delivery of a record has the same.

use super::SinkName;
use super::condition::{ActiveCondition, Condition, ConditionPhase};
use crate::domain::outcome::Outcome;
use crate::domain::text::cut_chars;
use crate::domain::time::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

/// Maximum number of records of a batch.
pub const MAX_BATCH: usize = 200;
/// Number of records of a batch whose texts its own text has.
const BATCH_LINES: usize = 20;
/// Maximum length of a text in characters, of one record.
const MAX_TEXT_CHARS: usize = 500;

/// A record. Receivers rely on the names and the order of the fields.
#[derive(Serialize)]
struct Record<'a, D> {
    id: &'a str,
    r#type: &'a str,
    timestamp: Timestamp,
    sink: &'a str,
    text: String,
    data: D,
}

fn record(id: &str, kind: &str, at: Timestamp, sink: &SinkName, text: String, data: impl Serialize) -> String {
    let record = Record { id, r#type: kind, timestamp: at, sink: sink.as_str(), text, data };
    serde_json::to_string(&record).unwrap_or_default()
}

/// Returns the record of an outcome; its data are the fields that `log --json` prints.
pub(super) fn outcome_record(id: &str, outcome: &Outcome, sink: &SinkName) -> String {
    let mut text = format!("{}: {}", outcome.url, outcome.result.word().replace('_', " "));
    if let Some(content) = outcome.content.filter(|_| outcome.detail.is_none()) {
        text.push_str(&format!(" ({})", content.word().replace('_', " ")));
    }
    if let Some(detail) = &outcome.detail {
        text.push_str(&format!(": {detail}"));
    }
    record(id, "outcome", outcome.at, sink, cut_chars(&text, MAX_TEXT_CHARS).0.to_owned(), outcome)
}

/// Returns the record of a condition that has begun or ended at `now`.
pub fn condition_record(
    id: &str,
    condition: &ActiveCondition,
    phase: ConditionPhase,
    sink: &SinkName,
    now: Timestamp,
) -> String {
    let text = match phase {
        ConditionPhase::Began => condition.detail.to_string(),
        ConditionPhase::Ended => format!("no longer: {}", condition.detail),
    };
    let subject = (!condition.subject.is_empty()).then_some(&condition.subject);
    let (host, source) = match condition.condition {
        Condition::SourceFailed(_) => (None, subject),
        Condition::Cooling | Condition::Review(_) | Condition::Waiting(_) => (subject, None),
    };
    let data = json!({
        "condition": condition.condition.to_string(),
        "phase": phase.word(),
        "host": host,
        "source": source,
        "since": condition.since,
        "detail": condition.detail,
    });
    record(id, "condition", now, sink, text, data)
}

/// Returns the record by which a person tests a sink.
pub fn test_record(id: &str, sink: &SinkName, by: &str, now: Timestamp) -> String {
    record(id, "test", now, sink, format!("a test of the sink {sink}"), json!({ "requested_by": by }))
}

/// Joins records, in their order, in one.
pub fn batch(id: &str, records: &[String], sink: &SinkName, now: Timestamp) -> String {
    let all: Vec<Value> = records.iter().filter_map(|record| serde_json::from_str(record).ok()).collect();
    let mut lines: Vec<&str> = all.iter().filter_map(|record| record["text"].as_str()).take(BATCH_LINES).collect();
    let rest = format!("and {} more", all.len().saturating_sub(lines.len()));
    if all.len() > lines.len() {
        lines.push(&rest);
    }
    let text = lines.join("\n");
    record(id, "batch", now, sink, text, json!({ "records": all }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_batch_has_every_record_and_the_first_texts() {
        let sink = SinkName::new("ops").expect("a name");
        let now = Timestamp::from_micros(0);
        let records: Vec<String> = (0..30).map(|_| test_record("1", &sink, "ana", now)).collect();
        let all: Value = serde_json::from_str(&batch("2", &records, &sink, now)).expect("JSON");
        assert_eq!(all["data"]["records"].as_array().map(Vec::len), Some(30));
        let text = all["text"].as_str().expect("a text");
        assert_eq!((text.lines().count(), text.lines().last()), (21, Some("and 10 more")));
    }

    #[test]
    fn a_condition_says_what_began_and_what_ended() {
        let sink = SinkName::new("ops").expect("a name");
        let active = ActiveCondition {
            condition: Condition::Waiting(Duration::from_secs(3_600)),
            subject: String::new(),
            detail: "the oldest job has waited for 2h".into(),
            since: Timestamp::from_micros(0),
        };
        let written = condition_record("1", &active, ConditionPhase::Ended, &sink, Timestamp::from_micros(1));
        let value: Value = serde_json::from_str(&written).expect("JSON");
        assert_eq!(value["data"]["condition"], "when:waiting>1h");
        assert_eq!((value["data"]["host"].clone(), value["data"]["phase"].clone()), (Value::Null, "ended".into()));
    }
}
