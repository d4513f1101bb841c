//! Tests the credentials of site rules: who gets them, and who does not.

use super::{Get, fetcher, patient};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::credential::{Credential, SecretSource, SecretValues};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::secret::Secret;
use quarterdeck::domain::site_rule::{FetcherKind, SiteRule, SiteRules};
use quarterdeck::fetch::{FetchRequest, FetchSettings, FirecrawlSettings, probe};

fn source(name: &str) -> SecretSource {
    SecretSource::Env(name.into())
}

/// A token in a header, and a cookie.
fn credentials() -> Vec<Credential> {
    vec![
        Credential::Header { name: "X-Token".into(), value: source("TOKEN") },
        Credential::Cookie { name: "session".into(), value: source("SESSION") },
    ]
}

fn secrets() -> SecretValues {
    let values = [("TOKEN", "t0ken"), ("SESSION", "c00kie")];
    SecretValues(values.map(|(name, value)| (source(name), Ok(Secret::new(value)))).into())
}

/// Settings with a rule for `host` that has [`credentials`], and access to the servers `allowed`.
fn settings(host: String, allowed: &[&Site]) -> FetchSettings {
    let site = SiteRule { host: Some(host), credentials: credentials(), ..SiteRule::default() };
    FetchSettings {
        sites: SiteRules(vec![site]),
        secrets: secrets(),
        allow_private_hosts: allowed.iter().map(|site| site.host().parse().expect("a host")).collect(),
        ..patient()
    }
}

fn has_secret(head: &str) -> bool {
    ["t0ken", "c00kie", "x-token", "cookie: "].iter().any(|secret| head.contains(secret))
}

#[tokio::test]
async fn they_go_to_the_requested_origin_and_are_dropped_for_good_on_the_way_to_another() {
    let page = Site::start(|_, _| html("T", "a page with some words")).await;
    let back = Site::start({
        let to = page.url("/back");
        move |_, _| Reply::Status(302, vec![("location", to.clone())])
    })
    .await;
    let own = Site::start({
        let (other, back) = (page.url("/other"), back.url("/via"));
        move |path, _| match path {
            "/moved" => Reply::Status(301, vec![("location", "/page".into())]),
            "/away" => Reply::Status(302, vec![("location", other.clone())]),
            "/round" => Reply::Status(302, vec![("location", back.clone())]),
            _ => html("T", "a page with some words"),
        }
    })
    .await;
    let fetcher = fetcher(settings(own.host(), &[&own, &page, &back]));
    fetcher.get(&own.url("/moved")).await.expect("a page");
    for path in ["/moved", "/page"] {
        let head = own.head(path);
        assert!(head.contains("x-token: t0ken\r\n") && head.contains("cookie: session=c00kie\r\n"), "{head}");
    }
    fetcher.get(&own.url("/away")).await.expect("a page");
    assert!(has_secret(&own.head("/away")) && !has_secret(&page.head("/other")), "{}", page.head("/other"));
    // A page without a rule gets none.
    fetcher.get(&page.url("/free")).await.expect("a page");
    assert!(!has_secret(&page.head("/free")));
}

#[tokio::test]
async fn a_redirect_back_to_the_origin_carries_none() {
    let own = Site::start({
        move |path, _| match path.split_once('?') {
            Some(("/start", via)) => Reply::Status(302, vec![("location", via.to_owned())]),
            _ => html("T", "a page with some words"),
        }
    })
    .await;
    let other = Site::start({
        let to = own.url("/secret");
        move |_, _| Reply::Status(302, vec![("location", to.clone())])
    })
    .await;
    let fetcher = fetcher(settings(own.host(), &[&own, &other]));
    let start = format!("/start?{}", other.url("/via"));
    fetcher.get(&own.url(&start)).await.expect("a page");
    assert!(has_secret(&own.head(&start)));
    assert!(!has_secret(&other.head("/via")) && !has_secret(&own.head("/secret")), "{}", own.head("/secret"));
}

#[tokio::test]
async fn another_scheme_or_host_on_the_same_port_gets_none() {
    let own = Site::start(|_, _| html("T", "a page with some words")).await;
    // The same server under another name: for a browser and for this program that is another host.
    let port = own.host().rsplit_once(':').expect("a port").1.to_owned();
    let named = format!("localhost:{port}");
    let moved = Site::start({
        let to = format!("http://{named}/named");
        move |_, _| Reply::Status(302, vec![("location", to.clone())])
    })
    .await;
    let mut settings = settings(moved.host(), &[&own, &moved]);
    settings.allow_private_hosts.push(named.parse().expect("a host"));
    fetcher(settings).get(&moved.url("/")).await.expect("a page");
    assert!(has_secret(&moved.head("/")) && !has_secret(&own.head("/named")));
}

#[tokio::test]
async fn neither_robots_nor_a_probe_nor_a_failure_shows_them() {
    let own = Site::start(|path, _| match path {
        "/robots.txt" => Reply::Status(404, vec![]),
        "/denied" => Reply::Status(403, vec![]),
        _ => html("T", "a page with some words"),
    })
    .await;
    let settings = FetchSettings { respect_robots: true, ..settings(own.host(), &[&own]) };
    let request = FetchRequest::whole(DocumentId(1), own.url("/denied"));
    let report = probe(settings.clone(), &request).await.expect("a fetcher");
    assert!(has_secret(&own.head("/denied")), "a probe is a fetch like any other");
    assert!(!has_secret(&own.head("/robots.txt")), "{}", own.head("/robots.txt"));
    assert!(!has_secret(&format!("{report:?} {settings:?}").replace("X-Token", "")), "{report:?} {settings:?}");
}

#[tokio::test]
async fn a_page_is_never_requested_without_a_value_that_its_rule_needs() {
    let own = Site::start(|_, _| html("T", "a page with some words")).await;
    let mut settings = settings(own.host(), &[&own]);
    settings.secrets.0.insert(source("SESSION"), Err("is not set".into()));
    let failure = fetcher(settings).get(&own.url("/")).await.expect_err("no value");
    assert_eq!(failure.detail.as_str(), "not fetched: the variable SESSION is not set");
    assert_eq!(own.hits("/"), 0);
}

#[tokio::test]
async fn firecrawl_gets_none_and_is_not_chosen_for_such_pages() {
    let api = Site::start(|_, _| html("T", "an answer that is no JSON")).await;
    let own = Site::start(|path, _| match path {
        "/denied" => Reply::Status(403, vec![]),
        _ => html("T", "a page with some words"),
    })
    .await;
    let mut settings = settings(own.host(), &[&own, &api]);
    settings.firecrawl = FirecrawlSettings {
        api_key: Some(Secret::new("fc-1")),
        url: api.url("/").parse().expect("a URL"),
        ..FirecrawlSettings::default()
    };
    fetcher(settings.clone()).get(&own.url("/")).await.expect("fetched from its own server");
    assert_eq!((own.hits("/"), api.hits("/v2/scrape")), (1, 0));
    settings.sites.0[0].fallback = Some(FetcherKind::Firecrawl);
    let _ = fetcher(settings).get(&own.url("/denied")).await;
    assert_eq!(api.hits("/v2/scrape"), 1, "the fallback was asked");
    assert!(!has_secret(&api.head("/v2/scrape")), "{}", api.head("/v2/scrape"));
}
