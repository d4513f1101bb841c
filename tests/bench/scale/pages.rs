//! The server of the pages, a process of its own: HTTP/1.1 with kept connections, on many loopback addresses, so that
//! no limit for a single host matters.

use super::article::{Articles, TINY};
use super::notices;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Number of loopback addresses with a server.
const HOSTS: usize = 128;
/// Time that a page of [`PageKind::Slow`] takes.
const SLOW: Duration = Duration::from_millis(50);

/// Kind of a page, by the first part of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// An article with an ETag: a second request is answered with 304.
    Tagged,
    /// An article without validators: it is always answered whole.
    Whole,
    /// 22 bytes.
    Tiny,
    /// An article without validators, after 50 ms.
    Slow,
}

impl PageKind {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Tagged, "tagged"), (Self::Whole, "whole"), (Self::Tiny, "tiny"), (Self::Slow, "slow")];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).unwrap().1
    }
}

/// The running server process; it ends with this value.
pub struct PageServer {
    process: Child,
    hosts: Vec<String>,
    /// Address of the receiver of notifications.
    receiver: String,
}

impl PageServer {
    /// Starts the server.
    pub fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = command.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut hosts: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let receiver = hosts.pop().unwrap();
        Self { process, hosts, receiver }
    }

    /// Returns the address of a receiver of notifications, which answers all paths but `/hang`.
    pub fn receiver(&self) -> &str {
        &self.receiver
    }

    /// Returns the URLs of the first `count` pages of a kind, one per line; neighbours are on different hosts.
    pub fn urls(&self, kind: PageKind, count: usize) -> String {
        let url =
            |number: usize| format!("http://{}/{}/{number}\n", self.hosts[number % self.hosts.len()], kind.word());
        (0..count).map(url).collect()
    }
}

impl Drop for PageServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs the server until standard input closes, which happens at the end of the process that started it. Prints the
/// addresses on one line, that of the receiver of notifications last.
pub fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let articles = Arc::new(Articles::generate());
        let mut hosts = Vec::new();
        for host in 0..HOSTS {
            let address = Ipv4Addr::new(127, 0, 1 + (host / 100) as u8, 1 + (host % 100) as u8);
            let listener = TcpListener::bind(SocketAddr::from((address, 0))).await.unwrap();
            hosts.push(listener.local_addr().unwrap().to_string());
            tokio::spawn(accept(listener, Arc::clone(&articles)));
        }
        let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
        hosts.push(receiver.local_addr().unwrap().to_string());
        tokio::spawn(notices::receive(receiver));
        println!("{}", hosts.join(" "));
        tokio::task::spawn_blocking(until_closed).await.unwrap();
    });
}

/// Returns when standard input is closed.
pub fn until_closed() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

async fn accept(listener: TcpListener, articles: Arc<Articles>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(converse(stream, Arc::clone(&articles)));
    }
}

/// Answers the requests of one connection.
async fn converse(mut stream: TcpStream, articles: Arc<Articles>) {
    let (mut head, mut buffer) = (Vec::new(), [0; 4_096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        head.extend_from_slice(&buffer[..read]);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        let request = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let (kind, number) = page_of(&request);
        if kind == PageKind::Slow {
            tokio::time::sleep(SLOW).await;
        }
        let answer = if kind == PageKind::Tagged && request.contains("\r\nif-none-match:") {
            format!("HTTP/1.1 304 Not Modified\r\netag: \"{number}\"\r\n\r\n")
        } else {
            whole(kind, number, &articles)
        };
        head.clear();
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn whole(kind: PageKind, number: usize, articles: &Articles) -> String {
    let body = if kind == PageKind::Tiny { TINY.to_owned() } else { articles.page(number) };
    let tag = if kind == PageKind::Tagged { format!("etag: \"{number}\"\r\n") } else { String::new() };
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n{tag}content-length: {length}\r\n\r\n{body}")
}

/// Returns kind and number of the page that a request names; another path is the first whole page.
fn page_of(request: &str) -> (PageKind, usize) {
    let path = request.split(' ').nth(1).unwrap_or_default();
    let mut parts = path.trim_start_matches('/').split('/');
    let word = parts.next().unwrap_or_default();
    let kind = PageKind::ALL.iter().find(|(_, known)| *known == word).map_or(PageKind::Whole, |(kind, _)| *kind);
    (kind, parts.next().and_then(|number| number.parse().ok()).unwrap_or(0))
}
