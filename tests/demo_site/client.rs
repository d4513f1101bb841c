//! A client of the demo site on a bare socket, so that tests see the exact bytes that were sent.

use quarterdeck::demo::{Behaviour, DemoDocument, Site};
use std::collections::HashMap;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;

pub struct Reply {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

pub fn split(url: &str) -> (&str, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    (host, format!("/{path}"))
}

pub async fn ask(method: &str, url: &str) -> TcpStream {
    let (host, path) = split(url);
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

pub async fn get(url: &str) -> Reply {
    read(ask("GET", url).await).await
}

pub async fn read(mut stream: TcpStream) -> Reply {
    let mut raw = Vec::new();
    let read = timeout(Duration::from_secs(60), stream.read_to_end(&mut raw)).await;
    read.expect("the page answers").unwrap();
    parse(&raw)
}

/// Parses a complete response.
pub fn parse(raw: &[u8]) -> Reply {
    let end = raw.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = std::str::from_utf8(&raw[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: HashMap<String, String> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut rest = &raw[end + 4..];
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        loop {
            let line = rest.windows(2).position(|two| two == b"\r\n").expect("a chunk has a size");
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).unwrap(), 16).unwrap();
            body.extend_from_slice(&rest[line + 2..line + 2 + size]);
            rest = &rest[line + 4 + size..];
            if size == 0 {
                break;
            }
        }
    } else {
        body.extend_from_slice(rest);
        if let Some(length) = headers.get("content-length") {
            assert_eq!(length.parse::<usize>().unwrap(), body.len());
        }
    }
    Reply { status, headers, body }
}

pub fn with(site: &Site, fits: impl Fn(Behaviour) -> bool) -> Vec<DemoDocument> {
    let found: Vec<DemoDocument> =
        site.documents().iter().filter(|document| fits(document.behaviour)).cloned().collect();
    assert!(!found.is_empty(), "no such page");
    found
}

pub async fn wait_for(answering: &mut watch::Receiver<usize>, requests: usize) {
    answering.wait_for(|running| *running == requests).await.expect("the site runs");
}

pub async fn read_head(mut stream: TcpStream) -> String {
    let mut head = String::new();
    stream.read_to_string(&mut head).await.unwrap();
    head
}
