//! Tests Firecrawl with a double on loopback that answers as its API does: the service's own errors are never taken for
//! the page's.

use super::{Get, fetcher, limits, patient};
use crate::support::pages::{Pages, answer, html};
use crate::support::ports;
use quarterdeck::domain::content::Page;
use quarterdeck::domain::failure::{Blame, ErrorCode, Failure, FailureClass};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::secret::Secret;
use quarterdeck::domain::site_rule::{FetcherKind, SiteRule, SiteRules};
use quarterdeck::fetch::{FetchRequest, FetchSettings, FirecrawlAccess, FirecrawlSettings};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

const KEY: &str = "fc-0123456789abcdef";
const PAGE: &str = "https://app.example.org/guide";

/// Answers every request with the same bytes and records the requests; without bytes it never answers.
struct Double {
    url: Url,
    asked: Arc<Mutex<Vec<(String, Value)>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Double {
    async fn start(bytes: Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(connection.read_u8().await.expect("a request"));
                }
                let head = String::from_utf8(head).expect("ASCII");
                let length = head
                    .to_ascii_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .map(|rest| rest.split("\r\n").next().expect("a line").parse::<usize>().expect("a length"));
                let mut body = vec![0; length.expect("a body")];
                connection.read_exact(&mut body).await.expect("the body");
                kept.lock().expect("not poisoned").push((head, serde_json::from_slice(&body).expect("JSON")));
                match &bytes {
                    Some(bytes) => {
                        let _ = connection.write_all(bytes).await;
                    }
                    None => {
                        let _ = connection.read_u8().await;
                    }
                }
            }
        });
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        Self { url, asked, _serving: AbortOnDropHandle::new(serving) }
    }

    async fn says(status: &str, body: Value) -> Self {
        let head = format!("{status}\r\nContent-Type: application/json");
        Self::start(Some(answer(&head, body.to_string().as_bytes()))).await
    }

    fn limits(&self) -> FetchSettings {
        let host = format!("{}:{}", self.url.host_str().expect("a host"), self.url.port().expect("a port"));
        FetchSettings {
            firecrawl: FirecrawlSettings {
                api_key: Some(Secret::new(KEY)),
                url: self.url.clone(),
                version: Some(2),
                followed: None,
            },
            allow_private_hosts: vec![host.parse().expect("an entry")],
            ..patient()
        }
    }

    async fn page(&self) -> Result<Page, Failure> {
        fetcher(self.limits()).get(PAGE).await
    }
}

fn scraped(markdown: &str, metadata: Value) -> Value {
    json!({"success": true, "data": {"markdown": markdown, "metadata": metadata}})
}

