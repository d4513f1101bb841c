//! What a source says of its pages, from the request to the text.

use super::{Get, fetcher, limits};
use crate::support::pages::{Pages, answer};
use quarterdeck::domain::source::{Extract, Source, Sources};
use quarterdeck::fetch::Limits;

const PAGE: &str = "<title>T</title><nav>menu</nav><main><h1>Head</h1><p class=ad>Buy!</p><article><p>One</p></article>\
                    <p>Two</p><article><p>Three</p></article></main>";

async fn text(source: Source) -> (String, Option<String>) {
    let pages = Pages::always(answer("200 OK\r\nContent-Type: text/html", PAGE.as_bytes())).await;
    let source = Source { host: Some(pages.address.to_string()), ..source };
    let fetcher = fetcher(Limits { sources: Sources(vec![source]), ..limits(&pages) });
    let page = fetcher.get(&pages.url("/")).await.expect("a page");
    (page.content, page.note.map(|note| note.to_string()))
}

fn selectors(all: &[&str]) -> Vec<String> {
    all.iter().map(|one| (*one).to_owned()).collect()
}

#[tokio::test]
async fn selectors_say_what_counts() {
    let (all, note) = text(Source::default()).await;
    assert_eq!((all.as_str(), note), ("# Head\n\nBuy!\n\nOne\n\nTwo\n\nThree\n", None));
    let (some, note) = text(Source { exclude: selectors(&[".ad", "h1"]), ..Source::default() }).await;
    assert_eq!((some.as_str(), note), ("One\n\nTwo\n\nThree\n", None));
    let (alone, note) = text(Source { include: selectors(&["article"]), ..Source::default() }).await;
    assert_eq!((alone.as_str(), note), ("One\n\nThree\n", None));
    let source =
        Source { include: selectors(&["main", "article"]), exclude: selectors(&["article"]), ..Source::default() };
    assert_eq!(text(source).await.0, "# Head\n\nBuy!\n\nTwo\n");
    let (body, _) = text(Source { extract: Extract::Body, ..Source::default() }).await;
    assert!(body.starts_with("menu\n\n# Head"), "{body}");
}

#[tokio::test]
async fn selectors_without_anything_to_fit_are_said() {
    let source = Source { include: selectors(&["#gone"]), exclude: selectors(&[".ad", ".x > y"]), ..Source::default() };
    let (text, note) = text(source).await;
    assert_eq!(text, "# Head\n\nOne\n\nTwo\n\nThree\n");
    assert_eq!(note.as_deref(), Some("nothing on the page fits #gone nor .x > y"));
}
