//! Tests a fetcher, in a process of its own whose memory is measured, against a server that does everything that a
//! server must not. Few requests by default; `QUARTERDECK_STORM=500` sets the number.

use super::client::{BROTLI_100_MB, gzip_of_zeros};
use super::{Get, fetcher};
use crate::support::limit::{lasts, within};
use crate::support::pages::{Pages, answer};
use quarterdeck::domain::content::Page;
use quarterdeck::domain::failure::{Failure, FailureClass};
use quarterdeck::fetch::{FetchSettings, Fetcher};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

const SERVER: &str = "QUARTERDECK_STORM_SERVER";
const REQUESTS: &str = "QUARTERDECK_STORM";
/// Concurrent requests: as many as a worker with many slots has.
const AT_A_TIME: usize = 64;
const MB: u64 = 1024 * 1024;
/// Upper limit of the process's peak memory.
const MOST: u64 = 300 * MB;
const OVER: &[&str] = &["the body is over 40 MB"];
const BROKEN: &[&str] =
    &["connection reset", "the connection ended in the middle of the answer", "the connection broke off"];
const HEADER: &[&str] = &["the answer's header is too large"];
/// Time-outs that any kind may end with, because on a busy machine the server itself may be too slow.
const SLOW: &[&str] = &[
    "no data for 1 s (reading the body)",
    "no answer in 1 s (waiting for the answer)",
    "not finished within 3 s in all",
];
const HEAVY: &[&str] =
    &["converting the page takes longer than 2 s", "converting the page takes more than 96 MB of memory"];

/// Expected ends of each kind: one of these failures, or a page if the last field is true.
const KINDS: [(&str, &[&str], bool); 26] = [
    ("gzip", OVER, false),
    ("deflate", OVER, false),
    ("brotli", OVER, false),
    ("headers", HEADER, false),
    ("line", HEADER, false),
    ("endless", OVER, false),
    ("drip", SLOW, false),
    ("stop", SLOW, false),
    ("reset-at-once", BROKEN, false),
    ("reset-in-head", BROKEN, false),
    ("reset-after-head", BROKEN, false),
    ("reset-in-body", BROKEN, false),
    ("too-long", BROKEN, false),
    ("too-short", &[], true),
    ("damaged", &["the compressed body is damaged"], false),
    ("nested", HEAVY, true),
    ("attribute", HEAVY, true),
    ("large", HEAVY, true),
    ("flat", HEAVY, false),
    ("invalid", HEAVY, true),
    ("plain", &[], true),
    ("chunks", BROKEN, false),
    ("utf8", &[], true),
    ("utf16", &["the page has no text"], true),
    ("title", &[], true),
    ("nulls", &[], true),
];