#[tokio::test]
async fn a_page_and_what_is_asked_for() {
    let metadata = json!({"title": "Guide", "statusCode": 200, "sourceURL": PAGE, "url": PAGE});
    let double = Double::says("200 OK", scraped("# Guide\r\n\r\nWords\u{1b}[1m", metadata)).await;
    let page = double.page().await.expect("a page");
    assert_eq!((page.title.as_deref(), page.content.as_str()), (Some("Guide"), "# Guide\n\nWords"));
    assert_eq!((page.http_status, page.etag), (200, None));
    // Firecrawl's own time-out expires first.
    let timeout = (double.limits().total_timeout - Duration::from_secs(2)).as_secs() * 1_000;
    let (head, body) = double.asked.lock().expect("not poisoned").remove(0);
    assert!(head.starts_with("POST /v2/scrape HTTP/1.1\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains(&format!("authorization: bearer {KEY}\r\n")), "{head}");
    assert_eq!(
        body,
        json!({
            "url": PAGE, "onlyMainContent": true, "formats": ["markdown"], "timeout": timeout, "maxAge": 0,
            "excludeTags": ["iframe", ".sidebar", ".cookie-banner", "[role=navigation]", "[role=banner]", "[role=contentinfo]"],
        })
    );
    let mut limits = double.limits();
    limits.firecrawl.version = Some(1);
    fetcher(limits).get(PAGE).await.expect("a page");
    let (head, body) = double.asked.lock().expect("not poisoned").remove(0);
    assert!(head.starts_with("POST /v1/scrape HTTP/1.1\r\n") && body.get("maxAge").is_none(), "{head} {body}");
}

/// Chatwoot's own requests, of both versions; the text is then the one that Chatwoot would store.
#[tokio::test]
async fn where_chatwoots_text_is_wanted_the_request_is_the_one_that_chatwoot_makes() {
    let body = json!({
        "url": PAGE, "onlyMainContent": true, "formats": ["markdown"],
        "excludeTags": ["iframe", ".sidebar", ".cookie-banner", "[role=navigation]", "[role=banner]", "[role=contentinfo]"],
    });
    let mut body_of_v2 = body.clone();
    body_of_v2["maxAge"] = json!(0);
    for (version, expected) in [(Some(1), body), (None, body_of_v2)] {
        let double = Double::says("200 OK", scraped("# Guide", json!({"statusCode": 200}))).await;
        let mut settings = double.limits();
        settings.firecrawl.api_key = None;
        settings.firecrawl.version = None;
        settings.firecrawl.followed = Some(FirecrawlAccess { key: Secret::new(KEY), version });
        let request = FetchRequest { chatwoot: true, ..FetchRequest::whole(DocumentId(1), PAGE) };
        fetcher(settings).fetch(&request).await.expect("a page");
        let (head, sent) = double.asked.lock().expect("not poisoned").remove(0);
        assert!(head.starts_with(&format!("POST /v{}/scrape ", version.unwrap_or(2))), "{head}");
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn an_own_key_wins_over_the_one_that_is_followed_and_the_followed_one_may_change() {
    let double = Double::says("200 OK", scraped("# Guide", json!({"statusCode": 200}))).await;
    let mut settings = double.limits();
    settings.firecrawl.version = None;
    let access = |key: &str| Some(FirecrawlAccess { key: Secret::new(key), version: Some(1) });
    let asked = || double.asked.lock().expect("not poisoned").remove(0).0;
    let own = fetcher(settings.clone());
    assert!(!own.follow_firecrawl(access("fc-theirs")) && !own.follow_firecrawl(None));
    own.get(PAGE).await.expect("a page");
    let head = asked();
    assert!(
        head.starts_with("POST /v2/scrape") && head.to_ascii_lowercase().contains(&format!("bearer {KEY}")),
        "{head}"
    );
    settings.firecrawl.api_key = None;
    let following = fetcher(settings);
    assert!(following.follow_firecrawl(access("fc-theirs")) && !following.follow_firecrawl(access("fc-theirs")));
    following.get(PAGE).await.expect("a page");
    let head = asked();
    assert!(head.starts_with("POST /v1/scrape") && head.to_ascii_lowercase().contains("bearer fc-theirs"), "{head}");
    assert!(following.follow_firecrawl(access("fc-another")));
    following.get(PAGE).await.expect("a page");
    assert!(asked().to_ascii_lowercase().contains("bearer fc-another"));
    assert!(following.follow_firecrawl(None), "then its own server is asked");
}

#[tokio::test]
async fn what_the_page_answered_is_the_pages() {
    for (status, code, class, detail) in [
        (404, ErrorCode::NotFound, FailureClass::Permanent, "404 Not Found"),
        (403, ErrorCode::AccessDenied, FailureClass::Permanent, "403 Forbidden"),
        (503, ErrorCode::FetchFailed, FailureClass::Transient, "503 Service Unavailable"),
    ] {
        let double = Double::says("200 OK", scraped("sorry", json!({"statusCode": status}))).await;
        let failure = double.page().await.expect_err("the page has none");
        assert_eq!((failure.code, failure.class, failure.detail.as_str()), (code, class, detail));
        assert_eq!((failure.http_status, failure.blame), (Some(status), Blame::Host));
    }
    let failure = Double::says("200 OK", scraped(" \n", json!({}))).await.page().await.expect_err("no text");
    assert_eq!((failure.code, failure.blame), (ErrorCode::ContentEmpty, Blame::Host));
    let led_on = scraped("secret", json!({"sourceURL": "http://169.254.169.254/latest"}));
    let failure = Double::says("200 OK", led_on).await.page().await.expect_err("it was led on");
    let refused = "refused: 169.254.169.254 is a link-local address; fetch.allow_private_hosts can allow it";
    assert_eq!(failure.detail.as_str(), format!("Firecrawl was redirected: {refused}"));
}

#[tokio::test]
async fn what_the_api_says_of_itself_is_never_the_pages() {
    use FailureClass::{Permanent, Transient};
    let error = |words: &str| json!({"success": false, "error": words}).to_string();
    for (status, body, class, code, detail) in [
        (
            "401 Unauthorized",
            error("Unauthorized: Invalid token"),
            Permanent,
            ErrorCode::FetchFailed,
            "Firecrawl rejects the key (401 Unauthorized); see fetch.firecrawl.api_key",
        ),
        (
            "403 Forbidden",
            error("no"),
            Permanent,
            ErrorCode::FetchFailed,
            "Firecrawl rejects the key (403 Forbidden); see fetch.firecrawl.api_key",
        ),
        (
            "402 Payment Required",
            error("credits"),
            Permanent,
            ErrorCode::FetchFailed,
            "Firecrawl has no credits left (402); buy more from Firecrawl",
        ),
        (
            "404 Not Found",
            String::new(),
            Permanent,
            ErrorCode::FetchFailed,
            "Firecrawl's API was not found (404); check fetch.firecrawl.url and fetch.firecrawl.version",
        ),
        (
            "408 Request Timeout",
            error("SCRAPE_TIMEOUT"),
            Transient,
            ErrorCode::Timeout,
            "Firecrawl did not get the page in time (408 Request Timeout)",
        ),
        (
            "429 Too Many Requests\r\nRetry-After: 90",
            error("slow down"),
            Transient,
            ErrorCode::FetchFailed,
            "Firecrawl receives too many requests (429 Too Many Requests)",
        ),
        (
            "500 Internal Server Error",
            "<h1>oops".to_owned(),
            Transient,
            ErrorCode::FetchFailed,
            "Firecrawl reports a server error (500 Internal Server Error)",
        ),
        (
            "400 Bad Request",
            error("bad \u{1b}[31m url"),
            Permanent,
            ErrorCode::FetchFailed,
            "Firecrawl rejects the request (400 Bad Request): bad url",
        ),
        (
            "200 OK",
            error("the browser crashed"),
            Transient,
            ErrorCode::FetchFailed,
            "Firecrawl could not fetch the page: the browser crashed",
        ),
        (
            "200 OK",
            "rubbish".to_owned(),
            Transient,
            ErrorCode::FetchFailed,
            "Firecrawl's response is not valid for its API",
        ),
        ("200 OK", "{}".to_owned(), Transient, ErrorCode::FetchFailed, "Firecrawl's response is not valid for its API"),
        (
            "302 Found\r\nLocation: http://10.0.0.1/",
            String::new(),
            Permanent,
            ErrorCode::FetchFailed,
            "Firecrawl rejects the request (302 Found)",
        ),
    ] {
        let double = Double::start(Some(answer(status, body.as_bytes()))).await;
        let failure = double.page().await.expect_err(status);
        let shown = failure.detail.as_str();
        assert_eq!((failure.class, failure.code, shown), (class, code, detail), "{status}");
        assert_eq!((failure.http_status, failure.blame), (None, Blame::Service), "{status}");
        assert_eq!(failure.retry_after, status.contains("Retry-After").then_some(Duration::from_secs(90)));
        assert!(!shown.contains(KEY));
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_silent_has_its_limit() {
    let silent = Double::start(None).await;
    let limits = FetchSettings { total_timeout: Duration::from_millis(100), ..silent.limits() };
    let failure = fetcher(limits).get(PAGE).await.expect_err("it is silent");
    assert_eq!(failure.detail.as_str(), "Firecrawl did not answer within 0.1 s");
    assert_eq!(
        (failure.code, failure.class, failure.blame),
        (ErrorCode::Timeout, FailureClass::Transient, Blame::Service)
    );
}

#[tokio::test]
async fn unreachable_and_private_services() {
    let silent = Double::start(None).await;
    let private = FetchSettings { allow_private_hosts: Vec::new(), ..silent.limits() };
    let failure = fetcher(private).get(PAGE).await.expect_err("its address is private");
    let refused = "refused: 127.0.0.1 is a loopback address; fetch.allow_private_hosts can allow it";
    assert_eq!(failure.detail.as_str(), format!("fetch.firecrawl.url: {refused}"));

    let closed = SocketAddr::from(([127, 0, 0, 1], ports::free()));
    let mut gone = silent.limits();
    gone.firecrawl.url = Url::parse(&format!("http://{closed}/")).expect("a URL");
    gone.allow_private_hosts = vec![closed.to_string().parse().expect("an entry")];
    let failure = fetcher(gone).get(PAGE).await.expect_err("nobody is there");
    assert_eq!(failure.detail.as_str(), "Firecrawl: connection refused");
    assert_eq!(failure.blame, Blame::Service);
}

#[tokio::test]
async fn addresses_that_are_refused_are_not_handed_on() {
    let double = Double::says("200 OK", scraped("secret", json!({}))).await;
    for url in ["http://10.0.0.1/", "http://intranet/", "http://user:pw@example.org/"] {
        fetcher(double.limits()).get(url).await.expect_err(url);
    }
    assert!(double.asked.lock().expect("not poisoned").is_empty());
}

#[tokio::test]
async fn each_document_has_its_fetcher_and_its_fallback() {
    let double = Double::says("200 OK", scraped("by firecrawl", json!({}))).await;
    let pages = Pages::serve(|path, mut connection| async move {
        let bytes = if path == "/wall" { answer("403 Forbidden", b"") } else { html("<p>directly") };
        let _ = connection.write_all(&bytes).await;
    })
    .await;
    let with = |double: &Double, site: SiteRule| {
        let mut both = double.limits();
        both.allow_private_hosts.extend(limits(&pages).allow_private_hosts);
        fetcher(FetchSettings { sites: SiteRules(vec![site]), ..both })
    };
    let host = Some(pages.address.to_string());
    let content = async |fetcher: &quarterdeck::fetch::Fetcher, path: &str, document: i64| {
        let ask = FetchRequest::whole(DocumentId(document), pages.url(path));
        fetcher.fetch(&ask).await.map(|answer| answer.page().expect("a page").content)
    };
    let by =
        |fetcher, fallback| SiteRule { host: host.clone(), fetcher: Some(fetcher), fallback, ..SiteRule::default() };
    // With a key and no rule, Firecrawl fetches everything; a rule restricts it to a host or a document.
    let usual = with(&double, SiteRule::default());
    assert_eq!(content(&usual, "/a", 1).await.expect("a page"), "by firecrawl");
    let direct = with(&double, by(FetcherKind::Direct, None));
    assert_eq!(content(&direct, "/a", 1).await.expect("a page"), "directly\n");
    let own = with(
        &double,
        SiteRule { document: Some(DocumentId(7)), fetcher: Some(FetcherKind::Direct), ..SiteRule::default() },
    );
    assert_eq!(content(&own, "/a", 7).await.expect("a page"), "directly\n");
    assert_eq!(content(&own, "/a", 8).await.expect("a page"), "by firecrawl");
    // A wall against robots is something that the other fetcher may pass.
    let walled = with(&double, by(FetcherKind::Direct, Some(FetcherKind::Firecrawl)));
    assert_eq!(content(&walled, "/wall", 1).await.expect("a page"), "by firecrawl");
    assert_eq!(content(&walled, "/a", 1).await.expect("a page"), "directly\n");
    // When the service fails, the page is fetched directly; the page's own error responses are not checked a second
    // time.
    let broke = Double::says("402 Payment Required", json!({})).await;
    let fallback = with(&broke, by(FetcherKind::Firecrawl, Some(FetcherKind::Direct)));
    assert_eq!(content(&fallback, "/a", 1).await.expect("a page"), "directly\n");
    let gone = Double::says("200 OK", scraped("", json!({"statusCode": 404}))).await;
    let hits = pages.hits();
    let fallback = with(&gone, by(FetcherKind::Firecrawl, Some(FetcherKind::Direct)));
    assert_eq!(content(&fallback, "/a", 1).await.expect_err("it is gone").code, ErrorCode::NotFound);
    assert_eq!(pages.hits(), hits);
}
