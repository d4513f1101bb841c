//! Trace of a fetch for a probe: events with their times, as `observer` records them.

use crate::domain::extraction::ExtractionReport;
use reqwest::{Response, header::HeaderMap};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

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

impl Mark {
    /// Returns the event of a response's head.
    pub fn of_head(response: &Response) -> Self {
        Self::HeadReceived { status: response.status().as_u16(), headers: response.headers().clone() }
    }
}

/// Events of one fetch, in order. Clones share the events.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(Arc<Mutex<Vec<(Instant, Mark)>>>);

impl Trace {
    /// Records an event at the current time.
    pub fn note(&self, mark: Mark) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), mark));
    }

    /// Returns a copy of the events so far.
    pub fn marks(&self) -> Vec<(Instant, Mark)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
