//! A page server whose responses are written byte by byte: for responses that a well-behaved server would never send.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

type Answering = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server on a free loopback port; it stops when it is dropped.
pub struct Pages {
    pub address: SocketAddr,
    hits: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Pages {
    /// Serves `answer(path, connection)`, called after the request has been read.
    pub async fn serve<F>(answer: impl Fn(String, TcpStream) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (stop, hits) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
        let answer = Arc::new(move |path, connection| -> Answering { Box::pin(answer(path, connection)) });
        let (stopped, counted) = (stop.clone(), Arc::clone(&hits));
        tokio::spawn(async move {
            let tasks = TaskTracker::new();
            while let Some(Ok((mut connection, _))) = stopped.run_until_cancelled(listener.accept()).await {
                let (answer, counted, stopped) = (Arc::clone(&answer), Arc::clone(&counted), stopped.clone());
                tasks.spawn(async move {
                    let one = async {
                        if let Some(path) = request(&mut connection).await {
                            counted.fetch_add(1, Ordering::SeqCst);
                            answer(path, connection).await;
                        }
                    };
                    stopped.run_until_cancelled(one).await;
                });
            }
        });
        Self { address, hits, stop }
    }

    /// Serves the same bytes for every request, then closes the connection.
    pub async fn always(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<Vec<u8>> = Arc::new(answer.into());
        Self::serve(move |_, mut connection| {
            let answer = Arc::clone(&answer);
            async move {
                // The client may have disconnected already after it has read enough.
                let _ = connection.write_all(&answer).await;
                let _ = connection.shutdown().await;
            }
        })
        .await
    }

    /// Returns the URL of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the number of requests so far.
    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Reads a request's head; returns its path.
async fn request(connection: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()?.split(' ').nth(1).map(str::to_owned)
}

/// Makes a response with a body and its length.
pub fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Makes an HTML page response.
pub fn html(body: &str) -> Vec<u8> {
    answer("200 OK\r\nContent-Type: text/html", body.as_bytes())
}
