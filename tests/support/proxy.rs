//! A wire between a store and its server that breaks when a test says so: after a commit was sent, before its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

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
        let (cuts, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
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
        self.cuts.store(1, Ordering::SeqCst);
    }

    /// Whether it still waits for a commit.
    pub fn is_armed(&self) -> bool {
        self.cuts.load(Ordering::SeqCst) > 0
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
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                if to_server.write_all(&asked[..length]).await.is_err() {
                    return;
                }
                let commits = asked[..length].windows(7).any(|part| part == b"COMMIT\0");
                if commits && armed.swap(0, Ordering::SeqCst) > 0 {
                    // The server has done it when it answers; nobody hears.
                    let _ = from_server.read(&mut answered).await;
                    return;
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
