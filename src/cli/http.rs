//! A small HTTP server for supervisors and for Prometheus: answers GET and HEAD of a few paths, one request per
//! connection.

use async_trait::async_trait;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum time for which a client may keep a connection open, request and response included.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of connections served at a time. A further one ends the oldest: that one has had time to send its
/// request, and whoever keeps connections open without sending one keeps nobody from an answer.
const MAX_CONNECTIONS: usize = 16;
/// Wait after a failed accept, for example when no file descriptor is free, so that connections can close meanwhile.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);
/// Time that responses get to be sent when the server ends.
const END_TIMEOUT: Duration = Duration::from_secs(2);

/// Response to a request.
pub(super) struct HttpAnswer {
    pub(super) is_ok: bool,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

/// Pages of a server.
#[async_trait]
pub(super) trait HttpPages: Send + Sync + 'static {
    /// Returns the response for a path; `None` if there is none.
    async fn answer(&self, path: &str) -> Option<HttpAnswer>;

    /// Returns the paths for people, for the response to a request of another one: `/health, /ready`.
    fn paths(&self) -> &'static str;
}

/// A port that accepts connections but does not answer requests yet.
pub(super) struct HttpPort(TcpListener);

/// A running server; serves until [`HttpServer::end`].
pub(super) struct HttpServer {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl HttpPort {
    /// Listens on `address`. With port 0 the system chooses a free port.
    pub(super) async fn listen(address: SocketAddr) -> io::Result<Self> {
        Ok(Self(TcpListener::bind(address).await?))
    }

    /// Returns the address with the port that was chosen.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Starts to answer requests in the background.
    pub(super) fn serve(self, pages: Arc<dyn HttpPages>) -> HttpServer {
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let accepting = accept(self.0, pages, tasks.clone());
        let stopped = stop.clone();
        tasks.spawn(async move { stopped.run_until_cancelled(accepting).await });
        HttpServer { stop, tasks }
    }
}

impl HttpServer {
    /// Stops accepting; requests that are being answered get 2 s to finish.
    pub(super) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        // A client that does not read must not keep the process alive.
        let _ = timeout(END_TIMEOUT, self.tasks.wait()).await;
    }
}

async fn accept(listener: TcpListener, pages: Arc<dyn HttpPages>, tasks: TaskTracker) {
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
                let serving = timeout(CONNECTION_TIMEOUT, connection(stream, Arc::clone(&pages)));
                open.push_back(tasks.spawn(serving).abort_handle());
            }
            Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
        }
    }
}

async fn connection(stream: TcpStream, pages: Arc<dyn HttpPages>) {
    let service = service_fn(move |request| {
        let pages = Arc::clone(&pages);
        async move { Ok::<_, Infallible>(respond(&request, &*pages).await) }
    });
    let mut builder = http1::Builder::new();
    builder.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(CONNECTION_TIMEOUT);
    // An error is ignored: a client that disconnects early does not need the answer.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(request: &Request<Incoming>, pages: &dyn HttpPages) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if !matches!(request.method(), &Method::GET | &Method::HEAD) {
        return response(StatusCode::METHOD_NOT_ALLOWED, TEXT, format!("use GET of {}\n", pages.paths()));
    }
    match pages.answer(request.uri().path()).await {
        Some(answer) => {
            let code = if answer.is_ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            response(code, answer.content_type, answer.body)
        }
        None => response(StatusCode::NOT_FOUND, TEXT, format!("not found; use {}\n", pages.paths())),
    }
}

fn response(code: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
