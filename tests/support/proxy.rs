//! A proxy between a program and its PostgreSQL or Redis. It notes every round trip to PostgreSQL; on demand it holds a
//! commit back, cuts a connection after a commit was sent, before its response, delays what it passes on, resets
//! connections, and passes on nothing while it keeps the connections open.

use super::limit::lasts;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

/// Connections that are cut: none, the next commit's, the next one's that ends an attempt.
const NOTHING: u32 = 0;
const ANY: u32 = 1;
const FINISHES: u32 = 2;
/// Bytes that mark a transaction that ends an attempt: the result that it writes.
const RESULT: &[u8] = b"unchanged";
/// The beginnings of statements that are a whole transaction which writes: an optimistic finish and claim.
const OPTIMISTIC: [&str; 2] = ["WITH guard AS", "WITH gate AS"];
/// Length of the message that asks for TLS, which has no type, like the message that starts a session.
const TLS_REQUEST: usize = 8;

/// What a proxy does and has seen, shared with its connections.
#[derive(Default)]
struct Shared {
    cuts: AtomicU32,
    /// Text of the statement of each round trip, in their order.
    trips: Mutex<Vec<String>>,
    /// The commit that is to be held back.
    hold: Mutex<Option<Hold>>,
    /// Time that each piece needs in one direction, in microseconds.
    delay: AtomicU64,
    /// Number of pieces of which one is lost with its connection; 0 if none.
    resets: AtomicU64,
    /// Number of pieces so far.
    pieces: AtomicU64,
    /// True while nothing is passed on.
    silent: watch::Sender<bool>,
}

impl Shared {
    /// Waits as long as a piece is on its way; returns false if it is lost with its connection.
    async fn arrives(&self) -> bool {
        let mut silent = self.silent.subscribe();
        // The sender lives as long as the proxy.
        let _ = silent.wait_for(|silent| !*silent).await;
        let delay = self.delay.load(Ordering::Relaxed);
        if delay > 0 {
            lasts(Duration::from_micros(delay)).await;
        }
        let (piece, resets) = (self.pieces.fetch_add(1, Ordering::Relaxed), self.resets.load(Ordering::Relaxed));
        resets == 0 || piece % resets != resets - 1
    }
}

/// A commit that is held back: says when it has arrived, and waits until it may go on.
struct Hold {
    arrived: oneshot::Sender<()>,
    goes_on: oneshot::Receiver<()>,
}

/// The test's side of a commit that is held back.
pub struct HeldCommit {
    arrived: oneshot::Receiver<()>,
    goes_on: oneshot::Sender<()>,
}

impl HeldCommit {
    /// Waits until the commit has arrived. The server does not know of it yet.
    pub async fn arrived(&mut self) {
        (&mut self.arrived).await.expect("the proxy lives");
    }

    /// Passes the commit on to the server.
    pub fn go_on(self) {
        self.goes_on.send(()).expect("the proxy lives");
    }
}

/// A proxy on a free loopback port; it stops when it is dropped.
pub struct Proxy {
    pub port: u16,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

impl Proxy {
    /// Starts a proxy to the server at `to`.
    pub async fn to(to: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port");
        let port = listener.local_addr().expect("bound").port();
        let (shared, stop) = (Arc::new(Shared::default()), CancellationToken::new());
        let (seen, stopped) = (Arc::clone(&shared), stop.clone());
        tokio::spawn(async move {
            while let Some(Ok((client, _))) = stopped.run_until_cancelled(listener.accept()).await {
                let (to, seen) = (to.clone(), Arc::clone(&seen));
                let stopped = stopped.clone();
                tokio::spawn(async move {
                    stopped.run_until_cancelled(carry(client, &to, &seen)).await;
                });
            }
        });
        Self { port, shared, stop }
    }

    /// Cuts the connection of the next commit instead of passing on the response.
    pub fn cut_the_next_commit(&self) {
        self.shared.cuts.store(ANY, Ordering::SeqCst);
    }

    /// Does the same for the next commit of a transaction that records a page as unchanged.
    pub fn cut_a_commit_that_finishes(&self) {
        self.shared.cuts.store(FINISHES, Ordering::SeqCst);
    }

    /// Delays each piece in each direction.
    pub fn delay(&self, one_way: Duration) {
        self.shared.delay.store(u64::try_from(one_way.as_micros()).expect("fits"), Ordering::Relaxed);
    }

    /// Resets the connection of one piece of so many; 0 resets none.
    pub fn reset_one_of(&self, pieces: u64) {
        self.shared.resets.store(pieces, Ordering::Relaxed);
    }

    /// Passes nothing on from now on, in either direction, while the connections stay open: neither side notices.
    pub fn fall_silent(&self) {
        self.shared.silent.send_replace(true);
    }

    /// Passes on what it kept back, as a network does that is whole again.
    pub fn speak_again(&self) {
        self.shared.silent.send_replace(false);
    }

