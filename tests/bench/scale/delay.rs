//! A proxy that delays each direction of a connection, a process of its own.

use super::pages::until_closed;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

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

/// Runs the proxy until standard input closes; prints its port. Threads wait more exactly than the timers of the async
/// runtime, which count milliseconds.
pub fn serve(mut words: impl Iterator<Item = String>) {
    let to: u16 = words.next().unwrap().parse().unwrap();
    let delay = Duration::from_millis(words.next().unwrap().parse().unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
            for stream in [&client, &server] {
                stream.set_nodelay(true).unwrap();
            }
            let (from_client, from_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || forward(from_client, server, delay));
            thread::spawn(move || forward(from_server, client, delay));
        }
    });
    until_closed();
}

/// Forwards one direction. What arrives while earlier bytes wait is delayed from its own arrival, as on a long line.
fn forward(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, waiting) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + delay, buffer[..read].to_vec())).is_err() {
                return;
            }
        }
    });
    for (due, bytes) in waiting {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
