//! Tests that Markdown is taken from hosts that offer it, as long as it is not poorer than the HTML.

use crate::store::postgres::chatwoot;
use crate::support::deck::{Deck, fetcher_with, parts, settings};
use crate::support::place::{Backend, Place};
use crate::support::site::{Reply, Site};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::representation::{MarkdownFinding, MarkdownVerdict};
use quarterdeck::domain::site_rule::{MarkdownUse, SiteRule, SiteRules};
use quarterdeck::fetch::FetchSettings;
use quarterdeck::runner::{self, Mode};
use quarterdeck::store::migrate;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

fn is_asked_for_markdown(head: &str) -> bool {
    head.contains("\r\naccept: text/markdown,")
}

fn html(extra: &str) -> Reply {
    let body =
        format!("<main><h1>The guide</h1><p>Install it first.</p><h2>Use</h2><p>Then use it. {extra}</p></main>");
    Reply::Page(vec![("etag", format!("\"h{extra}\""))], format!("<title>Guide - Acme</title>{body}"))
}

fn markdown(extra: &str) -> Reply {
    let text = format!("# The guide\n\nInstall *it* first.\n\n## Use\n\nThen [use](use.html) it. {extra}\n");
    Reply::Markdown(vec![("vary", "Accept".into()), ("etag", format!("\"m{extra}\""))], text)
}

/// Syncs a document and returns the outcome.
async fn sync(deck: &mut Deck, document: DocumentId) -> Outcome {
    let count = deck.seen.len() + 1;
    deck.sync(document).await;
    deck.until(count).await;
    deck.seen[count - 1].clone()
}

fn content_word(outcome: &Outcome) -> Option<&'static str> {
    outcome.content.map(|content| content.word())
}

async fn verdict(deck: &Deck) -> Option<(MarkdownVerdict, u32)> {
    let known = deck.store.host_markdown(&deck.site.host()).await.expect("the store answers");
    known.map(|known| (known.verdict, known.compared))
}

async fn three_pages_are_compared_and_then_markdown_alone_is_fetched(on: Backend) {
    let site =
        Site::start_by_head(|path, _, head| if is_asked_for_markdown(head) { markdown(path) } else { html(path) });
    let mut deck = Deck::start(on, site.await).await;
    for (path, hits, expected) in [
        ("/1", 2, (MarkdownVerdict::Open, 1)),
        ("/2", 2, (MarkdownVerdict::Open, 2)),
        ("/3", 2, (MarkdownVerdict::Markdown, 3)),
        ("/4", 1, (MarkdownVerdict::Markdown, 3)),
    ] {
        let document = deck.add(path).await;
        let outcome = sync(&mut deck, document).await;
        assert_eq!((content_word(&outcome), deck.site.hits(path)), (Some("first"), hits), "{path}");
        assert_eq!(verdict(&deck).await, Some(expected), "{path}");
        let text = deck.content(document).await.expect("a text");
        let link = deck.site.url("/use.html");
        assert_eq!(text, format!("# The guide\n\nInstall *it* first.\n\n## Use\n\nThen [use]({link}) it. {path}\n"));
        assert_eq!(deck.row(document).await.name.as_str(), "The guide");
    }
    // A month later one page is compared again.
    deck.pass_between_claims(31 * DAY).await;
    let document = deck.add("/5").await;
    sync(&mut deck, document).await;
    assert_eq!((deck.site.hits("/5"), verdict(&deck).await), (2, Some((MarkdownVerdict::Markdown, 4))));
}

