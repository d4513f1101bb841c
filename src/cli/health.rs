//! `work --health PORT`: a health endpoint on loopback, for the supervisor that restarts a worker when it fails.
//!
//! `GET /` or `/health`: 200 and `{"status":"ok","busy":N,"slots":N}` while the database answers; 503 with another
//! `status` (`unreachable`, `draining`, `stopped`) and a `reason` while the database or a required Redis does not
//! answer, or while this worker is ending.

use super::exit::CliError;
use super::output::{masked, note};
use crate::runner::event::{Health, LockHealth, Phase};
use crate::runner::handle::Handle;
use crate::store::Queries;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Time within which the database must answer to count as reachable. It is short because supervisors wait only a few
/// seconds for the endpoint.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum time for which a client may keep a connection open, request and response included.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of connections served at a time. A further one ends the oldest: that one has had time to send its
/// request, and whoever keeps connections open without sending one keeps nobody from an answer.
const MAX_CONNECTIONS: usize = 16;
/// Wait after a failed accept, for example when no file descriptor is free, so that connections can close meanwhile.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// A port that accepts connections but does not answer requests yet.
pub(super) struct HealthPort(TcpListener);

/// The running health endpoint; serves until [`HealthServer::end`].
pub(super) struct HealthServer {
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Body of the endpoint's response, in JSON.
#[derive(Serialize)]
struct HealthReport {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    busy: u32,
    slots: u32,
}

impl HealthPort {
    /// Listens on `port` of 127.0.0.1 and prints the address on stderr. With `port` 0 the system chooses a free port.
    pub(super) async fn listen(port: u16) -> Result<Self, CliError> {
        let taken = |error| CliError::Usage(format!("--health {port}: cannot listen on 127.0.0.1:{port}: {error}"));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(taken)?;
        let address = listener.local_addr().map_err(taken)?;
        note(format!("health is served at http://{address}/health"));
        Ok(Self(listener))
    }

    /// Starts to answer requests in the background.
    pub(super) fn serve(self, runner: Handle, store: Arc<dyn Queries>) -> HealthServer {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let source = Arc::new(HealthSource { runner, store });
        let accepting = accept(self.0, source, tasks.clone());
        let stopped = stop.clone();
        tasks.spawn(async move { stopped.run_until_cancelled(accepting).await });
        HealthServer { stop, tasks }
    }
}

impl HealthServer {
    /// Stops accepting; requests that are being answered get 2 s to finish.
    pub(super) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        // A client that does not read must not keep the process alive.
        let _ = timeout(ANSWER_TIMEOUT, self.tasks.wait()).await;
    }
}

async fn accept(listener: TcpListener, source: Arc<HealthSource>, tasks: TaskTracker) {
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    // Runs until it is cancelled.
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                open.retain(|connection| !connection.is_finished());
                if open.len() >= MAX_CONNECTIONS
                    && let Some(oldest) = open.pop_front()
                {
                    oldest.abort();
                }
                let serving = timeout(CONNECTION_TIMEOUT, connection(stream, Arc::clone(&source)));
                open.push_back(tasks.spawn(serving).abort_handle());
            }
            Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
        }
    }
}

async fn connection(stream: TcpStream, source: Arc<HealthSource>) {
    let service = service_fn(move |request| {
        let source = Arc::clone(&source);
        async move { Ok::<_, Infallible>(source.answer(&request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(CONNECTION_TIMEOUT);
    // An error is ignored: a client that disconnects early does not need the answer.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// The runner and the store that the health report is about.
struct HealthSource {
    runner: Handle,
    store: Arc<dyn Queries>,
}

impl HealthSource {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/" | "/health") => {}
            (&Method::GET | &Method::HEAD, _) => {
                return response(StatusCode::NOT_FOUND, "not found; use /health\n".into());
            }
            _ => return response(StatusCode::METHOD_NOT_ALLOWED, "use GET /health\n".into()),
        }
        let (status, reason) = match self.unhealthy_reason().await {
            None => ("ok", None),
            Some((status, reason)) => (status, Some(masked(&reason))),
        };
        let code = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let now = *self.runner.status().borrow();
        let report = HealthReport { status, reason, busy: now.busy, slots: now.slots };
        response(code, serde_json::to_string(&report).unwrap_or_default() + "\n")
    }

    /// Returns `None` while the worker is healthy, else the status word and the reason in a sentence.
    async fn unhealthy_reason(&self) -> Option<(&'static str, String)> {
        let now = *self.runner.status().borrow();
        match now.phase {
            Phase::Draining => {
                return Some(("draining", format!("the worker takes no more jobs; jobs still running: {}", now.busy)));
            }
            Phase::Stopped => return Some(("stopped", "the worker has ended".to_owned())),
            Phase::Running => {}
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
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(("unreachable", error.to_string())),
            Err(_) => {
                Some(("unreachable", format!("the database does not answer within {} s", ANSWER_TIMEOUT.as_secs())))
            }
        }
    }
}

fn response(code: StatusCode, body: String) -> Response<Full<Bytes>> {
    let kind = if body.starts_with('{') { "application/json" } else { "text/plain; charset=utf-8" };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