fn body(kind: &str) -> Arc<Vec<u8>> {
    static HEAVY: OnceLock<[Arc<Vec<u8>>; 6]> = OnceLock::new();
    let [gzip, nested, attribute, large, flat, invalid] = HEAVY.get_or_init(|| {
        let large = "<h2>Part</h2><p>Some <b>bold</b> text with a <a href=/x>link</a>.</p>\n".repeat(250_000);
        [
            gzip_of_zeros(200 << 20),
            "<div>".repeat(100_000).into_bytes(),
            format!("<title>T</title><p class='{}'>words", "a".repeat(20 << 20)).into_bytes(),
            large.into_bytes(),
            "<p>".repeat(4 << 20).into_bytes(),
            vec![0xff; 39 << 20],
        ]
        .map(Arc::new)
    });
    match kind {
        "gzip" => Arc::clone(gzip),
        "deflate" => Arc::new([&[0x78, 0x01], &gzip[10..]].concat()),
        "brotli" => Arc::new(BROTLI_100_MB.to_vec()),
        "damaged" => Arc::new(b"not gzip at all".to_vec()),
        "nested" => Arc::new([nested.as_slice(), b"words"].concat()),
        "attribute" => Arc::clone(attribute),
        "large" => Arc::clone(large),
        "flat" => Arc::clone(flat),
        "invalid" | "plain" => Arc::clone(invalid),
        "utf8" => Arc::new(b"<title>T\xff\xfe</title><p>words \xc3\x28 \xf0\x9f more".to_vec()),
        "utf16" => Arc::new("<title>T</title><p>words".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "title" => Arc::new("<title>a\x1b[31mb\u{202e}c\u{7}d\u{2066}e\u{200f}f</title><p>words".into()),
        _ => Arc::new(b"<title>T</title><p>words \0\0 and more".to_vec()),
    }
}

async fn serve(path: String, mut connection: TcpStream) {
    let kind = path.split('/').nth(1).unwrap_or_default().to_owned();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
    // A client that disconnects has read enough.
    let _ = async {
        match kind.as_str() {
            "headers" => {
                connection.write_all(b"HTTP/1.1 200 OK\r\n").await?;
                while connection.write_all(&b"X-A: b\r\n".repeat(512)).await.is_ok() {}
            }
            "line" => {
                connection.write_all(b"HTTP/1.1 200 OK\r\nX-A: ").await?;
                while connection.write_all(&[b'a'; 4096]).await.is_ok() {}
            }
            "endless" => {
                connection.write_all(format!("{head}\r\n").as_bytes()).await?;
                while connection.write_all(&[b'a'; 64 * 1024]).await.is_ok() {}
            }
            "drip" => {
                connection.write_all(format!("{head}\r\n").as_bytes()).await?;
                while connection.write_all(b"<p>a").await.is_ok() {
                    lasts(Duration::from_millis(100)).await;
                }
            }
            "stop" => {
                connection.write_all(format!("{head}Content-Length: 100\r\n\r\n<p>a").as_bytes()).await?;
                std::future::pending::<()>().await;
            }
            "reset-at-once" => connection.set_zero_linger()?,
            "reset-in-head" => {
                connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Ty").await?;
                connection.set_zero_linger()?;
            }
            "reset-after-head" => {
                connection.write_all(format!("{head}Content-Length: 100\r\n\r\n").as_bytes()).await?;
                connection.set_zero_linger()?;
            }
            "reset-in-body" => {
                connection.write_all(format!("{head}Content-Length: 100\r\n\r\n<p>half").as_bytes()).await?;
                connection.set_zero_linger()?;
            }
            "too-long" => connection.write_all(format!("{head}Content-Length: 100\r\n\r\n<p>half").as_bytes()).await?,
            "too-short" => {
                connection.write_all(format!("{head}Content-Length: 10\r\n\r\n<p>words and more").as_bytes()).await?;
            }
            "chunks" => {
                let head = format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\n<p>wo\r\nno number\r\n");
                connection.write_all(head.as_bytes()).await?;
            }
            "gzip" | "deflate" | "brotli" | "damaged" => {
                let coding = match kind.as_str() {
                    "deflate" => "deflate",
                    "brotli" => "br",
                    _ => "gzip",
                };
                let head = format!("200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {coding}");
                connection.write_all(&answer(&head, &body(&kind))).await?;
            }
            _ => {
                let body = body(&kind);
                let length = body.len();
                let head = if kind == "plain" { head.replace("html", "plain; charset=utf-8") } else { head.to_owned() };
                connection.write_all(format!("{head}Content-Length: {length}\r\n\r\n").as_bytes()).await?;
                connection.write_all(&body).await?;
            }
        }
        std::io::Result::Ok(())
    }
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_of_bad_answers_is_weathered_in_little_memory() {
    let pages = Pages::serve(serve).await;
    let mut child = std::process::Command::new(std::env::current_exe().expect("this program"));
    child.args(["--exact", "fetch::storm::weathers", "--ignored", "--nocapture"]);
    child.env(SERVER, pages.address.to_string());
    let output = tokio::task::spawn_blocking(move || child.output()).await.expect("no panic").expect("it runs");
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{out}\n{}", String::from_utf8_lossy(&output.stderr));
    let peak = out.lines().find_map(|line| line.split("peak ").nth(1)).expect("it says so");
    let peak: u64 = peak.trim().parse().expect("a number");
    println!("peak {} MB", peak / MB);
    assert!(peak > MB && peak < MOST, "{} MB", peak / MB);
}

/// The process that fetches; does nothing without a server in its environment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by the test above, in a process of its own"]
async fn weathers() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let requests = std::env::var(REQUESTS).ok().and_then(|count| count.parse().ok()).unwrap_or(KINDS.len());
    let limits = |total: u64, read: u64| FetchSettings {
        read_timeout: Duration::from_secs(read),
        total_timeout: Duration::from_secs(total),
        allow_private_hosts: vec![server.parse().expect("an entry")],
        ..FetchSettings::default()
    };
    // Requests that only wait must not delay all others.
    let (quick, patient) = (Arc::new(fetcher(limits(3, 1))), Arc::new(fetcher(limits(3_000, 3_000))));
    let turns = Arc::new(Semaphore::new(AT_A_TIME));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..requests {
        let (kind, expected, may_be_page) = KINDS[number % KINDS.len()];
        let is_slow = matches!(kind, "drip" | "stop");
        let fetcher: Arc<Fetcher> = Arc::clone(if is_slow { &quick } else { &patient });
        let turn = Arc::clone(&turns).acquire_owned().await.expect("never closed");
        let url = format!("http://{server}/{kind}/{number}");
        tasks.spawn(async move {
            let _turn = turn;
            let fetched = within(&url, fetcher.get(&url)).await;
            judge(kind, expected, may_be_page, fetched);
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no panic");
    }
    // The fetcher still works: it fetches a page.
    let page = patient.get(&format!("http://{server}/nulls/1")).await.expect("a page");
    assert_eq!(page.title.as_deref(), Some("T"));
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says so");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse().expect("a number");
    println!("\n{requests} requests, peak {}", kilobytes * 1024);
}

fn judge(kind: &str, expected: &[&str], may_be_page: bool, fetched: Result<Page, Failure>) {
    match fetched {
        Ok(page) => {
            assert!(may_be_page, "{kind}: a page");
            assert!(!page.content.contains('\0'), "{kind}");
            let title = page.title.map(|title| title.to_string()).unwrap_or_default();
            let is_hidden = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            assert!(!title.chars().any(is_hidden), "{kind}: {title:?}");
        }
        Err(failure) => {
            assert!(expected.contains(&failure.detail.as_str()), "{kind}: {failure:?}");
            let permanent = [OVER, HEAVY].iter().any(|set| set.contains(&failure.detail.as_str()))
                || failure.detail.as_str() == "the page has no text";
            let class = if permanent { FailureClass::Permanent } else { FailureClass::Transient };
            assert_eq!(failure.class, class, "{kind}: {failure:?}");
        }
    }
}
