//! A proxy that delays each direction of a connection, a process of its own.

use super::pages::until_closed;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// The running proxy; it ends with this value.
pub struct DelayProxy {
    process: Child,
    pub port: u16,
}

impl DelayProxy {
    /// Starts a proxy to a port of this machine that delays everything by `delay` in each direction.
    pub fn start(to: u16, delay: Duration) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["delay", &to.to_string(), &delay.as_millis().to_string()]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap() }
    }
}

impl Drop for DelayProxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the proxy until standard input closes; prints its port.
pub fn serve(mut words: impl Iterator<Item = String>) {
    let to: u16 = words.next().unwrap().parse().unwrap();
    let delay = Duration::from_millis(words.next().unwrap().parse().unwrap());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, to, delay));
            }
        });
        tokio::task::spawn_blocking(until_closed).await.unwrap();
    });
}

async fn carry(client: TcpStream, to: u16, delay: Duration) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::spawn(forward(from_client, to_server, delay));
    forward(from_server, to_client, delay).await;
}

/// Forwards one direction. What arrives while earlier bytes wait is delayed from its own arrival, as on a long line.
async fn forward(mut from: impl AsyncRead + Unpin + Send + 'static, mut to: impl AsyncWrite + Unpin, delay: Duration) {
    let (sender, mut waiting) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if sender.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
                return;
            }
        }
    });
    while let Some((due, bytes)) = waiting.recv().await {
        if !delay.is_zero() {
            sleep_until(due).await;
        }
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
