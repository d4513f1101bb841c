//! A proxy between a store and its server that cuts a connection on demand: after a commit was sent, before its
//! response.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Connections that are cut: none, the next commit's, the next one's that ends an attempt.
const NOTHING: u32 = 0;
const ANY: u32 = 1;
const FINISHES: u32 = 2;
/// Bytes that mark a transaction that ends an attempt: the result that it writes.
const RESULT: &[u8] = b"unchanged";

/// A proxy on a free loopback port; it stops when it is dropped.
pub struct Proxy {
    pub port: u16,
    cuts: Arc<AtomicU32>,
    stop: CancellationToken,
}

impl Proxy {
    /// Starts a proxy to the server at `to`.
    pub async fn to(to: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let port = listener.local_addr().expect("bound").port();
        let (cuts, stop) = (Arc::new(AtomicU32::new(NOTHING)), CancellationToken::new());
        let (armed, stopped) = (Arc::clone(&cuts), stop.clone());
        tokio::spawn(async move {
            while let Some(Ok((client, _))) = stopped.run_until_cancelled(listener.accept()).await {
                let (to, armed) = (to.clone(), Arc::clone(&armed));
                let stopped = stopped.clone();
                tokio::spawn(async move {
                    stopped.run_until_cancelled(carry(client, &to, &armed)).await;
                });
            }
        });
        Self { port, cuts, stop }
    }

    /// Cuts the connection of the next commit instead of passing on the response.
    pub fn cut_the_next_commit(&self) {
        self.cuts.store(ANY, Ordering::SeqCst);
    }

    /// Does the same for the next commit of a transaction that records a page as unchanged.
    pub fn cut_a_commit_that_finishes(&self) {
        self.cuts.store(FINISHES, Ordering::SeqCst);
    }

    /// Returns true while it waits for a commit to cut.
    pub fn is_armed(&self) -> bool {
        self.cuts.load(Ordering::SeqCst) != NOTHING
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn carry(client: TcpStream, to: &str, armed: &AtomicU32) {
    let server = TcpStream::connect(to).await.expect("the server listens");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut finishes = false;
    let has = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).any(|part| part == what);
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                if to_server.write_all(&asked[..length]).await.is_err() {
                    return;
                }
                finishes |= has(&asked[..length], RESULT);
                if has(&asked[..length], b"COMMIT\0") {
                    let cut = armed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |cut| {
                        (cut == ANY || cut == FINISHES && finishes).then_some(NOTHING)
                    });
                    if cut.is_ok() {
                        // The server has committed when it responds; the response is dropped.
                        let _ = from_server.read(&mut answered).await;
                        return;
                    }
                    finishes = false;
                }
            }
            read = from_server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if to_client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
