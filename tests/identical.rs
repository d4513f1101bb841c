//! Tests identical bodies: a page that is fetched whole and has not changed by a byte is not converted, unless
//! something else that its text depends on has changed.
//!
//! That nothing was converted is shown by [`TEXTLESS`]: its conversion always fails.

use crate::support::deck::{Deck, START, fetcher, fetcher_with, parts, settings};
use crate::support::place::Backend;
use crate::support::site::{Reply, Site};
use quarterdeck::domain::body_digest::{BodyDigest, BodyHasher, ConversionInputs};
use quarterdeck::domain::content::{ContentChange, ConverterVersion, FULL_FETCH_INTERVAL};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass::Manual;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{RequestKind, RequestScope};
use quarterdeck::domain::site_rule::{SiteRule, SiteRules};
use quarterdeck::fetch::{CONVERTER_VERSION, FetchSettings, Fetcher};
use quarterdeck::runner::{self, Mode};
use quarterdeck::store::{Decision, DecisionResult, ReviewTarget};
use std::sync::Arc;
use std::time::Duration;

const PAGE: &str = "<title>T</title><main><p>words</p><p class=offer>Buy!</p></main>";
const OTHER: &str = "<title>T</title><main><p>other words</p></main>";
const LOGIN: &str = "<title>Sign in</title><main><p>Password</p></main>";
/// A page whose conversion fails.
const TEXTLESS: &str = "<title>T</title><script>made by a script</script>";
const DAY: Duration = Duration::from_secs(86_400);

/// Serves the page of a hit's number, from 1; the last one from then on.
async fn site(pages: &'static [&'static str]) -> Site {
    Site::start(|_, hit| Reply::Html(pages[pages.len().min(hit as usize) - 1].to_owned())).await
}

async fn synced(deck: &mut Deck, document: DocumentId) -> Outcome {
    requested(deck, document, RequestKind::Sync).await
}

async fn requested(deck: &mut Deck, document: DocumentId, kind: RequestKind) -> Outcome {
    let before = deck.seen.len();
    deck.ask(document, kind, Manual, RequestScope::Named).await;
    deck.until(before + 1).await;
    deck.seen[before].clone()
}

async fn content_of(deck: &mut Deck, document: DocumentId) -> Option<ContentChange> {
    synced(deck, document).await.content
}

/// Returns the digest of an HTML page of the site, converted by `converter`.
fn digest(deck: &Deck, path: &str, body: &str, converter: ConverterVersion) -> BodyDigest {
    let inputs = ConversionInputs { converter, content_type: b"text/html", encoding: b"", url: &deck.site.url(path) };
    let mut hasher = BodyHasher::new(&inputs);
    hasher.update(body.as_bytes());
    hasher.finish()
}

/// Returns the version of this program's converter without site rules.
fn current() -> ConverterVersion {
    ConverterVersion::new(CONVERTER_VERSION, "")
}

async fn stored_digest(deck: &Deck) -> Option<String> {
    deck.text("select body_digest from document_state").await
}

async fn store_digest(deck: &Deck, digest: &BodyDigest) {
    deck.sql(&format!("update document_state set body_digest = '{}'", digest.as_str())).await;
}

async fn an_identical_body_is_unchanged(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE]).await).await;
    let document = deck.add("/a").await;
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::First));
    assert_eq!(stored_digest(&deck).await.as_deref(), Some(digest(&deck, "/a", PAGE, current()).as_str()));
    deck.pass(DAY);
    let second = synced(&mut deck, document).await;
    assert_eq!((second.result, second.content), (OutcomeResult::Unchanged, Some(ContentChange::Identical)));
    assert_eq!((second.http_status, second.bytes), (Some(200), Some(PAGE.len() as u64)));
    assert_eq!(second.detail.as_deref(), Some("identical page, not converted"));
    let json: serde_json::Value = serde_json::from_str(&second.json()).expect("JSON");
    assert_eq!((&json["result"], &json["content"]), (&"unchanged".into(), &"identical".into()));
    let row = deck.row(document).await;
    assert_eq!((row.status, row.synced_at, row.versions), (Status::Synced, Some(START.plus(DAY)), 0));
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n\nBuy!\n"));
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical), "and so on");
}

async fn an_identical_body_is_not_converted(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE, TEXTLESS]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    store_digest(&deck, &digest(&deck, "/a", TEXTLESS, current())).await;
    let second = synced(&mut deck, document).await;
    assert_eq!((second.content, second.bytes), (Some(ContentChange::Identical), Some(TEXTLESS.len() as u64)));
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n\nBuy!\n"));
    let forced = requested(&mut deck, document, RequestKind::SyncWhole).await;
    assert_eq!(forced.result, OutcomeResult::PermanentFailure, "the conversion does fail: {forced:?}");
}

async fn a_changed_body_is_converted_and_is_the_next_one_to_compare_with(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE, OTHER, OTHER, PAGE, PAGE]).await).await;
    let document = deck.add("/a").await;
    let mut changes = Vec::new();
    for _ in 0..5 {
        changes.extend(content_of(&mut deck, document).await);
    }
    use ContentChange::{Changed, First, Identical};
    assert_eq!(changes, [First, Changed, Identical, Changed, Identical]);
    // Another body with the same text is converted once.
    let mut deck = Deck::start(on, site(&[PAGE, "<title>T</title><p>words<p>Buy!"]).await).await;
    let document = deck.add("/a").await;
    for change in [First, ContentChange::Same, Identical] {
        assert_eq!(content_of(&mut deck, document).await, Some(change));
    }
}

