//! Tests redirects: the fetcher follows them itself and checks every hop.

use super::address::with_cure;
use super::{Get, assert_failure, fetch, fetcher, limits};
use crate::support::pages::{Pages, answer, html};
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use tokio::io::AsyncWriteExt;

/// Serves `/to?X` as a redirect to X, `/chain/N` as one to N - 1, and anything else as a page that names its path.
async fn site() -> Pages {
    Pages::serve(|path, mut connection| async move {
        let to = match (path.strip_prefix("/to?"), path.strip_prefix("/chain/")) {
            (Some(target), _) => Some(target.to_owned()),
            (_, Some("0")) | (None, None) => None,
            (_, Some(left)) => left.parse::<u32>().ok().map(|left| format!("/chain/{}", left - 1)),
        };
        let bytes = match to {
            Some(to) => answer(&format!("302 Found\r\nLocation: {to}"), b"moved"),
            None => html(&format!("<p>page {path} <a href='x'>x</a></p>")),
        };
        let _ = connection.write_all(&bytes).await;
    })
    .await
}

#[tokio::test]
async fn ten_redirects_are_followed_and_an_eleventh_is_not() {
    let pages = site().await;
    let page = fetch(&pages, "/chain/10").await.expect("ten are followed");
    // Links are relative to the final URL, not to the requested one.
    assert_eq!(page.content, format!("page /chain/0 [x](http://{}/chain/x)\n", pages.address));
    let failure = fetch(&pages, "/chain/11").await;
    assert_failure(failure, FailureClass::Permanent, ErrorCode::FetchFailed, "too many redirects (more than 10)");
}

#[tokio::test]
async fn a_loop_is_seen_at_once() {
    // A URL that differs only in its fragment is the same page.
    let itself = Pages::always(answer("301 Moved Permanently\r\nLocation: /a#part", b"")).await;
    assert_failure(fetch(&itself, "/a").await, FailureClass::Permanent, ErrorCode::FetchFailed, "redirect loop");
    assert_eq!(itself.hits(), 1);

    let two = Pages::serve(|path, mut connection| async move {
        let to = if path == "/a" { "/b" } else { "/a" };
        let _ = connection.write_all(&answer(&format!("307 Temporary Redirect\r\nLocation: {to}"), b"")).await;
    })
    .await;
    assert_failure(fetch(&two, "/a").await, FailureClass::Permanent, ErrorCode::FetchFailed, "redirect loop");
    assert_eq!(two.hits(), 2);
}

#[tokio::test]
async fn every_hop_is_judged() {
    let pages = site().await;
    let other = site().await;
    for (target, detail) in [
        ("http://169.254.169.254/latest", "redirected: refused: 169.254.169.254 is a link-local address".to_owned()),
        ("http://10.0.0.1/", "redirected: refused: 10.0.0.1 is a private address".into()),
        ("//[::1]/", "redirected: refused: ::1 is a loopback address".into()),
        ("http://0x7f.1:80/", "redirected: refused: 127.0.0.1 is a loopback address".into()),
        // The same address on another port is not allowed by the entry.
        (&other.url("/"), "redirected: refused: 127.0.0.1 is a loopback address".into()),
        ("http://localhost/", "redirected: refused: localhost is a name of a local network".into()),
        ("file:///etc/passwd", "redirected: refused: file is not http or https".into()),
        ("http://ana:secret@example.org/", "redirected: refused: the URL contains a user name or password".into()),
        ("http://example.org:22/", "redirected: refused: port 22 is in fetch.denied_ports".into()),
        ("http://[", "redirected to a bad URL: invalid IPv6 address".into()),
    ] {
        let failure = fetch(&pages, &format!("/to?{target}")).await;
        assert_eq!(failure.as_ref().err().and_then(|failure| failure.http_status), Some(302), "{target}");
        assert_failure(failure, FailureClass::Permanent, ErrorCode::FetchFailed, &with_cure(&detail));
    }
    assert_eq!(other.hits(), 0, "nothing was asked of a place that is not let through");
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_status() {
    for (head, detail) in [
        ("302 Found", "302 Found"),
        ("304 Not Modified", "304 Not Modified, although the whole page was requested"),
        ("300 Many", "300 Multiple Choices"),
    ] {
        let pages = Pages::always(answer(head, b"")).await;
        assert_failure(fetch(&pages, "/").await, FailureClass::Permanent, ErrorCode::FetchFailed, detail);
    }
}

#[tokio::test(start_paused = true)]
async fn a_redirect_counts_into_the_time_in_all() {
    let pages = Pages::serve(|path, mut connection| async move {
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        let next = format!("{path}x");
        let _ = connection.write_all(&answer(&format!("302 Found\r\nLocation: {next}"), b"")).await;
    })
    .await;
    let mut limits = limits(&pages);
    limits.max_redirects = 1000;
    limits.total_timeout = std::time::Duration::from_millis(200);
    let failure = fetcher(limits).get(&pages.url("/")).await;
    assert_failure(failure, FailureClass::Transient, ErrorCode::Timeout, "not finished within 0.2 s in all");
}
