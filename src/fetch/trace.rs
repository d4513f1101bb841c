//! Trace of a fetch for a probe: events with their times. Events are recorded in the name look-up, in the connector,
//! when the TLS handshake begins, and between the steps of a fetch.

use super::lookup::{Addresses, Lookup};
use super::stage_clock::TimedSessions;
use crate::domain::extraction::ExtractionReport;
use reqwest::{Response, header::HeaderMap};
use rustls::NamedGroup;
use rustls::client::{ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::pki_types::ServerName;
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

/// Event of a fetch.
#[derive(Clone, Debug)]
pub(super) enum Mark {
    /// A request to this URL is about to be sent.
    RequestStarted(String),
    /// The name look-up has begun.
    LookupStarted,
    /// The name look-up has ended.
    Resolved,
    /// The connection is open and the TLS handshake begins.
    Handshake,
    /// The connection is ready for a request.
    Connected,
    /// The head of the response has arrived.
    HeadReceived { status: u16, headers: HeaderMap },
    /// The whole body has arrived.
    BodyReceived,
    /// The body was converted to text; with the report on its content, unless it is plain text.
    Converted(Option<Arc<ExtractionReport>>),
}

/// Events of one fetch, in order. Clones share the events.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(Arc<Mutex<Vec<(Instant, Mark)>>>);

impl Trace {
    /// Records an event at the current time.
    pub fn note(&self, mark: Mark) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), mark));
    }

    /// Records the head of a response.
    pub fn note_response(&self, response: &Response) {
        self.note(Mark::HeadReceived { status: response.status().as_u16(), headers: response.headers().clone() });
    }

    /// Returns a copy of the events so far.
    pub fn marks(&self) -> Vec<(Instant, Mark)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A resolver that records its look-ups.
pub(super) struct TracedLookup {
    pub inner: Arc<dyn Lookup>,
    pub trace: Trace,
}

impl Lookup for TracedLookup {
    fn addresses(&self, name: String) -> Addresses {
        let (lookup, trace) = (self.inner.addresses(name), self.trace.clone());
        Box::pin(async move {
            trace.note(Mark::LookupStarted);
            let found = lookup.await;
            trace.note(Mark::Resolved);
            found
        })
    }
}

impl<S> Layer<S> for Trace {
    type Service = TracedConnector<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TracedConnector { inner, trace: self.clone() }
    }
}

/// A connector that records the time at which a connection is ready.
#[derive(Clone)]
pub(super) struct TracedConnector<S> {
    inner: S,
    trace: Trace,
}

impl<S, R> Service<R> for TracedConnector<S>
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
        let (connecting, trace) = (self.inner.call(request), self.trace.clone());
        Box::pin(async move {
            let connected = connecting.await;
            if connected.is_ok() {
                trace.note(Mark::Connected);
            }
            connected
        })
    }
}

/// Returns the TLS configuration of fetches, in which the request for a stored session marks the start of a handshake.
/// With a trace no session is kept. `None` on a machine without root certificates.
pub(super) fn measured_tls(trace: Option<&Trace>) -> Option<rustls::ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let mut config = builder.with_platform_verifier().ok()?.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = match trace {
        Some(trace) => Resumption::store(Arc::new(NoSessions(trace.clone()))),
        None => Resumption::store(Arc::new(TimedSessions::new())),
    };
    Some(config)
}

#[derive(Debug)]
struct NoSessions(Trace);

impl ClientSessionStore for NoSessions {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.note(Mark::Handshake);
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
