//! Tests that a login page is recognised by the whole way from the request to the page.

use super::{Get, fetcher, patient};
use crate::support::site::{Reply, Site};
use quarterdeck::domain::content::{ContentChange, Page, StoredBaseline};
use quarterdeck::domain::failure::{ErrorCode, Failure};
use quarterdeck::fetch::FetchSettings;

const FORM: &str = "<form method=post><input name=user><input type=password name=pw><button>Ienākt</button></form>";

/// Fetches `path` from a site that sends to its login whoever asks for `/wiki/Page`, and has more pages.
async fn get(path: &str) -> Result<Page, Failure> {
    let beside = "<p>This is the place where all of our colleagues write down what they know.</p>".repeat(12);
    let site = Site::start(move |path, _| match path {
        "/wiki/Page" => Reply::Status(302, vec![("location", "/login?to=%2Fwiki%2FPage".into())]),
        "/login?to=%2Fwiki%2FPage" => Reply::Html(format!("<title>T</title><h1>Acme</h1>{FORM}<div>{beside}</div>")),
        "/bare" => Reply::Html(FORM.replace("Ienākt", "")),
        "/box" => Reply::Html(format!("<h1>Acme</h1>{FORM}<div>{beside}</div>")),
        _ => Reply::Html(format!("<title>Sveiki</title><body>{FORM}")),
    })
    .await;
    let allowed = vec![site.host().parse().expect("a host")];
    fetcher(FetchSettings { allow_private_hosts: allowed, ..patient() }).get(&site.url(path)).await
}

#[tokio::test]
async fn a_form_instead_of_a_page_is_a_login_page() {
    for (path, is_login) in [("/wiki/Page", true), ("/form", true), ("/box", false)] {
        let page = get(path).await.expect("a page with text");
        assert_eq!(page.is_login, is_login, "{path}: {}", page.content);
        let (first, _) = StoredBaseline::default().compare(&page);
        let expected = if is_login { ContentChange::Quarantined } else { ContentChange::First };
        assert_eq!(first, expected, "{path}");
    }
    let bare = get("/bare").await.expect_err("no text");
    assert_eq!(
        (bare.code, bare.detail.as_str()),
        (ErrorCode::AccessDenied, "the page is a login form without any text")
    );
}
