//! Tests robots.txt when the settings enable it: fetched once per host, checked at every hop, and subject to the
//! address guard.

use super::{Get, fetcher, limits};
use crate::support::pages::{Pages, answer, html};
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::fetch::{FetchSettings, Fetcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::AsyncWriteExt;

fn robot(pages: &Pages) -> Fetcher {
    let user_agent = "quarterdeck/1 (+https://example.org/contact)".to_owned();
    fetcher(FetchSettings { respect_robots: true, user_agent, ..limits(pages) })
}

/// Counts the requests for robots.txt; serves pages at any other path, and redirects `/away` to `/private`.
async fn site(file: impl Into<Vec<u8>>) -> (Pages, Arc<AtomicUsize>) {
    let (file, asked) = (Arc::new(file.into()), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    let pages = Pages::serve(move |path, mut connection| {
        let (file, counted) = (Arc::clone(&file), Arc::clone(&counted));
        async move {
            let bytes = match path.as_str() {
                "/robots.txt" => {
                    counted.fetch_add(1, Ordering::SeqCst);
                    file.to_vec()
                }
                "/away" => answer("302 Found\r\nLocation: /private", b""),
                _ => html("<p>words"),
            };
            let _ = connection.write_all(&bytes).await;
        }
    })
    .await;
    (pages, asked)
}

#[tokio::test]
async fn what_the_file_forbids_is_not_asked_for_also_not_by_redirect() {
    let text = b"User-agent: *\nDisallow: /\nUser-agent: quarterdeck\nDisallow: /private\n";
    let (pages, asked) = site(answer("200 OK\r\nContent-Type: text/plain", text)).await;
    let robot = robot(&pages);
    let fetched = futures_util::future::join_all(["/a", "/b", "/c"].map(|path| {
        let (robot, url) = (&robot, pages.url(path));
        async move { robot.get(&url).await }
    }));
    assert!(fetched.await.iter().all(Result::is_ok));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "once for all that wait");
    let hits = pages.hits();
    for (path, more) in [("/private", 0), ("/private/x?y", 0), ("/away", 1)] {
        let before = pages.hits();
        let failure = robot.get(&pages.url(path)).await.expect_err(path);
        assert_eq!(failure.detail.as_str(), "refused: robots.txt of 127.0.0.1 does not allow the page", "{path}");
        assert_eq!((failure.class, failure.code), (FailureClass::Permanent, ErrorCode::FetchFailed));
        assert_eq!(pages.hits() - before, more, "{path}");
    }
    assert_eq!((pages.hits() - hits, asked.load(Ordering::SeqCst)), (1, 1));
    // By default robots.txt is not requested.
    fetcher(limits(&pages)).get(&pages.url("/private")).await.expect("a page");
}

#[tokio::test]
async fn without_a_file_everything_is_allowed_and_without_an_answer_nothing() {
    for file in [answer("404 Not Found", b""), answer("302 Found\r\nLocation: http://10.0.0.1/", b"")] {
        let (pages, _) = site(file).await;
        robot(&pages).get(&pages.url("/private")).await.expect("a page");
    }
    let (pages, _) = site(answer("503 Service Unavailable", b"")).await;
    let failure = robot(&pages).get(&pages.url("/a")).await.expect_err("no answer");
    assert_eq!(
        failure.detail.as_str(),
        "robots.txt of 127.0.0.1 is needed first but cannot be read: the server answers 503 Service Unavailable"
    );
    assert_eq!((failure.class, pages.hits()), (FailureClass::Transient, 1));
}

#[tokio::test]
async fn a_file_without_end_is_read_as_far_as_it_may_be() {
    let mut file = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nUser-agent: *\nDisallow: /private\n".to_vec();
    file.extend(b"# more\n".repeat(200_000));
    let (pages, _) = site(file).await;
    let robot = robot(&pages);
    robot.get(&pages.url("/a")).await.expect("a page");
    robot.get(&pages.url("/private")).await.expect_err("it is forbidden");
}
