//! Tests the effect of site rules on a page's content, from the request to the text.

use super::{Get, fetcher, limits};
use crate::support::pages::{Pages, answer};
use quarterdeck::domain::site_rule::{Extract, SiteRule, SiteRules};
use quarterdeck::fetch::FetchSettings;

const PAGE: &str = "<title>T</title><nav>menu</nav><main><h1>Head</h1><p class=offer>Buy!</p><article><p>One</p></article>\
                    <p>Two</p><article><p>Three</p></article></main>";

async fn text(site: SiteRule) -> (String, Option<String>) {
    text_of(PAGE, site).await
}

async fn text_of(page: &str, site: SiteRule) -> (String, Option<String>) {
    let pages = Pages::always(answer("200 OK\r\nContent-Type: text/html", page.as_bytes())).await;
    let site = SiteRule { host: Some(pages.address.to_string()), ..site };
    let fetcher = fetcher(FetchSettings { sites: SiteRules(vec![site]), ..limits(&pages) });
    let page = fetcher.get(&pages.url("/")).await.expect("a page");
    (page.content, page.note.map(|note| note.to_string()))
}

fn selectors(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

#[tokio::test]
async fn selectors_say_what_counts() {
    let (all, note) = text(SiteRule::default()).await;
    assert_eq!((all.as_str(), note), ("# Head\n\nBuy!\n\nOne\n\nTwo\n\nThree\n", None));
    let (some, note) = text(SiteRule { exclude: selectors(&[".offer", "h1"]), ..SiteRule::default() }).await;
    assert_eq!((some.as_str(), note), ("One\n\nTwo\n\nThree\n", None));
    let (alone, note) = text(SiteRule { include: selectors(&["article"]), ..SiteRule::default() }).await;
    assert_eq!((alone.as_str(), note), ("One\n\nThree\n", None));
    let site =
        SiteRule { include: selectors(&["main", "article"]), exclude: selectors(&["article"]), ..SiteRule::default() };
    assert_eq!(text(site).await.0, "# Head\n\nBuy!\n\nTwo\n");
    let (body, _) = text(SiteRule { extract: Extract::Body, ..SiteRule::default() }).await;
    assert!(body.starts_with("menu\n\n# Head"), "{body}");
}

/// The densest part of a page may be what a rule excludes, or stand within it.
#[tokio::test]
async fn what_is_excluded_is_neither_the_content_nor_around_it() {
    let readers = "<p>A reader writes at length about the weather, and of course about a boat of many colours.</p>";
    let page = format!(
        "<title>T</title><div><div class=small><h1>Head</h1><p>The lock is closed on Friday.</p></div><div \
         class=big><div class=inner>{}</div></div></div>",
        readers.repeat(20)
    );
    for exclude in [".big", ".inner", ".inner > p"] {
        let (small, _) = text_of(&page, SiteRule { exclude: selectors(&[exclude]), ..SiteRule::default() }).await;
        assert_eq!(small, "# Head\n\nThe lock is closed on Friday.\n", "{exclude}");
    }
    let included = SiteRule { include: selectors(&["p"]), exclude: selectors(&[".big"]), ..SiteRule::default() };
    assert_eq!(text_of(&page, included).await.0, "The lock is closed on Friday.\n");
}

#[tokio::test]
async fn selectors_without_anything_to_fit_are_said() {
    let site =
        SiteRule { include: selectors(&["#gone"]), exclude: selectors(&[".offer", ".x > y"]), ..SiteRule::default() };
    let (text, note) = text(site).await;
    assert_eq!(text, "# Head\n\nOne\n\nTwo\n\nThree\n");
    assert_eq!(note.as_deref(), Some("no element of the page matches #gone nor .x > y"));
}
