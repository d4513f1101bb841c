//! Tests bodies that are encoded in unusual ways, or that are no text at all: a page is decoded, and nothing else becomes
//! a text.

use super::{fetch, fetcher, limits};
use crate::support::pages::{Pages, answer};
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use quarterdeck::domain::failure::{ErrorCode, Failure, FailureClass};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::fetch::{FetchRequest, FetchSettings};
use std::io::Write as _;

const PAGE: &str = "<title>T</title><p>The harbour is open from six in the morning until ten in the evening.";
const TEXT: &str = "The harbour is open from six in the morning until ten in the evening.\n";
/// First bytes of a zstd frame.
const ZSTD_MAGIC: &[u8] = b"\x28\xb5\x2f\xfd";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Returns a zstd frame with one raw block (RFC 8878, 3.1.1): a single segment, whose size is one byte.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let size = u8::try_from(bytes.len()).expect("a short page");
    let block = (u32::from(size) << 3 | 1).to_le_bytes();
    [ZSTD_MAGIC, &[0x20, size], &block[..3], bytes].concat()
}

async fn served(head: &str, body: &[u8]) -> Result<String, Failure> {
    let pages = Pages::always(answer(head, body)).await;
    fetch(&pages, "/").await.map(|page| page.content)
}

async fn encoded(encoding: &str, body: &[u8]) -> Result<String, Failure> {
    served(&format!("200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {encoding}"), body).await
}

#[tokio::test]
async fn every_coding_of_http_is_decoded_whatever_its_case_and_number() {
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflate.write_all(PAGE.as_bytes()).expect("memory");
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    zlib.write_all(PAGE.as_bytes()).expect("memory");
    let (deflate, zlib) = (deflate.finish().expect("memory"), zlib.finish().expect("memory"));
    let cases: [(&str, Vec<u8>); 11] = [
        ("gzip", gzip(PAGE.as_bytes())),
        ("GZIP", gzip(PAGE.as_bytes())),
        ("x-gzip", gzip(PAGE.as_bytes())),
        ("gzip, gzip", gzip(&gzip(PAGE.as_bytes()))),
        ("deflate", zlib.clone()),
        ("deflate", deflate.clone()),
        ("Deflate", zlib),
        ("DEFLATE", deflate),
        ("zstd", zstd(PAGE.as_bytes())),
        ("zstd, gzip", gzip(&zstd(PAGE.as_bytes()))),
        ("identity", PAGE.as_bytes().to_vec()),
    ];
    for (encoding, body) in cases {
        assert_eq!(encoded(encoding, &body).await.ok().as_deref(), Some(TEXT), "{encoding}");
    }
}

#[tokio::test]
async fn brotli_that_was_not_asked_for_is_decoded() {
    let hello = b"\x0b\x02\x80hello\x03";
    assert_eq!(encoded("br", hello).await.ok().as_deref(), Some("hello\n"));
}

#[tokio::test]
async fn an_unknown_coding_is_refused_by_its_name_and_a_broken_one_is_no_page() {
    let refused = encoded("aes128gcm", b"\x01\x02random").await.expect_err("no coding of pages");
    assert_eq!((refused.class, refused.code), (FailureClass::Permanent, ErrorCode::FetchFailed));
    assert!(refused.detail.contains("aes128gcm"), "{refused:?}");
    for encoding in ["zstd", "GZIP", "BR"] {
        assert!(encoded(encoding, PAGE.as_bytes()).await.is_err(), "{encoding}");
    }
}

/// The decoder would grow with such a window, beside the limits on the memory of bodies.
#[tokio::test]
async fn a_brotli_stream_with_a_large_window_is_refused() {
    let failure = encoded("br", &[0x11, 0x1e, 0x00, 0x00]).await.expect_err("no coding of HTTP");
    assert_eq!((failure.class, failure.code), (FailureClass::Permanent, ErrorCode::FetchFailed));
    assert!(failure.detail.contains("large window"), "{failure:?}");
}

#[tokio::test]
async fn a_bomb_in_an_unusual_coding_is_cut_at_the_limit() {
    let bomb = gzip(&gzip(&vec![b'a'; 32 * 1024 * 1024]));
    let pages = Pages::always(answer("200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip, gzip", &bomb)).await;
    let fetcher = fetcher(FetchSettings { max_body: 1024 * 1024, ..limits(&pages) });
    let refused = fetcher.fetch(&FetchRequest::whole(DocumentId(1), pages.url("/"))).await.expect_err("too large");
    assert!(refused.detail.contains("1 MB"), "{refused:?}");
}

#[tokio::test]
async fn binary_data_is_refused_by_the_name_of_its_format_whatever_the_server_calls_it() {
    let png = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10";
    let unlabelled = gzip(PAGE.as_bytes());
    let bodies: [(&[u8], &str); 7] = [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF file"),
        (png, "a PNG image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "a JPEG image"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "a WebP image"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive"),
        (&unlabelled, "gzip data"),
        (b"\x01\x02\x03", "binary data"),
    ];
    for (body, name) in bodies {
        for kind in ["text/html", "text/plain", "text/markdown; charset=utf-8"] {
            let failure = served(&format!("200 OK\r\nContent-Type: {kind}"), body).await.expect_err("no page");
            assert_eq!((failure.class, failure.code), (FailureClass::Permanent, ErrorCode::FetchFailed), "{kind}");
            assert_eq!(*failure.detail, *format!("the body is {name}, not a page or text"), "{kind}");
        }
    }
    // A stray control character makes no page binary, and UTF-16 has zero bytes.
    let stray = served("200 OK\r\nContent-Type: text/html", b"<p>One\x02 page").await;
    assert!(stray.is_ok_and(|text| text.contains("One")));
    let wide: Vec<u8> = "<p>wide".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        served("200 OK\r\nContent-Type: text/html; charset=utf-16le", &wide).await.ok().as_deref(),
        Some("wide\n")
    );
}

#[tokio::test]
async fn a_success_that_is_not_the_page_is_a_failure() {
    let with = |status: &str| format!("{status}\r\nContent-Type: text/html");
    for status in ["200 OK", "203 Non-Authoritative Information", "299 Fine"] {
        assert_eq!(served(&with(status), PAGE.as_bytes()).await.ok().as_deref(), Some(TEXT), "{status}");
    }
    let cases = [
        ("202 Accepted", FailureClass::Transient, ErrorCode::FetchFailed),
        ("206 Partial Content", FailureClass::Permanent, ErrorCode::FetchFailed),
        ("205 Reset Content", FailureClass::Permanent, ErrorCode::ContentEmpty),
    ];
    for (status, class, code) in cases {
        let failure = served(&with(status), PAGE.as_bytes()).await.expect_err("not the page");
        assert_eq!((failure.class, failure.code), (class, code), "{status}");
        assert_eq!(failure.http_status.map(|number| number.to_string()).as_deref(), status.split(' ').next());
    }
}
