//! A real HTTP server on loopback; a test scripts its responses by path and hit number.

use super::limit::{lasts, within};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::task::AbortOnDropHandle;

/// The response to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// 200 with this HTML.
    Html(String),
    /// 200 with this Markdown and these headers.
    Markdown(Vec<(&'static str, String)>, String),
    /// 200 with these headers and this HTML.
    Page(Vec<(&'static str, String)>, String),
    /// 200 with these bytes, of no stated type.
    Bytes(Vec<u8>),
    /// A status with headers and no body.
    Status(u16, Vec<(&'static str, String)>),
    /// The inner reply, once the test has added a permit.
    When(Arc<Semaphore>, Box<Reply>),
    /// The inner reply after this delay.
    After(Duration, Box<Reply>),
}

/// Makes a page with a title and one paragraph of content.
pub fn html(title: &str, text: &str) -> Reply {
    Reply::Html(format!("<html><head><title>{title}</title></head><body><main><p>{text}</p></main></body></html>"))
}

type Hits = watch::Sender<HashMap<String, u32>>;
type Heads = Arc<Mutex<HashMap<String, String>>>;

/// A running server; it stops when it is dropped.
pub struct Site {
    address: SocketAddr,
    hits: Hits,
    heads: Heads,
    _serving: AbortOnDropHandle<()>,
}

impl Site {
    /// Serves the result of `reply` for a path and its hit number, from 1.
    pub async fn start(reply: impl Fn(&str, u32) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_by_head(move |path, hit, _| reply(path, hit)).await
    }

    /// Serves the result of `reply` for a path, its hit number, and the head of the request in lower case.
    pub async fn start_by_head(reply: impl Fn(&str, u32, &str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (hits, heads) = (Hits::default(), Heads::default());
        let (counted, kept, reply) = (hits.clone(), Arc::clone(&heads), Arc::new(reply));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (hits, heads, reply) = (counted.clone(), Arc::clone(&kept), Arc::clone(&reply));
                tokio::spawn(async move { serve(stream, &hits, &heads, &*reply).await });
            }
        });
        Self { address, hits, heads, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Returns host and port, as `fetch.allow_private_hosts` takes them.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Returns the URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the head of the last request for `path`, in lower case; empty if there was none.
    pub fn head(&self, path: &str) -> String {
        self.heads.lock().expect("not poisoned").get(path).cloned().unwrap_or_default()
    }

    /// Returns the number of requests for `path`.
    pub fn hits(&self, path: &str) -> u32 {
        self.hits.borrow().get(path).copied().unwrap_or(0)
    }

    /// Waits until `path` was requested `hits` times.
    #[track_caller]
    pub fn until_hit(&self, path: &str, hits: u32) -> impl Future<Output = ()> + use<> {
        self.until_hits(&[path.to_owned()], hits)
    }

    /// Waits until each of the paths was requested `hits` times.
    #[track_caller]
    pub fn until_hits<P: AsRef<str>>(&self, paths: &[P], hits: u32) -> impl Future<Output = ()> + use<P> {
        let paths: Vec<String> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
        let mut counts = self.hits.subscribe();
        within(format!("{hits} requests for {paths:?}"), async move {
            let all = |counts: &HashMap<String, u32>| paths.iter().all(|path| counts.get(path) >= Some(&hits));
            counts.wait_for(all).await.expect("the site is there");
        })
    }
}

async fn serve(
    mut stream: TcpStream,
    hits: &Hits,
    heads: &Heads,
    reply: &(dyn Fn(&str, u32, &str) -> Reply + Send + Sync),
) {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => head.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
    let head = head.to_ascii_lowercase();
    heads.lock().expect("not poisoned").insert(path.clone(), head.clone());
    let mut hit = 0;
    hits.send_modify(|hits| {
        let counted = hits.entry(path.clone()).or_default();
        *counted += 1;
        hit = *counted;
    });
    let mut reply = reply(&path, hit, &head);
    loop {
        reply = match reply {
            Reply::When(gate, next) => {
                gate.acquire().await.expect("never closed").forget();
                *next
            }
            Reply::After(late, next) => {
                lasts(late).await;
                *next
            }
            other => {
                reply = other;
                break;
            }
        }
    }
    let answer = match reply {
        Reply::Html(body) => page("text/html", &[], &body),
        Reply::Page(headers, body) => page("text/html", &headers, &body),
        Reply::Markdown(headers, body) => page("text/markdown; charset=utf-8", &headers, &body),
        Reply::Status(status, headers) => {
            let headers = lines(&headers);
            format!("HTTP/1.1 {status} X\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
        }
        Reply::Bytes(body) => {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
            return;
        }
        Reply::When(..) | Reply::After(..) => return,
    };
    // A client that disconnected is not the server's failure.
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn page(kind: &str, headers: &[(&str, String)], body: &str) -> String {
    let (headers, length) = (lines(headers), body.len());
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn lines(headers: &[(&str, String)]) -> String {
    headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}
