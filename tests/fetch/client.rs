//! Tests every way in which a fetch can end, against a real server.

use super::{Get, assert_failure, fetch, fetcher, limits, patient};
use crate::support::limit::within;
use crate::support::pages::{Pages, answer, html};
use crate::support::ports;
use crate::support::tls;
use quarterdeck::domain::failure::ErrorCode::{AccessDenied, ContentEmpty, FetchFailed, NotFound, Timeout};
use quarterdeck::domain::failure::FailureClass::{Permanent, Transient};
use quarterdeck::fetch::FetchSettings;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const MS: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_page_with_all_that_is_kept_of_it() {
    let head = "200 OK\r\nContent-Type: text/html; charset=utf-8\r\nETag: W/\"1\"\r\nLast-Modified: Tue, 24 Nov 2026 10:00:00 GMT";
    let body = "<title> A\n page </title><h1>Hello</h1><p>There";
    let page = fetch(&Pages::always(answer(head, body.as_bytes())).await, "/").await.expect("a page");
    assert_eq!(page.title.as_deref(), Some("A page"));
    assert_eq!(page.content, "# Hello\n\nThere\n");
    assert_eq!((page.bytes, page.http_status, page.truncation), (body.len() as u64, 200, None));
    assert_eq!(page.etag.as_deref(), Some("W/\"1\""));
    assert_eq!(page.last_modified.as_deref(), Some("Tue, 24 Nov 2026 10:00:00 GMT"));
}

#[tokio::test]
async fn long_pages_are_cut_and_say_so() {
    let body = format!("<title>{}</title><p>{}", "t".repeat(300), "word ".repeat(60_000));
    let page = fetch(&Pages::always(html(&body)).await, "/").await.expect("a page");
    assert_eq!(page.content.chars().count(), 200_000);
    assert_eq!(page.truncation, Some("text cut at 200,000 characters, title at 255"));
}

#[tokio::test]
async fn statuses_are_told_with_the_wait_that_the_server_asked_for() {
    for (head, class, code, detail, wait) in [
        ("404 Not Found\r\nRetry-After: 60", Permanent, NotFound, "404 Not Found", None),
        ("410 Gone", Permanent, NotFound, "410 Gone", None),
        ("401 Unauthorized", Permanent, AccessDenied, "401 Unauthorized", None),
        ("403 Whatever <b>", Permanent, AccessDenied, "403 Forbidden", None),
        ("418 Teapot", Permanent, FetchFailed, "418 I'm a teapot", None),
        ("499 Own", Permanent, FetchFailed, "499", None),
        ("408 Slow\r\nRetry-After: 5", Transient, Timeout, "408 Request Timeout", Some(5)),
        ("429 Many\r\nRetry-After: 90", Transient, FetchFailed, "429 Too Many Requests", Some(90)),
        ("503 Down\r\nRetry-After: 999999", Transient, FetchFailed, "503 Service Unavailable", Some(3600)),
        ("500 Oops\r\nRetry-After: later", Transient, FetchFailed, "500 Internal Server Error", None),
        ("504 Slow", Transient, Timeout, "504 Gateway Timeout", None),
    ] {
        let status = head.split(' ').next().expect("a status").parse().ok();
        let failure = fetch(&Pages::always(answer(head, b"<p>sorry")).await, "/").await;
        let known = failure.as_ref().expect_err("a failure");
        assert_eq!((known.http_status, known.retry_after), (status, wait.map(Duration::from_secs)), "{head}");
        assert_failure(failure, class, code, detail);
    }
}

#[tokio::test]
async fn types_are_converted_kept_or_refused() {
    let content = async |head: &str, body: &'static str| {
        let pages = Pages::always(answer(head, body.as_bytes())).await;
        fetch(&pages, "/").await.map(|page| page.content).map_err(|failure| failure.detail.to_string())
    };
    let is = |text: &str| Ok(text.to_owned());
    assert_eq!(content("200 OK\r\nContent-Type: TEXT/HTML", "<b>x</b>").await, is("**x**\n"));
    assert_eq!(content("200 OK\r\nContent-Type: application/xhtml+xml;q=1", "<b>x</b>").await, is("**x**\n"));
    assert_eq!(content("200 OK\r\nContent-Type: text/plain", "<b>x</b>\r\n\tz\x1b[1m").await, is("<b>x</b>\n    z"));
    assert_eq!(content("200 OK\r\nContent-Type: text/markdown", "# *x*\n").await, is("# *x*\n"));
    assert_eq!(content("200 OK", "  <b>x</b>").await, is("**x**\n"));
    assert_eq!(content("200 OK", "a < b").await, is("a < b"));
    assert_eq!(content("203 Other\r\nContent-Type: text/plain", "all").await, is("all"));
    let refused = |kind: &str| Err(format!("the content type is {kind}, not a page or text"));
    assert_eq!(content("200 OK\r\nContent-Type: application/pdf", "%PDF").await, refused("application/pdf"));
    assert_eq!(content("200 OK\r\nContent-Type: Image/PNG", "x").await, refused("image/png"));
    assert_eq!(content("200 OK\r\nContent-Type: text/htmlx", "x").await, refused("text/htmlx"));
    assert_eq!(content("200 OK", "\x7fELF\0\0").await, Err("the body is a program, not a page or text".into()));
}

