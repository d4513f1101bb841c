//! The outbox's subscribers (receivers of outcomes outside the store) that the settings name.

use super::exit::CliError;
use crate::chatwoot::faq_job::FaqSwitch;
use crate::config::{Config, SinkSettings};
use crate::domain::id::DocumentId;
use crate::domain::notification::{DocumentText, DocumentTexts, Sink, SinkDelivery, SinkKind, SinkName};
use crate::domain::outbox::{Deliver, DeliveryError, Subscriber};
use crate::fetch::{FetchSetupError, SentryReports, Webhook};
use crate::lock::{FaqJobs, Redis};
use crate::runner::CommandSink;
use crate::store::{OutboxStore, SinkRegistration, Store};
use async_trait::async_trait;
use std::sync::Arc;

/// Returns the subscribers that the settings name, whose messages a runner delivers over `redis`.
pub(super) fn configured(
    config: &Config,
    store: &Arc<dyn Store>,
    redis: Option<&Arc<Redis>>,
) -> Result<Vec<Arc<dyn Deliver>>, FetchSetupError> {
    let mut subscribers = built_in(config, &**store, redis)?;
    // The others have no key, about which the settings have warned.
    let sinks = config.notify.sinks.iter().filter(|(_, settings)| settings.problem.is_none());
    subscribers.extend(sinks.filter_map(|(name, settings)| sink(config, name, settings, Some(store))));
    Ok(subscribers)
}

fn built_in(
    config: &Config,
    store: &dyn OutboxStore,
    redis: Option<&Arc<Redis>>,
) -> Result<Vec<Arc<dyn Deliver>>, FetchSetupError> {
    let mut subscribers: Vec<Arc<dyn Deliver>> = Vec::new();
    if wants_faq_jobs(config, store) {
        subscribers.push(Arc::new(FaqJobs::new(config.faq_job.clone(), redis.cloned())));
    }
    if let Some(dsn) = &config.errors.sentry {
        subscribers.push(Arc::new(SentryReports::new(dsn.clone(), &config.fetch)?));
    }
    Ok(subscribers)
}

/// Returns the sink of the settings as a subscriber that delivers. Without `store`, records have no texts.
pub(super) fn sink(
    config: &Config,
    name: &SinkName,
    settings: &SinkSettings,
    store: Option<&Arc<dyn Store>>,
) -> Option<Arc<dyn Deliver>> {
    let texts = store.filter(|_| settings.include_content).map(Arc::clone);
    let sink = Sink {
        name: name.clone(),
        kind: settings.kind?,
        trigger: settings.trigger.clone(),
        quiet: settings.quiet,
        texts: texts.map(|store| Arc::new(StoredTexts(store)) as Arc<dyn DocumentTexts>),
    };
    Some(match sink.kind {
        SinkKind::Webhook => {
            let (url, key, allowed) = (settings.url.clone()?, settings.key.clone(), &config.notify.allow_private_hosts);
            Arc::new(SinkDelivery::new(sink, Webhook::new(url, key, &config.fetch, allowed)))
        }
        SinkKind::Command => Arc::new(SinkDelivery::new(sink, CommandSink::new(settings.argv.clone()))),
    })
}

/// Texts of documents from a store.
struct StoredTexts(Arc<dyn Store>);

#[async_trait]
impl DocumentTexts for StoredTexts {
    async fn text(&self, document: DocumentId) -> Result<Option<DocumentText>, DeliveryError> {
        let texts = self.0.stored_texts(&[document]).await.map_err(DeliveryError::unavailable)?;
        Ok(texts.into_iter().next().map(|stored| DocumentText {
            name: stored.head.owner.name.to_string(),
            url: stored.head.owner.url.to_string(),
            version: stored.head.version,
            content: stored.text,
        }))
    }
}

/// Registers the subscribers with the store, so that outcomes create messages for them: those of this process, and for
/// sinks also those of other processes. A worker delivers these messages.
pub(super) async fn subscribe(config: &Config, store: &dyn Store) -> Result<(), CliError> {
    let built_in = built_in(config, store, None).map_err(|error| CliError::Usage(error.to_string()))?;
    for subscriber in built_in {
        store.subscribe(subscriber as Arc<dyn Subscriber>);
    }
    let sinks = config.notify.sinks.iter();
    let registration = |(name, settings): (&SinkName, &SinkSettings)| {
        let (name, trigger) = (name.clone(), settings.trigger.clone());
        settings.kind.map(|kind| SinkRegistration { name, kind, trigger })
    };
    let sinks: Vec<SinkRegistration> = sinks.filter_map(registration).collect();
    if !sinks.is_empty() {
        store.register_sinks(&sinks).await?;
    }
    Ok(())
}

fn wants_faq_jobs(config: &Config, store: &dyn OutboxStore) -> bool {
    match config.faq_job.switch {
        FaqSwitch::Off => false,
        FaqSwitch::On => true,
        FaqSwitch::Auto => store.is_chatwoot_database() && config.redis.is_used(),
    }
}