async fn an_identical_body_brings_its_validators_and_counts_as_a_full_fetch(on: Backend) {
    let site = Site::start(|_, hit| Reply::Page(vec![("etag", format!("\"{hit}\""))], PAGE.to_owned())).await;
    let mut deck = Deck::start(on, site).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    for hit in [1, 2] {
        deck.pass(FULL_FETCH_INTERVAL - DAY);
        assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
        let head = deck.site.head("/a");
        assert!(head.contains(&format!("\r\nif-none-match: \"{hit}\"\r\n")), "{head}");
    }
    // A week later the page is fetched without validators, and still not converted.
    deck.pass_between_claims(FULL_FETCH_INTERVAL).await;
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
    assert!(!deck.site.head("/a").contains("if-none-match"));
    synced(&mut deck, document).await;
    assert!(deck.site.head("/a").contains("\r\nif-none-match: \"4\"\r\n"));
}

async fn another_converter_converts_again(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    let before = ConverterVersion::new(CONVERTER_VERSION - 1, "");
    store_digest(&deck, &digest(&deck, "/a", PAGE, before)).await;
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Same));
    assert_eq!(stored_digest(&deck).await.as_deref(), Some(digest(&deck, "/a", PAGE, current()).as_str()));
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
}

async fn other_site_rules_convert_again(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    let rule = SiteRule { host: Some(deck.site.host()), exclude: vec![".offer".to_owned()], ..SiteRule::default() };
    let with_rule =
        fetcher_with(&[&deck.site], FetchSettings { sites: SiteRules(vec![rule]), ..FetchSettings::default() });
    restart(&mut deck, with_rule).await;
    let second = synced(&mut deck, document).await;
    // Read back as `Same`, which has the same word.
    assert_eq!(
        second.detail.as_deref(),
        Some("converted again: the converter, the site rules or the host's template changed")
    );
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n"));
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
    let without = fetcher(&deck.site);
    restart(&mut deck, without).await;
    synced(&mut deck, document).await;
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n\nBuy!\n"));
}

/// Replaces the runner by one that fetches with `fetcher`.
async fn restart(deck: &mut Deck, fetcher: Arc<Fetcher>) {
    deck.runner.leave();
    deck.runner.ended().await;
    deck.runner = runner::start(parts(&deck.store, fetcher, None), settings(), Mode::OnDemand);
}

async fn sync_force_converts(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    let forced = requested(&mut deck, document, RequestKind::SyncWhole).await;
    assert_eq!((forced.content, forced.detail), (Some(ContentChange::Same), None));
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
}

async fn a_text_of_another_program_is_compared_with_the_converted_page(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    let theirs = deck.place.either(
        "json_set(metadata, '$.content_fingerprint', 'theirs')",
        "metadata || '{\"content_fingerprint\": \"theirs\"}'",
    );
    deck.sql(&format!("update captain_documents set content = 'theirs', metadata = {theirs}")).await;
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Changed));
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n\nBuy!\n"));
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
    deck.sql("update captain_documents set content = null").await;
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::First));
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n\nBuy!\n"));
}

async fn a_quarantined_text_is_judged_each_time(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE, LOGIN, LOGIN, PAGE, LOGIN, LOGIN, LOGIN]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    for _ in 0..2 {
        let suspect = synced(&mut deck, document).await;
        assert_eq!(suspect.content, Some(ContentChange::Quarantined));
        assert_eq!(suspect.detail.as_deref(), Some("needs review: it looks like a login page"));
    }
    assert!(deck.row(document).await.quarantine_reason.is_some());
    // The page is back, identical to the one that the stored text came from: that ends the review.
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
    assert_eq!(deck.row(document).await.quarantine_reason, None);
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Quarantined));
    let texts = [ReviewTarget { document, fingerprint: None }];
    let decided = deck.store.decide(&texts, Decision::Accept, &"ana".into()).await.expect("the store answers");
    assert_eq!((decided, deck.until(deck.seen.len() + 1).await), (vec![DecisionResult::Done], vec!["updated"]));
    // The accepted text came from a body whose digest was not kept.
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Same));
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Identical));
}

async fn an_accepted_text_has_no_digest_of_the_page_before(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE, LOGIN, PAGE]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    synced(&mut deck, document).await;
    let texts = [ReviewTarget { document, fingerprint: None }];
    deck.store.decide(&texts, Decision::Accept, &"ana".into()).await.expect("the store answers");
    assert_eq!(deck.until(3).await, ["updated"]);
    assert_eq!(content_of(&mut deck, document).await, Some(ContentChange::Changed));
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n\nBuy!\n"));
}

async fn a_rejected_text_stays_rejected(on: Backend) {
    let mut deck = Deck::start(on, site(&[PAGE, LOGIN]).await).await;
    let document = deck.add("/a").await;
    synced(&mut deck, document).await;
    synced(&mut deck, document).await;
    let texts = [ReviewTarget { document, fingerprint: None }];
    deck.store.decide(&texts, Decision::Reject, &"ana".into()).await.expect("the store answers");
    for _ in 0..2 {
        let rejected = synced(&mut deck, document).await;
        assert_eq!(rejected.detail.as_deref(), Some("needs review: it is the text that was rejected before"));
    }
    assert_eq!(deck.content(document).await.as_deref(), Some("words\n\nBuy!\n"));
}

on_both! {
    ()
    an_identical_body_is_unchanged,
    an_identical_body_is_not_converted,
    a_changed_body_is_converted_and_is_the_next_one_to_compare_with,
    an_identical_body_brings_its_validators_and_counts_as_a_full_fetch,
    another_converter_converts_again,
    other_site_rules_convert_again,
    sync_force_converts,
    a_text_of_another_program_is_compared_with_the_converted_page,
    a_quarantined_text_is_judged_each_time,
    an_accepted_text_has_no_digest_of_the_page_before,
    a_rejected_text_stays_rejected,
}
