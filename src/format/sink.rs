//! The state of a sink of notifications as text.

use super::number::count;
use super::time::age;
use crate::domain::notification::SinkStatus;
use crate::domain::time::Timestamp;

/// Returns the state of a sink: `2 records wait, behind by 5m; 1 given up; 40 delivered, the last 3m ago; last error: …`.
pub fn sink_state(sink: &SinkStatus, now: Timestamp) -> String {
    let mut parts = Vec::new();
    if let Some((at, reason)) = &sink.disabled {
        parts.push(format!("disabled {} ago: {reason}", age(now.since(*at))));
    }
    match sink.oldest_at {
        Some(oldest) => {
            let verb = if sink.pending == 1 { "waits" } else { "wait" };
            parts.push(format!("{} {verb}, behind by {}", count(sink.pending, "record"), age(now.since(oldest))));
        }
        None => parts.push("nothing waits".to_owned()),
    }
    if sink.dead > 0 {
        parts.push(format!("{} given up", count(sink.dead, "record")));
    }
    match sink.delivered_at {
        Some(at) => {
            parts.push(format!("{} delivered, the last {} ago", count(sink.delivered, "record"), age(now.since(at))));
        }
        None => parts.push("nothing delivered yet".to_owned()),
    }
    if let Some(error) = &sink.last_error {
        parts.push(format!("last error: {error}"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notification::SinkName;

    #[test]
    fn a_state_says_what_waits_and_why() {
        let at = |minutes: i64| Timestamp::from_micros(minutes * 60_000_000);
        let new = SinkStatus::new(SinkName::new("ops").expect("a name"), "webhook");
        assert_eq!(sink_state(&new, at(9)), "nothing waits; nothing delivered yet");
        let behind = SinkStatus {
            pending: 1,
            oldest_at: Some(at(4)),
            dead: 2,
            delivered: 1_200,
            delivered_at: Some(at(6)),
            last_error: Some("no answer".into()),
            ..new
        };
        let expected = "1 record waits, behind by 5m; 2 records given up; 1,200 records delivered, the last 3m ago; \
                        last error: no answer";
        assert_eq!(sink_state(&behind, at(9)), expected);
    }
}