/// The host begins to offer Markdown; the pages stay the same, and then one changes.
async fn a_switch_is_no_change_and_validators_stay_with_their_representation(on: Backend) {
    let stage = Arc::new(AtomicU32::new(0));
    let site = Site::start_by_head({
        let stage = Arc::clone(&stage);
        move |path, _, head| {
            let stage = stage.load(Ordering::SeqCst);
            let extra = if stage == 2 && path == "/2" { "Much has changed." } else { path };
            let is_markdown = stage > 0 && is_asked_for_markdown(head);
            let etag = format!("\"{}{extra}\"", if is_markdown { 'm' } else { 'h' });
            match (head.contains(&format!("if-none-match: {}", etag.to_ascii_lowercase())), is_markdown) {
                (true, _) => Reply::Status(304, vec![]),
                // Words that the HTML does not have.
                (false, true) if path == "/3" => markdown(&format!("{extra} More by hand.")),
                (false, true) => markdown(extra),
                (false, false) => html(extra),
            }
        }
    });
    let mut deck = Deck::start(on, site.await).await;
    let mut documents = Vec::new();
    for path in ["/1", "/2", "/3"] {
        let document = deck.add(path).await;
        assert_eq!(content_word(&sync(&mut deck, document).await), Some("first"));
        assert_eq!(content_word(&sync(&mut deck, document).await), Some("not_modified"), "{path}");
        documents.push(document);
    }
    assert_eq!(verdict(&deck).await, None, "nothing is kept of a host that ignores the request");
    stage.store(1, Ordering::SeqCst);
    // A conditional request for the stored representation costs least.
    assert_eq!(content_word(&sync(&mut deck, documents[0]).await), Some("not_modified"));
    deck.pass_between_claims(8 * DAY).await;
    for document in &documents {
        let outcome = sync(&mut deck, *document).await;
        assert_eq!((outcome.result.word(), content_word(&outcome)), ("unchanged", Some("same")), "{outcome:?}");
        let detail = outcome.detail.as_deref();
        assert_eq!(detail, Some("from the server's Markdown, no more from its HTML"));
        assert!(deck.content(*document).await.expect("a text").contains("*it*"));
    }
    assert_eq!(verdict(&deck).await, Some((MarkdownVerdict::Markdown, 3)));
    assert_eq!(content_word(&sync(&mut deck, documents[0]).await), Some("not_modified"), "by the Markdown's own tag");
    stage.store(2, Ordering::SeqCst);
    let outcome = sync(&mut deck, documents[1]).await;
    assert_eq!((outcome.result.word(), content_word(&outcome)), ("updated", Some("changed")));
    // The Markdown is gone: the HTML has the same words.
    stage.store(0, Ordering::SeqCst);
    let outcome = sync(&mut deck, documents[0]).await;
    assert_eq!((outcome.result.word(), content_word(&outcome)), ("unchanged", Some("same")), "{outcome:?}");
    assert_eq!(outcome.detail.as_deref(), Some("from the HTML, no more from the server's Markdown"));
}

/// Documents that were fetched before the host's Markdown was found fit are switched one by one, by Markdown alone.
async fn a_later_switch_is_judged_by_the_page_before(on: Backend) {
    let offers = Arc::new(AtomicU32::new(0));
    let site = Site::start_by_head({
        let offers = Arc::clone(&offers);
        move |path, _, head| match (offers.load(Ordering::SeqCst) > 0 && is_asked_for_markdown(head), path) {
            (true, "/old") => markdown("More by hand."),
            (true, "/changed") => markdown("Changed."),
            (false, "/changed") if offers.load(Ordering::SeqCst) > 0 => html("Changed."),
            (true, _) => markdown(path),
            (false, _) => html(""),
        }
    });
    let mut deck = Deck::start(on, site.await).await;
    let (old, changed) = (deck.add("/old").await, deck.add("/changed").await);
    sync(&mut deck, old).await;
    sync(&mut deck, changed).await;
    offers.store(1, Ordering::SeqCst);
    for path in ["/1", "/2", "/3"] {
        let document = deck.add(path).await;
        sync(&mut deck, document).await;
    }
    let before = deck.site.hits("/old");
    let outcome = sync(&mut deck, old).await;
    assert_eq!((outcome.result.word(), content_word(&outcome)), ("unchanged", Some("same")), "{outcome:?}");
    assert_eq!(deck.site.hits("/old") - before, 2, "the Markdown, and the HTML once to compare");
    let outcome = sync(&mut deck, changed).await;
    assert_eq!((outcome.result.word(), content_word(&outcome)), ("updated", Some("changed")), "{outcome:?}");
}

