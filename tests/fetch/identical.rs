//! Tests the recognition of an identical body by a single fetch: everything that a page's text depends on counts, and
//! nothing else.

use super::{fetcher, limits};
use crate::support::pages::{Pages, answer, html};
use flate2::Compression;
use flate2::write::GzEncoder;
use quarterdeck::domain::content::{PriorResponse, Validators};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::fetch::{FetchRequest, FetchResponse, probe};
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt as _;

const PAGE: &str = "<title>T</title><p>See <a href=\"more\">more</a>";

/// Serves the responses one after the other, whatever the path.
async fn in_turn(responses: Vec<Vec<u8>>) -> Pages {
    let next = AtomicUsize::new(0);
    Pages::serve(move |_, mut connection| {
        let bytes = responses[next.fetch_add(1, Ordering::Relaxed)].clone();
        async move {
            let _ = connection.write_all(&bytes).await;
        }
    })
    .await
}

/// Fetches a page twice, the second time with the digest of the first body.
async fn again(responses: Vec<Vec<u8>>) -> FetchResponse {
    let pages = in_turn(responses).await;
    let (fetcher, request) = (fetcher(limits(&pages)), FetchRequest::whole(DocumentId(1), pages.url("/")));
    let first = fetcher.fetch(&request).await.expect("a page").page().expect("a page");
    let prior = PriorResponse { validators: None, body_digest: first.body_digest };
    fetcher.fetch(&FetchRequest { prior, ..request }).await.expect("a page")
}

fn is_identical(response: &FetchResponse) -> bool {
    matches!(response, FetchResponse::Identical(_))
}

fn page(head: &str) -> Vec<u8> {
    answer(&format!("200 OK\r\n{head}"), PAGE.as_bytes())
}

fn compressed() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(PAGE.as_bytes()).expect("memory");
    let body = encoder.finish().expect("memory");
    answer("200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip", &body)
}

fn redirect(to: &str) -> Vec<u8> {
    answer(&format!("302 Found\r\nLocation: {to}"), b"")
}

#[tokio::test]
async fn an_identical_body_has_no_stage_of_conversion() {
    let pages = Pages::always(html(PAGE)).await;
    let request = FetchRequest::whole(DocumentId(1), pages.url("/"));
    let first = probe(limits(&pages), &request).await.expect("a probe");
    assert!(first.body.is_some() && first.convert.is_some(), "{first:?}");
    let body_digest = first.result.expect("a page").page().expect("a page").body_digest;
    let request = FetchRequest { prior: PriorResponse { validators: None, body_digest }, ..request };
    let second = probe(limits(&pages), &request).await.expect("a probe");
    assert!(second.body.is_some() && second.convert.is_none(), "{second:?}");
    let Ok(FetchResponse::Identical(body)) = second.result else { panic!("{second:?}") };
    assert_eq!((body.bytes, body.http_status, body.validators), (PAGE.len() as u64, 200, None));
}

#[tokio::test]
async fn compression_and_other_headers_do_not_matter() {
    let tagged = page("Content-Type: text/html\r\nETag: \"2\"\r\nAge: 7");
    let FetchResponse::Identical(body) = again(vec![html(PAGE), tagged]).await else { panic!("it was converted") };
    assert_eq!(body.validators, Validators::new(Some("\"2\"".to_owned()), None));
    let FetchResponse::Identical(body) = again(vec![html(PAGE), compressed()]).await else {
        panic!("it was converted")
    };
    assert_eq!(body.bytes, PAGE.len() as u64);
}

#[tokio::test]
async fn another_content_type_is_converted_again() {
    for head in ["Content-Type: text/plain", "Content-Type: text/html; charset=latin1", "X-Type: none"] {
        assert!(!is_identical(&again(vec![html(PAGE), page(head)]).await), "{head}");
        assert!(is_identical(&again(vec![page(head), page(head)]).await), "{head}");
    }
}

#[tokio::test]
async fn a_page_that_comes_from_elsewhere_is_converted_again() {
    let moved = vec![redirect("/a/"), html(PAGE), redirect("/b/"), html(PAGE)];
    let page = again(moved).await.page().expect("a page");
    assert!(page.content.contains("/b/more"), "a link is relative to the page: {}", page.content);
    assert!(is_identical(&again(vec![redirect("/a/"), html(PAGE), redirect("/a/"), html(PAGE)]).await));
}

#[tokio::test]
async fn a_response_that_is_refused_stays_refused() {
    let pages =
        in_turn(vec![html(PAGE), answer("404 Not Found", PAGE.as_bytes()), page("Content-Type: image/png")]).await;
    let (fetcher, request) = (fetcher(limits(&pages)), FetchRequest::whole(DocumentId(1), pages.url("/")));
    let first = fetcher.fetch(&request).await.expect("a page").page().expect("a page");
    let request = FetchRequest { prior: PriorResponse { validators: None, body_digest: first.body_digest }, ..request };
    for detail in ["404 Not Found", "the content type is image/png, not a page or text"] {
        assert_eq!(fetcher.fetch(&request).await.expect_err("a failure").detail.as_str(), detail);
    }
}