#[tokio::test]
async fn a_page_without_text_is_empty() {
    for body in
        ["", " \n ", "<p>\u{a0}&nbsp;&#8195;</p>", "<script>x</script>", "<title>only a title</title>", "<img src=a>"]
    {
        let failure = fetch(&Pages::always(html(body)).await, "/").await;
        assert_eq!(failure.as_ref().expect_err(body).http_status, Some(200));
        assert_failure(failure, Permanent, ContentEmpty, "the page has no text");
    }
}

#[tokio::test]
async fn a_refused_connection() {
    let pages = Pages::always("").await;
    let (limits, url) = (limits(&pages), pages.url("/"));
    let closed = format!("127.0.0.1:{}", ports::free());
    let limits = FetchSettings { allow_private_hosts: vec![closed.parse().expect("an entry")], ..limits };
    let failure = fetcher(limits).get(&url.replace(&pages.address.to_string(), &closed)).await;
    assert_failure(failure, Transient, FetchFailed, "connection refused");
}

#[tokio::test]
async fn a_reset_connection() {
    for sent in ["", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<p>half"] {
        let pages = Pages::serve(move |_, mut connection| async move {
            let _ = connection.write_all(sent.as_bytes()).await;
            // With linger zero, closing the socket sends a reset.
            let _ = connection.set_zero_linger();
        })
        .await;
        let failure = fetch(&pages, "/").await.expect_err("it was reset");
        assert_eq!((failure.class, failure.code), (Transient, FetchFailed));
        let detail = failure.detail.as_str();
        assert!(detail == "connection reset", "{detail}");
    }
}

#[tokio::test]
async fn broken_answers_are_transient() {
    for (sent, detail) in [
        ("", "the connection ended in the middle of the answer"),
        ("HTTP/1.1 200 OK\r\nContent-Ty", "the connection ended in the middle of the answer"),
        ("SSH-2.0-OpenSSH_9.2\r\n", "the answer is not valid HTTP"),
        ("HTTP/1.1 2x0 OK\r\n\r\n", "the answer is not valid HTTP"),
        ("HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", "the answer is not valid HTTP"),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<p>half",
            "the connection ended in the middle of the answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<p>ha",
            "the connection ended in the middle of the answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            "the connection broke off",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\nnot gzip at all",
            "the compressed body is damaged",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: br\r\nConnection: close\r\n\r\nnot brotli at all",
            "the compressed body is damaged",
        ),
    ] {
        let failure = fetch(&Pages::always(sent).await, "/").await;
        let found = failure.as_ref().expect_err(sent);
        assert_eq!(found.detail.as_str(), detail, "{sent:?}");
        assert_failure(failure, Transient, FetchFailed, detail);
    }
}

#[tokio::test]
async fn headers_without_end_are_broken_off() {
    let head = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X-A: b\r\n".repeat(1000));
    let failure = fetch(&Pages::always(head).await, "/").await;
    assert_failure(failure, Transient, FetchFailed, "the answer's header is too large");
}

#[tokio::test(start_paused = true)]
async fn silence_at_each_stage_has_its_limit() {
    let silent = Pages::serve(|_, mut connection| async move {
        let _ = connection.read_u8().await;
    })
    .await;
    let tight = |pages: &Pages| FetchSettings { read_timeout: 50 * MS, total_timeout: 5000 * MS, ..limits(pages) };
    let failure = fetcher(tight(&silent)).get(&silent.url("/")).await;
    assert_failure(failure, Transient, Timeout, "no answer in 0.05 s (waiting for the answer)");

    let half = Pages::serve(|_, mut connection| async move {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100\r\n\r\n<p>half";
        let _ = connection.write_all(head.as_bytes()).await;
        let _ = connection.read_u8().await;
    })
    .await;
    let failure = fetcher(tight(&half)).get(&half.url("/")).await;
    assert_eq!(failure.as_ref().err().and_then(|failure| failure.http_status), Some(200));
    assert_failure(failure, Transient, Timeout, "no data for 0.05 s (reading the body)");

    // A TLS server that never answers the greeting.
    let limits = FetchSettings { connect_timeout: 50 * MS, ..limits(&silent) };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let limits = FetchSettings { allow_private_hosts: vec![address.to_string().parse().expect("an entry")], ..limits };
    let failure = fetcher(limits).get(&format!("https://{address}/")).await;
    assert_failure(failure, Transient, Timeout, "no answer in 0.05 s (connecting)");
}

