//! Measurement of the stages of each fetch. The clock belongs to the task of the fetch, in which the HTTP client looks
//! names up, connects and begins handshakes, so that the shared client measures each fetch by itself. A connection that
//! the client goes on to open in the background, because another one has become free, is measured nowhere.

use super::lookup::{Addresses, Lookup};
use crate::domain::stages::{Stage, Stages};
use rustls::NamedGroup;
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// Number of TLS sessions that are kept to be resumed, as by default.
const SESSIONS: usize = 256;

tokio::task_local! {
    static CLOCK: Arc<Mutex<StageTimes>>;
}

/// Event between two stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StageEvent {
    RequestStarted,
    LookupStarted,
    Resolved,
    Handshake,
    Connected,
    HeadReceived,
    BodyReceived,
    Converted,
}

/// Times of one fetch: the sums of its stages, and the last event of each kind of the current request.
#[derive(Debug, Default)]
struct StageTimes {
    sums: BTreeMap<Stage, Duration>,
    request: Option<Instant>,
    lookup: Option<Instant>,
    resolved: Option<Instant>,
    handshake: Option<Instant>,
    connected: Option<Instant>,
    head: Option<Instant>,
    body: Option<Instant>,
}

/// Runs a fetch, and returns the durations of the stages that it has ended; `None` if it has ended none.
pub(super) async fn timed<T>(fetch: impl Future<Output = T>) -> (T, Option<Stages>) {
    let times = Arc::<Mutex<StageTimes>>::default();
    let fetched = CLOCK.scope(Arc::clone(&times), fetch).await;
    let mut stages = Stages::default();
    for (stage, sum) in &times.lock().unwrap_or_else(PoisonError::into_inner).sums {
        stages.set(*stage, *sum);
    }
    (fetched, stages.packed().map(|_| stages))
}

/// Records an event of the fetch whose task this is; does nothing outside of one.
pub(super) fn note(event: StageEvent) {
    let now = Instant::now();
    let _ = CLOCK.try_with(|times| times.lock().unwrap_or_else(PoisonError::into_inner).note(event, now));
}

impl StageTimes {
    fn note(&mut self, event: StageEvent, now: Instant) {
        match event {
            StageEvent::RequestStarted => {
                *self = Self { sums: std::mem::take(&mut self.sums), request: Some(now), ..Self::default() };
            }
            StageEvent::LookupStarted => self.lookup = Some(now),
            StageEvent::Resolved => {
                self.add(Stage::Name, self.lookup, now);
                self.resolved = Some(now);
            }
            StageEvent::Handshake => self.handshake = Some(now),
            StageEvent::Connected => {
                self.add(Stage::Connect, self.resolved.or(self.request), self.handshake.unwrap_or(now));
                self.add(Stage::Tls, self.handshake, now);
                self.connected = Some(now);
            }
            StageEvent::HeadReceived => {
                self.add(Stage::FirstByte, self.connected.or(self.request), now);
                self.head = Some(now);
            }
            StageEvent::BodyReceived => {
                self.add(Stage::Body, self.head, now);
                self.body = Some(now);
            }
            StageEvent::Converted => self.add(Stage::Convert, self.body, now),
        }
    }

    fn add(&mut self, stage: Stage, since: Option<Instant>, now: Instant) {
        if let Some(since) = since {
            *self.sums.entry(stage).or_default() += now.saturating_duration_since(since);
        }
    }
}

/// A resolver whose look-ups are measured.
pub(super) struct TimedLookup(pub(super) Arc<dyn Lookup>);

impl Lookup for TimedLookup {
    fn addresses(&self, name: String) -> Addresses {
        let lookup = self.0.addresses(name);
        Box::pin(async move {
            note(StageEvent::LookupStarted);
            let found = lookup.await;
            note(StageEvent::Resolved);
            found
        })
    }
}

/// A layer whose connectors are measured.
#[derive(Clone, Copy)]
pub(super) struct TimedConnections;

impl<S> Layer<S> for TimedConnections {
    type Service = TimedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TimedConnector(inner)
    }
}

/// A connector that records when a connection is ready.
#[derive(Clone)]
pub(super) struct TimedConnector<S>(S);

impl<S, R> Service<R> for TimedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.0.call(request);
        Box::pin(async move {
            let connected = connecting.await;
            if connected.is_ok() {
                note(StageEvent::Connected);
            }
            connected
        })
    }
}

/// TLS sessions of earlier connections. The request for one marks the start of a handshake.
#[derive(Debug)]
pub(super) struct TimedSessions(ClientSessionMemoryCache);

impl TimedSessions {
    pub(super) fn new() -> Self {
        Self(ClientSessionMemoryCache::new(SESSIONS))
    }
}

impl ClientSessionStore for TimedSessions {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(server, group);
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        note(StageEvent::Handshake);
        self.0.kx_hint(server)
    }

    fn set_tls12_session(&self, server: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(server, value);
    }

    fn tls12_session(&self, server: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(server)
    }

    fn remove_tls12_session(&self, server: &ServerName<'static>) {
        self.0.remove_tls12_session(server);
    }

    fn insert_tls13_ticket(&self, server: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(server, value);
    }

    fn take_tls13_ticket(&self, server: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(server)
    }
}
