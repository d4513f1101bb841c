//! Observation of a fetch: each event is recorded once, for the clock of the stages and for the trace of a probe. Events
//! come from the name look-up, the connector, the start of the TLS handshake, and from between the steps of a fetch.

use super::lookup::{Addresses, Lookup};
use super::stage_clock::{self, StageEvent};
use super::trace::{Mark, Trace};
use rustls::NamedGroup;
use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// Number of TLS sessions that are kept to be resumed, as by default.
const SESSIONS: usize = 256;

/// The observer of a client's fetches; `None` without a trace.
#[derive(Clone, Debug)]
pub(super) struct Observer(Option<Trace>);

impl Observer {
    pub fn new(trace: Option<Trace>) -> Self {
        Self(trace)
    }

    /// Returns true if the fetch is traced.
    pub fn is_traced(&self) -> bool {
        self.0.is_some()
    }

    /// Records an event of the fetch whose task this is; `mark` is made only for a trace.
    pub fn note(&self, event: StageEvent, mark: impl FnOnce() -> Mark) {
        stage_clock::note(event);
        if let Some(trace) = &self.0 {
            trace.note(mark());
        }
    }

    /// Returns the TLS configuration of fetches, in which the request for a stored session marks the start of a handshake.
    /// With a trace no session is kept. `None` on a machine without root certificates.
    pub fn tls(&self) -> Option<rustls::ClientConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
        let mut config = builder.with_platform_verifier().ok()?.with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        config.resumption = if self.is_traced() {
            Resumption::store(Arc::new(NoSessions(self.clone())))
        } else {
            Resumption::store(Arc::new(KeptSessions(ClientSessionMemoryCache::new(SESSIONS))))
        };
        Some(config)
    }
}

/// A resolver whose look-ups are observed.
pub(super) struct ObservedLookup {
    pub inner: Arc<dyn Lookup>,
    pub observer: Observer,
}

impl Lookup for ObservedLookup {
    fn addresses(&self, name: String) -> Addresses {
        let (lookup, observer) = (self.inner.addresses(name), self.observer.clone());
        Box::pin(async move {
            observer.note(StageEvent::LookupStarted, || Mark::LookupStarted);
            let found = lookup.await;
            observer.note(StageEvent::Resolved, || Mark::Resolved);
            found
        })
    }
}

impl<S> Layer<S> for Observer {
    type Service = ObservedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ObservedConnector { inner, observer: self.clone() }
    }
}

/// A connector that records when a connection is ready.
#[derive(Clone)]
pub(super) struct ObservedConnector<S> {
    inner: S,
    observer: Observer,
}

impl<S, R> Service<R> for ObservedConnector<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (connecting, observer) = (self.inner.call(request), self.observer.clone());
        Box::pin(async move {
            let connected = connecting.await;
            if connected.is_ok() {
                observer.note(StageEvent::Connected, || Mark::Connected);
            }
            connected
        })
    }
}

/// TLS sessions of earlier connections. The request for one marks the start of a handshake.
#[derive(Debug)]
struct KeptSessions(ClientSessionMemoryCache);

impl ClientSessionStore for KeptSessions {
    fn set_kx_hint(&self, server: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(server, group);
    }

    fn kx_hint(&self, server: &ServerName<'_>) -> Option<NamedGroup> {
        stage_clock::note(StageEvent::Handshake);
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

/// No sessions, so that every handshake of a trace is a whole one.
#[derive(Debug)]
struct NoSessions(Observer);

impl ClientSessionStore for NoSessions {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.note(StageEvent::Handshake, || Mark::Handshake);
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {}

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {}

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}