#[tokio::test(start_paused = true)]
async fn a_drip_below_the_read_timeout_ends_at_the_limit_on_all() {
    let pages = Pages::serve(|_, mut connection| async move {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n").await;
        while connection.write_all(b"<p>x").await.is_ok() {
            tokio::time::sleep(10 * MS).await;
        }
    })
    .await;
    let limits = FetchSettings { read_timeout: 1000 * MS, total_timeout: 150 * MS, ..limits(&pages) };
    let started = tokio::time::Instant::now();
    let failure = fetcher(limits).get(&pages.url("/")).await;
    // The paused clock advances in whole milliseconds.
    assert!((150 * MS..=151 * MS).contains(&started.elapsed()), "{:?}", started.elapsed());
    assert_failure(failure, Transient, Timeout, "not finished within 0.15 s in all");
}

#[tokio::test]
async fn bodies_over_the_limit_are_dropped() {
    let endless = Pages::serve(|_, mut connection| async move {
        let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n").await;
        while connection.write_all(&[b'x'; 8192]).await.is_ok() {}
    })
    .await;
    let small = |pages: &Pages| FetchSettings { max_body: 1024 * 1024, ..limits(pages) };
    let failure = fetcher(small(&endless)).get(&endless.url("/")).await;
    assert_failure(failure, Permanent, FetchFailed, "the body is over 1 MB");

    let announced = Pages::serve(|_, mut connection| async move {
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1048577\r\n\r\n";
        let _ = connection.write_all(head).await;
        let _ = connection.read_u8().await;
    })
    .await;
    let failure = fetcher(small(&announced)).get(&announced.url("/")).await;
    assert_failure(failure, Permanent, FetchFailed, "the body is over 1 MB");

    let exact = Pages::always(html(&"x".repeat(1024 * 1024))).await;
    assert_eq!(fetcher(small(&exact)).get(&exact.url("/")).await.map(|page| page.bytes), Ok(1024 * 1024));
}

#[tokio::test]
async fn compression_is_undone_and_bombs_are_dropped() {
    let page = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xb3\x49\xb2\xcb\x48\xcd\xc9\xc9\xb7\xd1\x4f\xb2\x03\x00\x9d\xf6\xc0\x5c\x0c\x00\x00\x00";
    let head = "200 OK\r\nContent-Type: text/html\r\nContent-Encoding: ";
    let packed = Pages::always(answer(&format!("{head}gzip"), page)).await;
    let unpacked = fetch(&packed, "/").await.expect("gzip is undone");
    assert_eq!((unpacked.content.as_str(), unpacked.bytes), ("**hello**\n", 12));

    for (encoding, bomb) in [("gzip", gzip_of_zeros(64 * 1024 * 1024)), ("br", BROTLI_100_MB.to_vec())] {
        let pages = Pages::always(answer(&format!("{head}{encoding}"), &bomb)).await;
        let failure = fetch(&pages, "/").await;
        assert_failure(failure, Permanent, FetchFailed, "the body is over 40 MB");
    }
}

/// Returns a gzip stream of at least `length` zero bytes in one block of fixed codes: a zero, then the 13-bit code "258
/// bytes from 1 byte back", repeated.
pub(super) fn gzip_of_zeros(length: usize) -> Vec<u8> {
    let mut bits: Vec<bool> = vec![true, true, false];
    let mut push = |code: u32, count: u32| bits.extend((0..count).rev().map(|bit| code >> bit & 1 == 1));
    push(0b0011_0000, 8);
    for _ in 0..length / 258 + 1 {
        push(0b1100_0101, 8);
        push(0, 5);
    }
    push(0, 7);
    let mut stream = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff".to_vec();
    stream.extend(bits.chunks(8).map(|byte| byte.iter().rev().fold(0u8, |byte, bit| byte << 1 | u8::from(*bit))));
    stream.extend([0; 8]);
    stream
}

