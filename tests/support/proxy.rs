//! A wire between a store and its server that breaks when a test says so: after a commit was sent, before its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// What is cut: nothing, any commit, one that ends an attempt.
const NOTHING: u32 = 0;
const ANY: u32 = 1;
const FINISHES: u32 = 2;
/// What such a transaction is told by: the result that it writes.
const RESULT: &[u8] = b"unchanged";

/// A proxy on a free loopback port; it ends with the value.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    cuts: Arc<AtomicU32>,
    stop: CancellationToken,
}

impl Proxy {
    /// Leads to `to`.
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

    /// The next commit's answer does not come through: the connection is cut instead.
    pub fn cut_the_next_commit(&self) {
        self.cuts.store(ANY, Ordering::SeqCst);
    }

    /// The same for the next commit of a transaction that records a page as unchanged.
    pub fn cut_a_commit_that_finishes(&self) {
        self.cuts.store(FINISHES, Ordering::SeqCst);
    }

    /// Whether it still waits for a commit.
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
                        // The server has done it when it answers; nobody hears.
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
