//! Sinks as subscribers of the outbox: the half that makes records, and the half that delivers them.

use super::record::outcome_record;
use super::trigger::Trigger;
use super::{SinkKind, SinkName};
use crate::domain::backoff::Backoff;
use crate::domain::id::DocumentId;
use crate::domain::outbox::{Deliver, DeliveryError, OutboxMessage, OutcomeEvent, PendingDelivery, Subscriber};
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Time after the first delivery from which on a record that still fails is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(3 * 86_400);

/// The half of a sink that a store has registered: makes records of outcomes, in every process that records some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkSubscriber {
    name: SinkName,
    subscriber: String,
    trigger: Trigger,
}

impl SinkSubscriber {
    pub fn new(name: SinkName, trigger: Trigger) -> Self {
        Self { subscriber: name.subscriber(), name, trigger }
    }
}

impl Subscriber for SinkSubscriber {
    fn name(&self) -> &str {
        &self.subscriber
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        let message =
            || OutboxMessage { key: event.id.to_owned(), payload: outcome_record(event.id, event.outcome, &self.name) };
        self.trigger.matches(event.outcome).then(message)
    }

    fn compares_texts(&self) -> bool {
        false
    }
}

/// Stored text of a document, as a record has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DocumentText {
    pub name: String,
    pub url: String,
    /// Number of times that content was written for the document.
    pub version: u64,
    /// Markdown as stored.
    pub content: String,
}

/// Source of the texts that records have with `include_content`.
#[async_trait]
pub trait DocumentTexts: Send + Sync {
    /// Returns the text that is stored now; `None` if the document has none or is gone.
    async fn text(&self, document: DocumentId) -> Result<Option<DocumentText>, DeliveryError>;
}

/// Settings of a sink that do not depend on its kind.
#[derive(Clone)]
pub struct Sink {
    pub name: SinkName,
    pub kind: SinkKind,
    pub trigger: Trigger,
    /// Shortest time between two deliveries; what happens meanwhile is delivered as one record.
    pub quiet: Duration,
    /// Source of the texts with `include_content`; `None` without it.
    pub texts: Option<Arc<dyn DocumentTexts>>,
}

impl Sink {
    /// Returns the record as it is delivered: with the document's text of this moment if the settings want it.
    async fn body(&self, pending: &PendingDelivery) -> Result<String, DeliveryError> {
        let Some(texts) = &self.texts else { return Ok(pending.payload.clone()) };
        let Ok(mut record) = serde_json::from_str::<Value>(&pending.payload) else {
            return Ok(pending.payload.clone());
        };
        let Some(document) = record["data"]["document_id"].as_i64() else { return Ok(pending.payload.clone()) };
        let text = texts.text(DocumentId(document)).await?;
        record["data"]["document"] = serde_json::to_value(text).unwrap_or_default();
        Ok(record.to_string())
    }
}

/// The receiver of a sink's records: a URL or a program.
#[async_trait]
pub trait SinkReceiver: Send + Sync + 'static {
    /// Time for which no other process delivers the same record; longer than a delivery may take.
    const LEASE: Duration;

    /// Delivers a record. `key` is the same whenever the record is delivered; `now` is the time of this delivery.
    async fn receive(&self, record: String, key: &str, now: Timestamp) -> Result<(), DeliveryError>;
}

/// The half of a sink that delivers its records to the receiver, in the processes whose settings name it.
pub struct SinkDelivery<R> {
    sink: Sink,
    subscriber: SinkSubscriber,
    receiver: R,
}

impl<R: SinkReceiver> SinkDelivery<R> {
    pub fn new(sink: Sink, receiver: R) -> Self {
        let subscriber = SinkSubscriber::new(sink.name.clone(), sink.trigger.clone());
        Self { sink, subscriber, receiver }
    }
}

impl<R: SinkReceiver> Subscriber for SinkDelivery<R> {
    fn name(&self) -> &str {
        self.subscriber.name()
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        self.subscriber.message(event)
    }

    fn compares_texts(&self) -> bool {
        self.subscriber.compares_texts()
    }
}

#[async_trait]
impl<R: SinkReceiver> Deliver for SinkDelivery<R> {
    fn lease(&self) -> Duration {
        R::LEASE
    }

    fn backoff(&self) -> Backoff {
        Backoff::of_receiver()
    }

    fn is_registered(&self) -> bool {
        true
    }

    fn quiet(&self) -> Duration {
        self.sink.quiet
    }

    fn gives_up_after(&self) -> Option<Duration> {
        Some(GIVE_UP_AFTER)
    }

    async fn deliver(&self, pending: &PendingDelivery, now: Timestamp) -> Result<(), DeliveryError> {
        let record = self.sink.body(pending).await?;
        self.receiver.receive(record, &pending.key, now).await
    }
}