/// 100 MB of spaces.
pub(super) const BROTLI_100_MB: &[u8] = &[
    203, 255, 255, 63, 248, 37, 64, 226, 177, 64, 32, 247, 254, 143, 255, 255, 127, 240, 75, 0, 196, 97, 17, 128, 238,
    253, 31, 255, 255, 255, 224, 151, 0, 136, 195, 2, 0, 221, 251, 63, 254, 255, 255, 193, 47, 1, 16, 135, 5, 0, 186,
    247, 127, 252, 255, 255, 131, 95, 2, 32, 14, 11, 0, 116, 239, 255, 248, 255, 255, 7, 191, 4, 64, 28, 22, 0, 232,
    222, 255, 241, 255, 255, 15, 126, 9, 128, 56, 44, 0, 208, 189, 255, 227, 255, 255, 31, 252, 18, 0, 113, 88, 0, 160,
    123, 255, 199, 255, 255, 63, 248, 37, 0, 226, 176, 0, 64, 247, 254, 143, 255, 255, 127, 240, 75, 0, 196, 97, 1,
    128, 238, 253, 31, 255, 255, 255, 224, 151, 0, 136, 195, 2, 0, 221, 251, 63, 254, 255, 255, 193, 47, 1, 16, 135, 5,
    0, 186, 247, 127, 249, 255, 255, 131, 95, 2, 32, 14, 11, 0, 116, 239, 127, 0,
];

#[tokio::test]
async fn tls_failures_say_what_is_wrong() {
    let plain = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let not_tls = plain.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut connection, _) = plain.accept().await.expect("a client");
        let _ = connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = connection.read_u8().await;
    });
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = silent.local_addr().expect("an address");
    let allow_private_hosts = [address, not_tls].map(|address| address.to_string().parse().expect("an entry"));
    let fetcher = fetcher(FetchSettings { allow_private_hosts: allow_private_hosts.to_vec(), ..patient() });

    // The server's side, with a self-signed certificate.
    let config = tls::server(include_bytes!("tls/certificate.pem"));
    let server = std::thread::spawn(move || {
        let (mut socket, _) = silent.accept().expect("a client");
        let mut connection = rustls::ServerConnection::new(config).expect("a connection");
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.flush();
    });
    let failure = fetcher.get(&format!("https://{address}/")).await;
    assert_failure(failure, Transient, FetchFailed, "TLS: the certificate's issuer is not known");
    server.join().expect("the server ends");

    let failure = fetcher.get(&format!("https://{not_tls}/")).await;
    assert_failure(failure, Transient, FetchFailed, "TLS: the server does not speak TLS on this port");
}

#[tokio::test]
async fn a_dropped_fetch_closes_its_connection() {
    let (started, mut waiting) = tokio::sync::mpsc::channel(1);
    let (gone, mut ended) = tokio::sync::mpsc::channel(1);
    let pages = Pages::serve(move |_, mut connection| {
        let (started, gone) = (started.clone(), gone.clone());
        async move {
            let _ = started.send(()).await;
            // Ends when the client closes.
            let _ = connection.read_u8().await;
            let _ = gone.send(()).await;
        }
    })
    .await;
    let (fetcher, url) = (fetcher(limits(&pages)), pages.url("/"));
    tokio::select! {
        _ = fetcher.get(&url) => panic!("the server never answers"),
        _ = waiting.recv() => {}
    }
    within("the end of the connection", ended.recv()).await.expect("the server runs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_fetcher_serves_many_tasks() {
    let pages = Pages::serve(|path, mut connection| async move {
        let _ = connection.write_all(&html(&format!("<h1>Page {path}</h1>"))).await;
    })
    .await;
    let fetcher = Arc::new(fetcher(limits(&pages)));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let (fetcher, url) = (Arc::clone(&fetcher), pages.url(&format!("/{number}")));
        tasks.spawn(async move { (number, fetcher.get(&url).await) });
    }
    for (number, page) in tasks.join_all().await {
        assert_eq!(page.map(|page| page.content), Ok(format!("# Page /{number}\n")));
    }
}

#[tokio::test]
async fn requests_say_who_asks_and_carry_nothing_else() {
    let (tell, mut told) = tokio::sync::mpsc::channel(1);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.expect("a client");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(connection.read_u8().await.expect("a request"));
        }
        let _ = connection.write_all(&html("<p>x")).await;
        let _ = tell.send(String::from_utf8(head).expect("ASCII")).await;
    });
    let allow_private_hosts = vec![address.to_string().parse().expect("an entry")];
    let limits = FetchSettings { allow_private_hosts, user_agent: "deck/1 (+https://example.org)".into(), ..patient() };
    fetcher(limits).get(&format!("http://{address}/a?b#secret")).await.expect("a page");
    let head = told.recv().await.expect("the request").to_ascii_lowercase();
    assert!(head.starts_with("get /a?b http/1.1\r\n"), "{head}");
    assert!(head.contains("user-agent: deck/1 (+https://example.org)\r\n"), "{head}");
    assert!(head.contains("accept-encoding: ") && head.contains("gzip"), "{head}");
    assert!(!head.contains("br\r\n") && !head.contains("br,"), "brotli is not asked for: {head}");
    assert!(!head.contains("cookie") && !head.contains("referer") && !head.contains("secret"), "{head}");
}
