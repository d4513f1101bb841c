//! Measures the processor time of a fetch, compared with its parts: the request by the HTTP client alone, and the
//! conversion of the same page. The server is a separate process, so that only the client is measured.
//!
//! `cargo bench --bench fetch [-- REQUESTS]`; prints one line per part, in CPU microseconds per page.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run says so by its panic")]

mod page;

use futures_util::StreamExt as _;
use page::{PAGE_BYTES, page};
use quarterdeck::domain::content::{PriorResponse, Validators};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::fetch::{FetchRequest, FetchSettings, Fetcher, convert};
use rustix::time::{ClockId, clock_gettime};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use url::Url;

/// Concurrent requests: the default cap per host, which is also the number of connections that are kept open.
const AT_A_TIME: usize = 2;
/// Runs the server process: keeps connections open and answers 304 to requests with an ETag.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    let body = page("Page");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\netag: \"1\"\r\ncontent-length: ";
    let whole = format!("{head}{}\r\n\r\n{body}", body.len());
    for connection in listener.incoming() {
        let (mut connection, whole) = (connection.unwrap(), whole.clone());
        std::thread::spawn(move || {
            let (mut head, mut buffer) = (Vec::new(), [0; 4096]);
            while let Ok(read @ 1..) = connection.read(&mut buffer) {
                head.extend_from_slice(&buffer[..read]);
                if head.ends_with(b"\r\n\r\n") {
                    let asks = String::from_utf8_lossy(&head).contains("if-none-match");
                    let answer = if asks { "HTTP/1.1 304 Not Modified\r\n\r\n" } else { &whole };
                    head.clear();
                    if connection.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            }
        });
    }
}

fn busy() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

/// Runs `one` `requests` times, several concurrently; returns the CPU microseconds of each.
async fn measure<F: Future<Output = ()>>(requests: usize, one: impl Fn() -> F) -> f64 {
    futures_util::stream::iter(0..requests / 10).for_each_concurrent(AT_A_TIME, |_| one()).await;
    let before = busy();
    futures_util::stream::iter(0..requests).for_each_concurrent(AT_A_TIME, |_| one()).await;
    (busy() - before) / requests as f64
}

fn main() {
    if std::env::args().any(|word| word == "serve") {
        return serve();
    }
    let requests = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5_000_usize);
    let mut server =
        Command::new(std::env::current_exe().unwrap()).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let address = address.trim().to_owned();
    tokio::runtime::Runtime::new().unwrap().block_on(compare(requests, &address));
    server.kill().unwrap();
    server.wait().unwrap();
}

async fn compare(requests: usize, address: &str) {
    let limits = FetchSettings { allow_private_hosts: vec![address.parse().unwrap()], ..FetchSettings::default() };
    let fetcher = Fetcher::new(limits).unwrap();
    let url = Url::parse(&format!("http://{address}/")).unwrap();
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(AT_A_TIME).build().unwrap();
    let bare = measure(requests, || async {
        let mut response = client.get(url.clone()).send().await.unwrap();
        let mut bytes = 0;
        while let Some(piece) = response.chunk().await.unwrap() {
            bytes += piece.len();
        }
        assert!(bytes > PAGE_BYTES);
    })
    .await;
    let html = page("Page");
    let converting = measure(requests, || async {
        assert!(convert(&html, &url).unwrap().markdown.len() > 1_000);
    })
    .await;
    let ask = FetchRequest::whole(DocumentId(1), url.as_str());
    let whole = measure(requests, || async {
        assert!(fetcher.fetch(&ask).await.unwrap().page().is_some());
    })
    .await;
    let body_digest = fetcher.fetch(&ask).await.unwrap().page().unwrap().body_digest;
    let known = FetchRequest { prior: PriorResponse { validators: None, body_digest }, ..ask };
    let identical = measure(requests, || async {
        assert!(fetcher.fetch(&known).await.unwrap().page().is_none());
    })
    .await;
    let validators = Validators::new(Some("\"1\"".into()), None);
    let asked = FetchRequest { prior: PriorResponse { validators, body_digest: None }, ..known };
    let unchanged = measure(requests, || async {
        assert!(fetcher.fetch(&asked).await.unwrap().page().is_none());
    })
    .await;
    let sum = bare + converting;
    println!("{requests} pages of {} bytes, CPU microseconds each", html.len());
    println!("request by the bare client {bare:>8.0}");
    println!("conversion                 {converting:>8.0}");
    println!("fetch, everything          {whole:>8.0}   {:.2} times the two", whole / sum);
    println!("fetch, identical body      {identical:>8.0}");
    println!("fetch answered 304         {unchanged:>8.0}");
}