/// A host whose two representations have validators of their own, through a switch to Markdown and back.
async fn validators_are_sent_only_for_their_own_representation(on: Backend) {
    const DATES: [&str; 2] = ["Sun, 01 Nov 2026 00:00:00 GMT", "Mon, 02 Nov 2026 00:00:00 GMT"];
    let (offers, heads) = (Arc::new(AtomicU32::new(0)), Arc::new(Mutex::new(Vec::new())));
    let site = Site::start_by_head({
        let (offers, heads) = (Arc::clone(&offers), Arc::clone(&heads));
        move |path, _, head| {
            heads.lock().expect("no panic").push((path.to_owned(), head.to_owned()));
            let dated = |date: &str| ("last-modified", date.to_owned());
            match (offers.load(Ordering::SeqCst) > 0 && is_asked_for_markdown(head), html(path), markdown(path)) {
                (true, _, _) if head.contains("if-none-match: \"m") => Reply::Status(304, vec![]),
                (true, _, Reply::Markdown(mut headers, text)) => {
                    headers.push(dated(DATES[1]));
                    Reply::Markdown(headers, text)
                }
                (_, Reply::Page(mut headers, text), _) => {
                    headers.push(dated(DATES[0]));
                    Reply::Page(headers, text)
                }
                _ => Reply::Status(500, vec![]),
            }
        }
    });
    let mut deck = Deck::start(on, site.await).await;
    let old = deck.add("/old").await;
    sync(&mut deck, old).await;
    offers.store(1, Ordering::SeqCst);
    let mut documents = Vec::new();
    for path in ["/1", "/2", "/3"] {
        documents.push(deck.add(path).await);
        sync(&mut deck, documents[documents.len() - 1]).await;
    }
    assert_eq!(content_word(&sync(&mut deck, documents[0]).await), Some("not_modified"), "by the Markdown's own tag");
    assert_eq!(content_word(&sync(&mut deck, old).await), Some("same"), "stored as HTML, and now fetched as Markdown");
    let host = deck.site.host();
    deck.store.record_markdown(&host, MarkdownFinding::Poorer).await.expect("the store answers");
    assert_eq!(verdict(&deck).await, Some((MarkdownVerdict::Html, 4)));
    deck.runner.leave();
    deck.runner.ended().await;
    let fetcher = fetcher_with(&[&deck.site], FetchSettings::default());
    deck.runner = runner::start(parts(&deck.store, fetcher, None), settings(), Mode::OnDemand);
    assert_eq!(content_word(&sync(&mut deck, documents[1]).await), Some("same"), "stored as Markdown, fetched as HTML");
    let heads = heads.lock().expect("no panic");
    let of_html = heads.iter().filter(|(path, head)| path == "/2" && !is_asked_for_markdown(head)).count();
    assert_eq!(of_html, 2, "for the comparison, and now: {heads:#?}");
    let of_other = |head: &str| {
        let (tag, date) = if is_asked_for_markdown(head) { ('h', DATES[0]) } else { ('m', DATES[1]) };
        head.contains(&format!("if-none-match: \"{tag}")) || head.contains(&date.to_ascii_lowercase())
    };
    let wrong: Vec<_> = heads.iter().filter(|(_, head)| of_other(head)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

async fn poorer_markdown_and_odd_answers_end_in_html(on: Backend) {
    let refusals: [fn() -> Reply; 4] = [
        || Reply::Markdown(vec![], "# Index\n\n- [Guide](guide)\n".into()),
        || Reply::Status(406, vec![]),
        || Reply::Status(500, vec![]),
        || Reply::Markdown(vec![], " \n".into()),
    ];
    for (index, refusal) in refusals.into_iter().enumerate() {
        let site =
            Site::start_by_head(move |path, _, head| if is_asked_for_markdown(head) { refusal() } else { html(path) });
        let mut deck = Deck::start(on, site.await).await;
        for (path, hits) in [("/1", 2), ("/2", 1)] {
            let document = deck.add(path).await;
            let outcome = sync(&mut deck, document).await;
            assert_eq!((content_word(&outcome), deck.site.hits(path)), (Some("first"), hits), "{index} {path}");
            assert!(deck.content(document).await.expect("a text").contains("Install it first."));
            assert!(!is_asked_for_markdown(&deck.site.head(path)), "{index} {path}");
        }
        assert_eq!(verdict(&deck).await, Some((MarkdownVerdict::Html, 1)), "{index}");
    }
}

async fn a_rule_that_needs_html_or_says_never_gets_html(on: Backend) {
    for rule in [
        SiteRule { markdown: MarkdownUse::Never, ..SiteRule::default() },
        SiteRule { include: vec!["main".into()], ..SiteRule::default() },
        SiteRule { ignore: vec!["x+".into()], ..SiteRule::default() },
    ] {
        let site =
            Site::start_by_head(|path, _, head| if is_asked_for_markdown(head) { markdown(path) } else { html(path) });
        let mut deck = Deck::start(on, site.await).await;
        deck.runner.leave();
        deck.runner.ended().await;
        let rule = SiteRule { host: Some(deck.site.host()), ..rule };
        let sites = SiteRules(vec![rule]);
        let fetcher = fetcher_with(&[&deck.site], FetchSettings { sites, ..FetchSettings::default() });
        deck.runner = runner::start(parts(&deck.store, fetcher, None), settings(), Mode::OnDemand);
        let document = deck.add("/1").await;
        sync(&mut deck, document).await;
        assert_eq!((deck.site.hits("/1"), is_asked_for_markdown(&deck.site.head("/1"))), (1, false));
        assert!(deck.content(document).await.expect("a text").contains("Install it first."));
    }
}

on_both! {
    ()
    three_pages_are_compared_and_then_markdown_alone_is_fetched,
    a_switch_is_no_change_and_validators_stay_with_their_representation,
    a_later_switch_is_judged_by_the_page_before,
    validators_are_sent_only_for_their_own_representation,
    poorer_markdown_and_odd_answers_end_in_html,
    a_rule_that_needs_html_or_says_never_gets_html,
}

/// On a Chatwoot database the texts are those that Chatwoot would store: of the HTML, whatever a server offers and
/// whatever is known of its host.
#[tokio::test]
async fn a_chatwoot_database_is_never_given_markdown() {
    let database = chatwoot().await;
    migrate(&database.url, false, &mut |_| {}).await.expect("a schema of our own");
    let site =
        Site::start_by_head(|path, _, head| if is_asked_for_markdown(head) { markdown(path) } else { html(path) });
    let place = Place::on(database);
    let mut deck = Deck::start_in(place, site.await, settings(), FetchSettings::default()).await;
    let host = deck.site.host();
    for _ in 0..4 {
        deck.store.record_markdown(&host, MarkdownFinding::Fits).await.expect("the store answers");
    }
    assert_eq!(verdict(&deck).await, Some((MarkdownVerdict::Markdown, 4)));
    for path in ["/1", "/2", "/3", "/4"] {
        let document = deck.add(path).await;
        for _ in 0..2 {
            sync(&mut deck, document).await;
            assert!(!deck.site.head(path).contains("text/markdown"), "{}", deck.site.head(path));
        }
        assert_eq!(deck.site.hits(path), 2, "one request for each sync");
        let text = deck.content(document).await.expect("a text");
        assert_eq!(text, format!("# The guide\n\nInstall it first.\n\n## Use\n\nThen use it. {path}\n\n"));
    }
    assert_eq!(verdict(&deck).await, Some((MarkdownVerdict::Markdown, 4)), "and nothing is compared");
}
