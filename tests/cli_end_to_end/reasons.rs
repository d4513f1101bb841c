//! Tests the one-line reason of a failed fetch and its next step, with the real binary against real servers.
//! `SSL_CERT_FILE` names the authority that signed the certificates.

use super::place::{Place, Ran};
use crate::support::tls;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

/// Serves one page to each client, or fails in the handshake; returns the port.
fn https(certificate: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let config = tls::server(certificate);
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = rustls::Stream::new(&mut connection, &mut socket);
            if stream.read(&mut [0; 4096]).is_ok() {
                let body = "<title>Safe</title><p>words";
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length:";
                let _ = write!(stream, "{head} {}\r\n\r\n{body}", body.len());
            }
            let _ = stream.flush();
        }
    });
    port
}

/// Answers every TLS greeting with plain text.
fn not_tls() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let _ = socket.read(&mut [0; 4096]);
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    port
}

fn probe(place: &Place, url: &str) -> Ran {
    run(place, url, ["show", url, "--probe"])
}

/// Adds a document, and runs a verb that trusts the tests' authority.
fn run<const N: usize>(place: &Place, url: &str, args: [&str; N]) -> Ran {
    place.run(["add", url]).ok();
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fetch/tls/authority.pem");
    let mut command = place.command(args);
    // The tests must not use a proxy from the environment.
    command
        .env("SSL_CERT_FILE", authority)
        .env("https_proxy", "http://127.0.0.1:9")
        .env("http_proxy", "http://127.0.0.1:9");
    let output = command.output().expect("runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_certificate_that_is_good_is_taken_and_the_handshake_is_timed() {
    let place = Place::new();
    let probed = probe(&place, &format!("https://127.0.0.1:{}/", https(include_bytes!("../fetch/tls/good.pem")))).ok();
    for part in ["  connect ", "  tls ", "  first byte", "title       Safe"] {
        assert!(probed.contains(part), "{part}: {probed}");
    }
}

#[test]
fn an_attempt_records_how_long_each_stage_took() {
    let place = Place::new();
    let url = format!("https://127.0.0.1:{}/", https(include_bytes!("../fetch/tls/good.pem")));
    let ran = run(&place, &url, ["sync", &url, "--wait", "--json"]).ok();
    let outcome: serde_json::Value = serde_json::from_str(ran.trim()).expect("an outcome");
    let stages = outcome["stages"].as_object().expect("stages");
    let took: Vec<_> = stages.iter().map(|(stage, ms)| (stage.as_str(), ms.as_f64().expect("milliseconds"))).collect();
    let names: Vec<_> = took.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(names, ["connect", "tls", "first_byte", "body", "convert"], "an address has no name to look up");
    let sum: f64 = took.iter().map(|(_, ms)| ms).sum();
    // A duration is cut to whole milliseconds, a stage rounded.
    assert!(sum > 0.0 && sum <= (outcome["duration_ms"].as_f64().expect("a duration") + 1.0) * 1.02, "{outcome}");
    let shown = place.run(["show", &url]).ok();
    for part in ["connect ", "TLS ", "first byte ", "body ", "convert "] {
        assert!(shown.lines().any(|line| line.starts_with("      ") && line.contains(part)), "{part}: {shown}");
    }
}

#[test]
fn each_cause_has_its_line_and_what_happens_next() {
    let place = Place::new();
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let again = "A sync would be retried in";
    let never = "A sync would fail and not be retried automatically.";
    for (url, detail, next) in [
        (
            format!("https://127.0.0.1:{}/", https(include_bytes!("../fetch/tls/expired.pem"))),
            "TLS: the certificate has expired",
            again,
        ),
        (
            format!("https://127.0.0.1:{}/", https(include_bytes!("../fetch/tls/early.pem"))),
            "TLS: the certificate is not valid yet",
            again,
        ),
        (
            format!("https://127.0.0.1:{}/", https(include_bytes!("../fetch/tls/other-name.pem"))),
            "TLS: the certificate is for another name",
            again,
        ),
        (
            format!("https://127.0.0.1:{}/", https(include_bytes!("../fetch/tls/certificate.pem"))),
            "TLS: the certificate's issuer is not known",
            again,
        ),
        (
            format!("https://127.0.0.1:{}/", https(include_bytes!("../fetch/tls/own-authority.pem"))),
            "TLS: the certificate is self-signed",
            again,
        ),
        (format!("https://127.0.0.1:{}/", not_tls()), "TLS: the server does not speak TLS on this port", again),
        (format!("http://127.0.0.1:{closed}/"), "connection refused", again),
        (place.url("/missing"), "404 Not Found", never),
        (place.url("/second-time/x"), "503 Service Unavailable", again),
        (
            "http://10.0.0.1/".to_owned(),
            "refused: 10.0.0.1 is a private address; fetch.allow_private_hosts can allow it",
            never,
        ),
    ] {
        let ran = probe(&place, &url);
        assert_eq!(ran.code, Some(1), "{url}: {}", ran.err);
        let failed = ran.out.lines().find_map(|line| line.strip_prefix("failed      ")).expect(&url);
        assert_eq!(failed, detail, "{url}");
        assert!(ran.out.contains(next), "{url}: {}", ran.out);
    }
}
