//! Tests the reading of listings over real HTTP: every format, and everything that makes one incomplete.

use super::{fetcher, limits};
use crate::support::pages::{Pages, answer};
use flate2::{Compression, write::GzEncoder};
use quarterdeck::domain::failure::{Failure, FailureClass};
use quarterdeck::domain::listing::ListingKind;
use quarterdeck::fetch::{ListingLimits, ListingSummary};
use std::collections::HashMap;
use std::io::Write as _;
use tokio::io::AsyncWriteExt as _;

/// Responses by path, each as the bytes of a whole response; `HOST` in a text is that of the server.
type Files = Vec<(&'static str, Vec<u8>)>;

fn text(body: &str) -> Vec<u8> {
    answer("200 OK\r\nContent-Type: text/plain", body.as_bytes())
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(body).expect("into memory");
    packed.finish().expect("into memory")
}

async fn serve(files: Files) -> Pages {
    let files: HashMap<String, Vec<u8>> = files.into_iter().map(|(path, bytes)| (path.to_owned(), bytes)).collect();
    let files = std::sync::Arc::new(files);
    Pages::serve(move |path, mut connection| {
        let files = std::sync::Arc::clone(&files);
        async move {
            let host = connection.local_addr().expect("an address").to_string();
            let bytes = files.get(&path).cloned().unwrap_or_else(|| answer("404 Not Found", b""));
            // The length of an address on loopback is not known before, so a text with it states no length.
            let bytes = match std::str::from_utf8(&bytes) {
                Ok(text) if text.contains("HOST") => {
                    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
                    let status = head.lines().next().unwrap_or_default();
                    let location = head.lines().find(|line| line.starts_with("Location")).unwrap_or("X: y");
                    format!("{status}\r\n{location}\r\nConnection: close\r\n\r\n{body}")
                        .replace("HOST", &host)
                        .into_bytes()
                }
                _ => bytes,
            };
            let _ = connection.write_all(&bytes).await;
            let _ = connection.shutdown().await;
        }
    })
    .await
}

/// Reads the listing at `path`: its URLs without the server's address, the number of unreadable entries, and what it is.
async fn read(pages: &Pages, path: &str) -> Result<(Vec<String>, usize, ListingSummary), Failure> {
    let fetcher = fetcher(limits(pages));
    let mut reader = fetcher.read_listing(&pages.url(path), ListingLimits::default())?;
    let (mut urls, mut unreadable) = (Vec::new(), 0);
    let own = pages.url("");
    while let Some(batch) = reader.next().await? {
        urls.extend(batch.pages.into_iter().map(|page| page.url.replace(&own, "")));
        unreadable += batch.unreadable.len();
    }
    Ok((urls, unreadable, reader.summary().expect("it was read")))
}

#[tokio::test]
async fn every_format_is_read_by_what_it_has() {
    let sitemap = "<urlset><url><loc>http://HOST/1</loc><lastmod>2026-11-01</lastmod></url><url><loc>http://HOST/2</loc></url></urlset>";
    let index = "<sitemapindex><sitemap><loc>http://HOST/a.xml</loc></sitemap><sitemap><loc>http://HOST/b.xml.gz</loc></sitemap>\
                 <sitemap><loc>http://HOST/a.xml</loc></sitemap></sitemapindex>";
    let rss = "<rss><channel><item><link>/1</link></item><item><link>http://HOST/2</link></item></channel></rss>";
    let atom = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='1'/></entry></feed>";
    let html = "<!doctype html><base href='/docs/'><a href='one'>1</a> <a href='#part'>p</a> <a href='mailto:a@b.c'>m</a>\
                <a href='/two?x=1#y'>2</a>";
    let llms = "# Docs\n\n- [One](/1): the first\n- [Two](http://HOST/2)\nhttp://HOST/3\n";
    let pages = serve(vec![
        ("/sitemap.xml", text(sitemap)),
        ("/index.xml", text(index)),
        ("/a.xml", text(sitemap)),
        (
            "/b.xml.gz",
            answer(
                "200 OK\r\nContent-Type: application/x-gzip",
                &packed(b"<urlset><url><loc>http://b.test/3</loc></url></urlset>"),
            ),
        ),
        ("/rss", text(rss)),
        ("/atom", text(atom)),
        ("/docs/", text(html)),
        ("/llms.txt", text(llms)),
        ("/moved.xml", answer("301 Moved Permanently\r\nLocation: /sitemap.xml", b"")),
    ])
    .await;
    for (path, kind, is_whole, files, urls) in [
        ("/sitemap.xml", ListingKind::Sitemap, true, 1, vec!["/1", "/2"]),
        ("/moved.xml", ListingKind::Sitemap, true, 1, vec!["/1", "/2"]),
        ("/index.xml", ListingKind::Index, true, 3, vec!["/1", "/2", "http://b.test/3"]),
        ("/rss", ListingKind::Feed, false, 1, vec!["/1", "/2"]),
        ("/atom", ListingKind::Feed, false, 1, vec!["/1"]),
        ("/docs/", ListingKind::Links, true, 1, vec!["/docs/one", "/two?x=1#y"]),
        ("/llms.txt", ListingKind::Text, true, 1, vec!["/1", "/2", "/3"]),
    ] {
        let (read, unreadable, summary) =
            read(&pages, path).await.unwrap_or_else(|failure| panic!("{path}: {failure:?}"));
        assert_eq!((read, unreadable), (urls.into_iter().map(str::to_owned).collect(), 0), "{path}");
        assert_eq!(summary, ListingSummary { kind, is_whole, files }, "{path}");
    }
}

#[tokio::test]
async fn what_is_not_whole_fails_and_says_why() {
    let entry = "<url><loc>http://HOST/1</loc></url>";
    let index = |of: &str| text(&format!("<sitemapindex><sitemap><loc>{of}</loc></sitemap></sitemapindex>"));
    let whole = packed(format!("<urlset>{}</urlset>", entry.repeat(1_000)).as_bytes());
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 4].copy_from_slice(&[0xff; 4]);
    let comment = format!("<!--{}-->", " ".repeat(900_000));
    let bomb = packed(format!("<urlset>{}", comment.repeat(90)).as_bytes());
    let names: String = (0..1_100).map(|n| format!("<sitemap><loc>http://HOST/{n}</loc></sitemap>")).collect();
    let mut short = answer("200 OK", b"");
    short = String::from_utf8(short).expect("text").replace("Content-Length: 0", "Content-Length: 900").into_bytes();
    short.extend(b"<urlset><url><loc>http://a.test/1</loc></url></urlset>");
    let deep = |next: &str| index(&format!("http://HOST/{next}"));
    let laughs =
        "<!DOCTYPE u [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><urlset><url><loc>http://HOST/&b;</loc></url></urlset>";
    let pages = serve(vec![
        ("/cut", text(&format!("<urlset>{entry}<url><loc>http://HOST/2"))),
        ("/cut.gz", answer("200 OK", &whole[..whole.len() - 9])),
        ("/damaged.gz", answer("200 OK", &damaged)),
        ("/bomb.gz", answer("200 OK", &bomb)),
        ("/token", text(&format!("<urlset><!--{}", "x".repeat(3 << 20)))),
        ("/nested", text(&format!("<urlset>{}", "<a>".repeat(1_000)))),
        ("/short", short),
        ("/loop", index("http://HOST/loop2")),
        ("/loop2", index("http://HOST/loop")),
        ("/self", index("http://HOST/self")),
        ("/d0", deep("d1")),
        ("/d1", deep("d2")),
        ("/d2", deep("d3")),
        ("/d3", deep("d4")),
        ("/elsewhere", index("http://other.test/s.xml")),
        ("/private", index("http://169.254.169.254/latest")),
        ("/file", index("file:///etc/passwd")),
        ("/part-missing", index("http://HOST/none")),
        ("/many", text(&format!("<sitemapindex>{names}</sitemapindex>"))),
        ("/empty-index", text("<sitemapindex/>")),
        ("/svg", text("<svg/>")),
        ("/redirected", answer("302 Found\r\nLocation: http://other.test/s.xml", b"")),
        ("/round", answer("302 Found\r\nLocation: /round", b"")),
        ("/down", answer("503 Service Unavailable\r\nRetry-After: 90", b"")),
        ("/laughs", text(laughs)),
    ])
    .await;
    use FailureClass::{Permanent, Transient};
    for (path, class, why) in [
        ("/cut", Permanent, "cut off"),
        ("/cut.gz", Permanent, "gzip data that is cut off"),
        ("/damaged.gz", Permanent, ""),
        ("/bomb.gz", Permanent, "is larger than 64 MB, unpacked"),
        ("/token", Permanent, "an element longer than 1 MB"),
        ("/nested", Permanent, "nested more than 100 deep"),
        ("/short", Transient, "the connection"),
        ("/loop", Permanent, "a loop"),
        ("/self", Permanent, "a loop"),
        ("/d0", Permanent, "levels deep"),
        ("/elsewhere", Permanent, "on another host"),
        ("/private", Permanent, "on another host"),
        ("/file", Permanent, "on another host"),
        ("/part-missing", Permanent, "404 Not Found"),
        ("/many", Permanent, "more than 1000 sitemaps"),
        ("/empty-index", Permanent, "index without sitemaps"),
        ("/svg", Permanent, "outermost element is svg"),
        ("/redirected", Permanent, "redirects to another host, other.test"),
        ("/round", Permanent, "too many redirects"),
        ("/down", Transient, "503 Service Unavailable"),
    ] {
        let failure = read(&pages, path).await.expect_err(path);
        assert!(failure.class == class && failure.detail.contains(why), "{path}: {failure:?}");
    }
    let (urls, unreadable, _) = read(&pages, "/laughs").await.expect("it is a sitemap");
    assert_eq!((urls.len(), unreadable), (0, 1), "an entity that a document declares is not expanded");
    let outside = fetcher(limits(&pages)).read_listing("http://127.0.0.1:1/s.xml", ListingLimits::default());
    assert!(outside.is_err_and(|failure| failure.detail.contains("refused")), "the guard judges the URL");
}