    /// Holds the next commit back.
    pub fn hold_the_next_commit(&self) -> HeldCommit {
        let ((arrived, arrival), (go_on, goes_on)) = (oneshot::channel(), oneshot::channel());
        *self.shared.hold.lock().expect("no panic holds it") = Some(Hold { arrived, goes_on });
        HeldCommit { arrived: arrival, goes_on: go_on }
    }

    /// Returns true while it waits for a commit to cut.
    pub fn is_armed(&self) -> bool {
        self.shared.cuts.load(Ordering::SeqCst) != NOTHING
    }

    /// Returns the statements of the round trips since the last call, in their order.
    pub fn take_round_trips(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.trips.lock().expect("no panic holds it"))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The messages of a client, as they arrive in pieces.
#[derive(Default)]
struct ClientMessages {
    bytes: Vec<u8>,
    has_session: bool,
    /// Text of each prepared statement by its name.
    prepared: HashMap<Vec<u8>, String>,
    /// Names of prepared statements that commit by themselves.
    committing: HashSet<Vec<u8>>,
    /// Text of the statement of the round trip that has begun.
    statement: String,
    finishes: bool,
}

/// What the messages that have just arrived mean.
#[derive(Default)]
struct Arrived {
    /// Statements of round trips that are complete, as far as the client is concerned.
    trips: Vec<String>,
    /// A commit is among them; true if it ends an attempt.
    commits: Option<bool>,
}

impl ClientMessages {
    fn add(&mut self, piece: &[u8]) -> Arrived {
        self.bytes.extend_from_slice(piece);
        let mut arrived = Arrived::default();
        loop {
            let head = usize::from(self.has_session);
            let Some(length) = self.bytes.get(head..head + 4) else { return arrived };
            let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            if self.bytes.len() < head + length {
                return arrived;
            }
            let message: Vec<u8> = self.bytes.drain(..head + length).collect();
            if self.has_session {
                self.read(message[0], &message[5..], &mut arrived);
            } else {
                self.has_session = length != TLS_REQUEST;
            }
        }
    }

    fn read(&mut self, kind: u8, body: &[u8], arrived: &mut Arrived) {
        let mut texts = body.split(|byte| *byte == 0).map(<[u8]>::to_vec);
        let mut text = || texts.next().unwrap_or_default();
        self.finishes |= body.windows(RESULT.len()).any(|part| part == RESULT);
        match kind {
            b'P' => {
                let (name, text) = (text(), String::from_utf8_lossy(&text()).into_owned());
                if OPTIMISTIC.iter().any(|begin| text.starts_with(begin)) && text.contains("xmin") {
                    self.committing.insert(name.clone());
                }
                self.statement = format!("prepare: {text}");
                self.prepared.insert(name, text);
            }
            b'B' => {
                let (_, name) = (text(), text());
                self.statement = self.prepared.get(&name).cloned().unwrap_or_default();
                if self.committing.contains(&name) {
                    arrived.commits = Some(std::mem::take(&mut self.finishes));
                }
            }
            b'Q' => {
                let text = String::from_utf8_lossy(&text()).into_owned();
                if text.ends_with("COMMIT") {
                    arrived.commits = Some(std::mem::take(&mut self.finishes));
                }
                arrived.trips.push(text);
            }
            b'S' => arrived.trips.push(std::mem::take(&mut self.statement)),
            _ => {}
        }
    }
}

async fn carry(client: TcpStream, to: &str, shared: &Shared) {
    // A server that is being restarted does not listen.
    let Ok(server) = TcpStream::connect(to).await else { return };
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    let mut messages = ClientMessages::default();
    loop {
        tokio::select! {
            read = from_client.read(&mut asked) => {
                let Ok(length @ 1..) = read else { return };
                let arrived = messages.add(&asked[..length]);
                let held = arrived.commits.and_then(|_| shared.hold.lock().expect("no panic holds it").take());
                if let Some(held) = held {
                    let _ = held.arrived.send(());
                    let _ = held.goes_on.await;
                }
                if !shared.arrives().await || to_server.write_all(&asked[..length]).await.is_err() {
                    return;
                }
                shared.trips.lock().expect("no panic holds it").extend(arrived.trips);
                if let Some(finishes) = arrived.commits {
                    let cut = shared.cuts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |cut| {
                        (cut == ANY || cut == FINISHES && finishes).then_some(NOTHING)
                    });
                    if cut.is_ok() {
                        // The server has committed when it responds; the response is dropped.
                        let _ = from_server.read(&mut answered).await;
                        return;
                    }
                }
            }
            read = from_server.read(&mut answered) => {
                let Ok(length @ 1..) = read else { return };
                if !shared.arrives().await || to_client.write_all(&answered[..length]).await.is_err() {
                    return;
                }
            }
        }
    }
}
