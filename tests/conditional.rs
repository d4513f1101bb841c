//! Tests conditional requests: a server's validators are sent back unchanged, and its "not modified" is trusted for a
//! week and only for the stored text.

use crate::support::deck::{Deck, START};
use crate::support::place::Backend;
use crate::support::site::{Reply, Site};
use quarterdeck::domain::content::{ContentChange, FULL_FETCH_INTERVAL};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass::Manual;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::request::{RequestKind, RequestScope};
use std::time::Duration;

/// An unusual but valid form: validators are sent back byte for byte.
const ETAG: &str = "W/\"a, b\\c==\"";
const MODIFIED: &str = "Tue,  24 Nov 2026 10:00:00 +0000";
const DAY: Duration = Duration::from_secs(86_400);

fn page(text: &str) -> Reply {
    let headers = vec![("etag", ETAG.to_owned()), ("last-modified", MODIFIED.to_owned())];
    Reply::Page(headers, format!("<title>T</title><main><p>{text}</p></main>"))
}

/// Serves a page the first time, and 304 from then on.
async fn site() -> Site {
    Site::start(|_, hit| if hit == 1 { page("words") } else { Reply::Status(304, vec![]) }).await
}

/// Returns true if the last request for the page was conditional; panics if it had only one of the two validators.
fn was_conditional(deck: &Deck, path: &str) -> bool {
    let head = deck.site.head(path);
    let tag = head.contains(&format!("\r\nif-none-match: {}\r\n", ETAG.to_ascii_lowercase()));
    let time = head.contains(&format!("\r\nif-modified-since: {}\r\n", MODIFIED.to_ascii_lowercase()));
    assert_eq!(tag, time, "{head}");
    tag
}

async fn synced(deck: &mut Deck, document: DocumentId) -> Outcome {
    let before = deck.seen.len();
    deck.sync(document).await;
    deck.until(before + 1).await;
    deck.seen[before].clone()
}

async fn not_modified_is_unchanged_and_nothing_is_parsed(on: Backend) {
    let mut deck = Deck::start(on, site().await).await;
    let document = deck.add("/a").await;
    let first = synced(&mut deck, document).await;
    assert_eq!((first.content, was_conditional(&deck, "/a")), (Some(ContentChange::First), false));
    deck.pass(DAY);
    let second = synced(&mut deck, document).await;
    assert!(was_conditional(&deck, "/a"));
    assert_eq!(second.result.word(), "unchanged");
    assert_eq!((second.content, second.http_status, second.bytes), (Some(ContentChange::NotModified), Some(304), None));
    let row = deck.row(document).await;
    assert_eq!((row.status, row.synced_at), (Status::Synced, Some(START.plus(DAY))));
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n"));
    assert!(deck.store.versions(document).await.expect("the store answers").is_empty());
}

async fn the_page_is_fetched_whole_after_a_week_whatever_was_said_meanwhile(on: Backend) {
    let site = Site::start(|_, hit| if hit == 3 || hit == 4 { Reply::Status(304, vec![]) } else { page("words") });
    let mut deck = Deck::start(on, site.await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    // A server that ignores validators sends the whole page: nothing has changed, and the week starts again.
    deck.pass(DAY);
    assert_eq!(synced(&mut deck, document).await.content, Some(ContentChange::Identical));
    deck.pass(FULL_FETCH_INTERVAL - DAY);
    assert_eq!(synced(&mut deck, document).await.content, Some(ContentChange::NotModified));
    deck.pass(DAY - Duration::from_micros(1));
    assert_eq!(synced(&mut deck, document).await.content, Some(ContentChange::NotModified));
    deck.pass_between_claims(Duration::from_micros(1)).await;
    assert_eq!(synced(&mut deck, document).await.content, Some(ContentChange::Identical));
    assert!(!was_conditional(&deck, "/a"));
}

async fn sync_force_asks_for_the_whole_page(on: Backend) {
    let site = Site::start(|_, hit| match hit {
        2 => Reply::Status(503, vec![]),
        _ => page("words"),
    });
    let mut deck = Deck::start(on, site.await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    deck.ask(document, RequestKind::SyncWhole, Manual, RequestScope::Named).await;
    assert_eq!(deck.until(2).await, ["transient_failure"]);
    assert!(!was_conditional(&deck, "/a"));
    // Retries of such a job fetch the whole page too; the next job is conditional again.
    deck.wait_for_next();
    deck.until(3).await;
    assert_eq!((deck.site.hits("/a"), was_conditional(&deck, "/a")), (3, false));
    synced(&mut deck, document).await;
    assert!(was_conditional(&deck, "/a"));
}

async fn sync_force_on_a_waiting_job_makes_it_whole(on: Backend) {
    let site = Site::start(|_, hit| if hit == 2 { Reply::Status(503, vec![]) } else { page("words") });
    let mut deck = Deck::start(on, site.await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    synced(&mut deck, document).await;
    assert!(was_conditional(&deck, "/a"));
    deck.ask(document, RequestKind::SyncWhole, Manual, RequestScope::Named).await;
    deck.until(3).await;
    assert!(!was_conditional(&deck, "/a"));
}

async fn a_text_that_another_program_wrote_is_not_what_the_server_is_asked_about(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| page("words")).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    let theirs = deck.place.either(
        "json_set(metadata, '$.content_fingerprint', 'theirs')",
        "metadata || '{\"content_fingerprint\": \"theirs\"}'",
    );
    deck.sql(&format!("update captain_documents set content = 'theirs', metadata = {theirs}")).await;
    assert_eq!(synced(&mut deck, document).await.content, Some(ContentChange::Changed));
    assert!(!was_conditional(&deck, "/a"));
    // Nor is a request conditional if the stored text is gone.
    deck.sql("update captain_documents set content = null").await;
    assert_eq!(synced(&mut deck, document).await.content, Some(ContentChange::First));
    assert!(!was_conditional(&deck, "/a"));
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n"));
}

async fn not_modified_without_having_been_asked_is_a_failure(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| Reply::Status(304, vec![])).await).await;
    let document = deck.add("/a").await;
    let outcome = synced(&mut deck, document).await;
    assert_eq!((outcome.result.word(), outcome.error_code), ("permanent_failure", Some(ErrorCode::FetchFailed)));
    let detail = outcome.detail.expect("a reason");
    assert_eq!(detail.as_str(), "304 Not Modified, although the whole page was requested");
    assert_eq!(deck.content(document).await, None);
}

on_both! {
    ()
    not_modified_is_unchanged_and_nothing_is_parsed,
    the_page_is_fetched_whole_after_a_week_whatever_was_said_meanwhile,
    sync_force_asks_for_the_whole_page,
    sync_force_on_a_waiting_job_makes_it_whole,
    a_text_that_another_program_wrote_is_not_what_the_server_is_asked_about,
    not_modified_without_having_been_asked_is_a_failure,
}