#[tokio::test]
async fn a_page_is_located_by_its_redirect_and_its_canonical_url() {
    let pages = serve(vec![
        ("/old", answer("301 Moved Permanently\r\nLocation: /new", b"")),
        ("/for-now", answer("302 Found\r\nLocation: /new", b"")),
        ("/new", text("<!doctype html><title>T</title><p>text")),
        ("/print", text("<!doctype html><link rel='canonical' href='/new'><p>text")),
        ("/lost", answer("301 Moved Permanently\r\nLocation: /none", b"")),
    ])
    .await;
    let fetcher = fetcher(limits(&pages));
    let new = pages.url("/new");
    for (path, status, redirect, canonical) in [
        ("/old", 200, Some(&new), None),
        ("/for-now", 200, None, None),
        ("/new", 200, None, None),
        ("/print", 200, None, Some(&new)),
        ("/lost", 404, None, None),
    ] {
        let location = fetcher.locate_page(&pages.url(path)).await.expect("it answers");
        let text = |url: &Option<url::Url>| url.as_ref().map(ToString::to_string);
        assert_eq!(location.status, status, "{path}");
        assert_eq!(text(&location.redirect).as_ref(), redirect, "{path}");
        assert_eq!(text(&location.canonical).as_ref(), canonical, "{path}");
    }
    let refused = fetcher.locate_page("http://169.254.169.254/latest").await;
    assert!(refused.is_err_and(|failure| failure.detail.contains("refused")));
}
