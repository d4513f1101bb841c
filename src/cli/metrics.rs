//! Metrics of a worker for Prometheus: at `/metrics` of the health port, or at an address of their own
//! (`metrics.listen`).
//!
//! Counters and histograms are of this process, since its start; the figures of the queue are of the whole store, and
//! the same from each worker.

mod tally;
mod text;

use super::exit::CliError;
use super::http::{HttpAnswer, HttpPages, HttpPort};
use super::output::note;
use crate::runner::handle::Handle;
use crate::store::{Recorder, Store, StoreFigures};
use async_trait::async_trait;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tally::Tally;
use text::Snapshot;
use tokio::time::{Instant, timeout};

/// Time for which the figures of the store are not read again, so that many readers cost no more than one.
const MIN_AGE: Duration = Duration::from_secs(5);
/// The same as a multiple of the time that the last read took: reads take at most 5 % of the time, however long the
/// queue is.
const READ_BACKOFF_FACTOR: u32 = 20;
/// Longest time of a read. Prometheus waits 10 s, and the figures of the process are worth having without the store's.
const READ_TIMEOUT: Duration = Duration::from_secs(3);

/// The figures of this process that the outcomes add to.
#[derive(Default)]
pub(super) struct Metrics {
    tally: Mutex<Tally>,
}

impl Metrics {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Returns a recorder that counts outcomes and then passes them to `also`.
    pub(super) fn recorder(self: &Arc<Self>, also: Recorder) -> Recorder {
        let metrics = Arc::clone(self);
        Arc::new(move |outcomes| {
            metrics.tally.lock().unwrap_or_else(PoisonError::into_inner).count(outcomes);
            also(outcomes);
        })
    }

    /// Returns the page of the metrics.
    pub(super) fn pages(self: &Arc<Self>, runner: Handle, store: Arc<dyn Store>) -> Arc<dyn HttpPages> {
        Arc::new(MetricsPage { metrics: Arc::clone(self), runner, store, figures: tokio::sync::Mutex::default() })
    }
}

/// Listens on the address of `metrics.listen` and prints it on stderr.
pub(super) async fn listen(address: SocketAddr) -> Result<HttpPort, CliError> {
    let taken = |error| CliError::Usage(format!("metrics.listen: cannot listen on {address}: {error}"));
    let port = HttpPort::listen(address).await.map_err(taken)?;
    note(format!("metrics are served at http://{}/metrics", port.address().map_err(taken)?));
    Ok(port)
}

struct MetricsPage {
    metrics: Arc<Metrics>,
    runner: Handle,
    store: Arc<dyn Store>,
    figures: tokio::sync::Mutex<KnownFigures>,
}

/// The figures of the store that were read last.
#[derive(Default)]
struct KnownFigures {
    /// `None` if the store did not answer.
    figures: Option<Arc<StoreFigures>>,
    /// Time from which they are read again; `None` before the first read.
    valid_until: Option<Instant>,
}

#[async_trait]
impl HttpPages for MetricsPage {
    async fn answer(&self, path: &str) -> Option<HttpAnswer> {
        if path != "/metrics" {
            return None;
        }
        let figures = self.store_figures().await;
        let tally = self.metrics.tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let snapshot = Snapshot {
            status: *self.runner.status().borrow(),
            runner: self.runner.measures().figures(),
            connections: self.store.connections(),
            store: figures,
            tally,
        };
        Some(HttpAnswer { is_ok: true, content_type: text::CONTENT_TYPE, body: text::encode(snapshot) })
    }

    fn paths(&self) -> &'static str {
        "/metrics"
    }
}

impl MetricsPage {
    /// Returns the figures of the store, which may be some seconds old; `None` if it does not answer.
    async fn store_figures(&self) -> Option<Arc<StoreFigures>> {
        // One read at a time: whoever waits for it gets its result.
        let mut known = self.figures.lock().await;
        if known.valid_until.is_none_or(|until| until <= Instant::now()) {
            let begun = Instant::now();
            let read = timeout(READ_TIMEOUT, self.store.figures()).await;
            known.figures = read.ok().and_then(Result::ok).map(Arc::new);
            known.valid_until = Some(Instant::now() + MIN_AGE.max(begun.elapsed() * READ_BACKOFF_FACTOR));
        }
        known.figures.clone()
    }
}
