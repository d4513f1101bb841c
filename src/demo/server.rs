//! Servers of the demo site: a listener per host, a task per connection, all ended by one cancellation token.

use super::answer::{Location, Reply, ReplyBody, Route, answer, down, furniture, missing, route, wrong_method};
use super::catalogue::Catalogue;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, ETAG, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Number of pieces of a slow page. The pauses between them take 7.5 s in total, far above the demo's total time-out of
/// 4 s; each pause is far below the demo's read time-out of 2 s.
const DROP_COUNT: usize = 16;
const DROP_PAUSE: Duration = Duration::from_millis(500);
/// Wait after a failed accept (no file descriptors left), so that other connections can close.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// State shared by the servers of all hosts.
pub(super) struct Shared {
    pub(super) catalogue: Catalogue,
    pub(super) hosts: Vec<String>,
    /// Number of hits per document, by the document's index.
    pub(super) hits: Vec<AtomicU64>,
    pub(super) answering: watch::Sender<usize>,
    /// Index of the host that is down; [`HOSTS`](super::catalogue::HOSTS) if none is.
    pub(super) down: AtomicUsize,
    pub(super) stopping: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// Counts a request as in progress until this value is dropped: when the response is complete, or when the reader
/// disconnects.
struct Answering(watch::Sender<usize>);

impl Answering {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// Accepts connections of `host` until the site stops.
pub(super) async fn accept(shared: Arc<Shared>, host: usize, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = shared.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connection(Arc::clone(&shared), host, stream);
                shared.tasks.spawn(connection);
            }
            Err(_) => {
                tokio::select! {
                    () = shared.stopping.cancelled() => return,
                    () = tokio::time::sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
}

async fn connection(shared: Arc<Shared>, host: usize, stream: TcpStream) {
    // Small responses must not wait for more data; a socket without this option still works.
    let _ = stream.set_nodelay(true);
    let stopping = shared.stopping.clone();
    let service = service_fn(move |request| handle(Arc::clone(&shared), host, request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A graceful shutdown would wait forever for silent pages.
        () = stopping.cancelled() => {}
        // A reader that disconnects is an error here and ends its response.
        _ = connection => {}
    }
}

async fn handle(shared: Arc<Shared>, host: usize, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let answering = Answering::new(&shared.answering);
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(response(&shared, wrong_method(), answering));
    }
    if shared.down.load(Ordering::Relaxed) == host {
        return Ok(response(&shared, down(host), answering));
    }
    let reply = match route(&shared.catalogue, host, request.uri().path()) {
        Route::Furniture(content_type, text) => furniture(content_type, text),
        Route::Missing => missing(host),
        Route::Document(plan, hop) => {
            let hit = match shared.hits.get(plan.index) {
                // The redirects of a chain belong to the hit that began it.
                Some(hits) if hop > 0 => hits.load(Ordering::Relaxed).max(1),
                Some(hits) => hits.fetch_add(1, Ordering::Relaxed) + 1,
                None => 1,
            };
            match answer(&shared.catalogue, plan, hop, hit) {
                Some(reply) => reply,
                None => std::future::pending().await,
            }
        }
    };
    if !reply.latency.is_zero() {
        tokio::time::sleep(reply.latency).await;
    }
    Ok(response(&shared, reply, answering))
}

fn response(shared: &Shared, reply: Reply, answering: Answering) -> Response<Body> {
    let body = match reply.body {
        ReplyBody::Whole(bytes) => Full::new(bytes).boxed_unsync(),
        ReplyBody::Drops(bytes) => drops(bytes, answering),
        ReplyBody::Parts(parts) => {
            let frames = parts.map(move |part| {
                // Kept until the last part is sent or the reader disconnects.
                let _ = &answering;
                Ok(Frame::data(part))
            });
            StreamBody::new(stream::iter(frames)).boxed_unsync()
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(reply.content_type));
    let location = reply.location.map(|location| match location {
        Location::Path(path) => path,
        Location::OtherHost(host, path) => {
            format!("http://{}{path}", shared.hosts.get(host).map(String::as_str).unwrap_or_default())
        }
    });
    for (name, value) in [(LOCATION, location), (ETAG, reply.etag)] {
        // Paths and tags are ASCII, so none is left out.
        if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
            headers.insert(name, value);
        }
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    response
}

fn drops(bytes: Bytes, answering: Answering) -> Body {
    let size = bytes.len().div_ceil(DROP_COUNT).max(1);
    let start = (bytes, Duration::ZERO, answering);
    let frames = stream::unfold(start, move |(mut rest, pause, answering)| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let drop = rest.split_to(size.min(rest.len()));
        Some((Ok(Frame::data(drop)), (rest, DROP_PAUSE, answering)))
    });
    StreamBody::new(frames).boxed_unsync()
}
