//! `work --health PORT`: signs of life on loopback, for the supervisor of a worker.
//!
//! `/live` says if the process works: 200, or 503 once its loops are stuck, whatever the database does; a restart helps
//! then. `/ready` says if the worker takes jobs: 200, or 503 with a `status` and a `reason` while it starts or ends, and
//! while the database or a required Redis does not answer; a restart does not help then. `/` and `/health` answer like
//! `/ready`, but also 200 while the worker starts, as they did before there was `/ready`.

use super::exit::CliError;
use super::http::{HttpAnswer, HttpPages, HttpPort};
use super::output::{masked, note};
use crate::runner::event::{Health, LockHealth, Phase};
use crate::runner::handle::Handle;
use crate::store::Queries;
use async_trait::async_trait;
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::time::timeout;

/// Time within which the database must answer to count as reachable. It is short because supervisors wait only a few
/// seconds for the endpoint.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Status of a worker that is not registered yet.
const STARTING: &str = "starting";

/// Body of a response, in JSON.
#[derive(Serialize)]
struct HealthReport {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    busy: u32,
    slots: u32,
}

/// Listens on `port` of 127.0.0.1 and prints the address on stderr. With `port` 0 the system chooses a free port.
pub(super) async fn listen(port: u16) -> Result<HttpPort, CliError> {
    let taken = |error| CliError::Usage(format!("--health {port}: cannot listen on 127.0.0.1:{port}: {error}"));
    let listener = HttpPort::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.map_err(taken)?;
    note(format!("health is served at http://{}/health", listener.address().map_err(taken)?));
    Ok(listener)
}

/// Pages of the health port. They answer from the moment the port is open: a store that is locked or far away can take
/// longer to open than a supervisor waits.
#[derive(Default)]
pub(super) struct HealthPages(OnceLock<StartedWorker>);

/// The runner and the store that the reports are about.
pub(super) struct StartedWorker {
    pub(super) runner: Handle,
    pub(super) store: Arc<dyn Queries>,
    /// Further pages of the same port; `None` if they have a port of their own.
    pub(super) metrics: Option<Arc<dyn HttpPages>>,
}

/// Status word and reason, in a sentence, of a worker that is not well.
type Problem = (&'static str, String);

#[async_trait]
impl HttpPages for HealthPages {
    async fn answer(&self, path: &str) -> Option<HttpAnswer> {
        let worker = self.0.get();
        let unready = async || match worker {
            Some(worker) => worker.unready_reason().await,
            None => Some((STARTING, "the store is being opened".to_owned())),
        };
        let problem = match path {
            "/ready" => unready().await,
            "/" | "/health" => unready().await.filter(|(status, _)| *status != STARTING),
            "/live" => worker.and_then(StartedWorker::stall),
            path => return worker?.metrics.as_ref()?.answer(path).await,
        };
        let (status, reason) = match problem {
            None => ("ok", None),
            Some((status, reason)) => (status, Some(masked(&reason))),
        };
        let (busy, slots) = worker.map_or((0, 0), |worker| {
            let now = *worker.runner.status().borrow();
            (now.busy, now.slots)
        });
        let is_ok = reason.is_none();
        let report = HealthReport { status, reason, busy, slots };
        let body = serde_json::to_string(&report).unwrap_or_default() + "\n";
        Some(HttpAnswer { is_ok, content_type: "application/json", body })
    }

    fn paths(&self) -> &'static str {
        if self.0.get().is_some_and(|worker| worker.metrics.is_some()) {
            "/live, /ready, /health or /metrics"
        } else {
            "/live, /ready or /health"
        }
    }
}

impl HealthPages {
    /// Reports on `worker` from now on.
    pub(super) fn begin(&self, worker: StartedWorker) {
        // Nothing begins twice: a process has one worker.
        let _ = self.0.set(worker);
    }
}

impl StartedWorker {
    /// Returns `None` while the runner's loops come round.
    fn stall(&self) -> Option<Problem> {
        self.runner.progress().stall().map(|reason| ("stalled", reason))
    }

    /// Returns `None` while the worker takes jobs.
    async fn unready_reason(&self) -> Option<Problem> {
        let now = *self.runner.status().borrow();
        match now.phase {
            Phase::Stopped => return Some(("stopped", "the worker has ended".to_owned())),
            Phase::Running | Phase::Off | Phase::Draining => {}
        }
        if let Some(mismatch) = *self.store.schema_mismatch().borrow() {
            return Some(("outdated", mismatch.to_string()));
        }
        if now.phase == Phase::Draining {
            return Some(("draining", format!("the worker takes no more jobs; jobs still running: {}", now.busy)));
        }
        if let Some(stall) = self.stall() {
            return Some(stall);
        }
        if let Health::Unreachable { reason, .. } = &*self.runner.health().borrow() {
            return Some(("unreachable", reason.to_string()));
        }
        if let locks @ LockHealth::Stopped { .. } = &*self.runner.locks().borrow() {
            return locks.message().map(|why| ("unreachable", why));
        }
        // Queries the database as well: the runner's status may be a second old, or the runner may be waiting for the
        // database.
        match timeout(ANSWER_TIMEOUT, self.store.last_seq()).await {
            Ok(Ok(_)) if self.runner.progress().is_registered() => None,
            Ok(Ok(_)) => Some((STARTING, "the worker is not registered in the database yet".to_owned())),
            Ok(Err(error)) => Some(("unreachable", error.to_string())),
            Err(_) => {
                Some(("unreachable", format!("the database does not answer within {} s", ANSWER_TIMEOUT.as_secs())))
            }
        }
    }
}
