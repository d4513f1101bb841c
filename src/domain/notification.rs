//! Notifications: records of outcomes and conditions that a *sink*, a webhook or a command of the settings, receives
//! through the outbox (assets/docs/notifications.md).
//!
//! `trigger` decides what a sink is notified of, `condition` has the states that no outcome reports, `record` writes the
//! records, `signature` signs them, `status` is for people, and `sink` joins these and delivers to receivers: webhooks in
//! `fetch`, commands in the runner.

mod condition;
mod record;
mod signature;
mod sink;
mod status;
mod trigger;

pub use condition::{ActiveCondition, Condition, ConditionPhase};
pub use record::{MAX_BATCH, batch, condition_record, test_record};
pub use signature::SigningKey;
pub use sink::{DocumentText, DocumentTexts, Sink, SinkDelivery, SinkReceiver, SinkSubscriber};
pub use status::SinkStatus;
pub use trigger::Trigger;

use super::word_enum::word_enum;
use std::fmt;

/// Start of the names of sinks among the subscribers of the outbox.
const SUBSCRIBER_PREFIX: &str = "notify:";
/// Maximum length of a sink's name in bytes.
const MAX_NAME: usize = 40;

word_enum! {
    /// Kind of a sink.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum SinkKind {
        /// Records are sent by HTTP to a URL.
        Webhook = "webhook",
        /// A program of this machine gets each record on its standard input.
        Command = "command",
    }
}

/// Name of a sink: lower-case letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SinkName(String);

impl SinkName {
    /// Returns the name; `None` if it is empty, longer than 40 bytes, or has other characters.
    pub fn new(name: &str) -> Option<Self> {
        let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        let is_name = (1..=MAX_NAME).contains(&name.len()) && name.chars().all(known);
        is_name.then(|| Self(name.to_owned()))
    }

    /// Returns the name of the sink that is this subscriber of the outbox; `None` for other subscribers.
    pub fn of_subscriber(subscriber: &str) -> Option<Self> {
        Self::new(subscriber.strip_prefix(SUBSCRIBER_PREFIX)?)
    }

    /// Returns the name of the sink among the subscribers of the outbox.
    pub fn subscriber(&self) -> String {
        format!("{SUBSCRIBER_PREFIX}{}", self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_safe_in_keys_and_on_the_screen() {
        for (text, is_name) in
            [("ops", true), ("a-b_2", true), ("", false), ("Ops", false), ("a b", false), ("a:b", false), ("é", false)]
        {
            assert_eq!(SinkName::new(text).is_some(), is_name, "{text}");
        }
        assert_eq!(SinkName::new(&"a".repeat(41)), None);
        let name = SinkName::new("ops").expect("a name");
        assert_eq!(SinkName::of_subscriber(&name.subscriber()), Some(name));
        assert_eq!(SinkName::of_subscriber("sentry"), None);
        assert_eq!(SinkName::of_subscriber("notify:ops:dead"), None);
    }
}
