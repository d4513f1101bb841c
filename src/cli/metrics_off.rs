//! The metrics of a program that was built without the feature `metrics`: none.

use super::exit::CliError;
use super::http::{HttpPages, HttpPort};
use crate::runner::handle::Handle;
use crate::store::{Recorder, Store};
use std::net::SocketAddr;
use std::sync::Arc;

pub(super) use NoMetrics as Metrics;

/// Counts nothing.
pub(super) struct NoMetrics;

impl NoMetrics {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self)
    }

    /// Returns `also`.
    pub(super) fn recorder(self: &Arc<Self>, also: Recorder) -> Recorder {
        also
    }

    /// Returns no page.
    pub(super) fn pages(self: &Arc<Self>, _: Handle, _: Arc<dyn Store>) -> Arc<dyn HttpPages> {
        Arc::new(NoPages)
    }
}

/// Fails: nobody would find the metrics that the settings promise.
pub(super) async fn listen(_: SocketAddr) -> Result<HttpPort, CliError> {
    Err(CliError::Usage("metrics.listen: this program was built without the feature `metrics`".to_owned()))
}

struct NoPages;

#[async_trait::async_trait]
impl HttpPages for NoPages {
    async fn answer(&self, _: &str) -> Option<super::http::HttpAnswer> {
        None
    }

    fn paths(&self) -> &'static str {
        "nothing"
    }
}
