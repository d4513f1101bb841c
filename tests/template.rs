//! Tests the template of a host: blocks that stand on many of its pages are left out of texts, and a change in them is no
//! change of a page.
//!
//! Small by default; `QUARTERDECK_TEMPLATE_PAGES=1000 tests/run template` runs the full size.

use crate::store::postgres::chatwoot;
use crate::support::deck::{Deck, eager_settings};
use crate::support::limit;
use crate::support::place::{Backend, Place};
use crate::support::site::{Reply, Site};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::domain::site_rule::{SiteRule, SiteRules};
use quarterdeck::domain::template::Template;
use quarterdeck::fetch::{FetchSettings, explain};
use quarterdeck::store::migrate;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Returns the number of pages: from the environment, else few.
fn pages() -> usize {
    std::env::var("QUARTERDECK_TEMPLATE_PAGES").map_or(24, |pages| pages.parse().expect("a number"))
}

/// Returns a page whose frame, which no name gives away, is that of `round`. The words of its own are those of `edition`.
fn page(path: &str, round: u32, hit: u32, edition: u32) -> String {
    let name = path.trim_start_matches('/');
    let word = ["amber", "birch", "cedar", "delta", "ember"][round as usize % 5];
    format!(
        "<html><head><title>{name}</title></head><body><div class=c{round}><main><div class=x-a><ul>\
         <li><a href=/{word}>All {word}</a></li><li><a href=/new>New in {word}</a></li></ul></div>\
         <div class=x-b><p>Day {round} of the {word} week</p></div>\
         <h1>Number {name}</h1><p>Station {name} opened in the year {}, long before the line was built.</p>\
         <p>Its keeper, {name}, lives there with his family and tells of {} winters.</p>\
         <p>The {name} gauge is read every morning, and the book of {name} has all of the figures.</p>\
         <div class=x-c><h3>Offer {word}</h3><p>Buy our {word} maps while they last.</p></div>\
         <div class=x-d><p>You are visitor {} of this site</p></div>\
         <div class=x-e><p>This {word} site stores cookies.</p></div></main></div></body></html>",
        1000 + name.len(),
        edition + 3,
        17 + hit * 13 + name.len() as u32,
    )
}

/// A deck with many pages of one host, whose frame and content the test changes.
struct Host {
    deck: Deck,
    documents: Vec<DocumentId>,
    round: Arc<AtomicU32>,
    edition: Arc<AtomicU32>,
    /// True once the counter on the pages stands still.
    is_still: Arc<AtomicBool>,
}

impl Host {
    async fn start(on: Backend, pages: usize) -> Self {
        Self::start_in(Place::new(on).await, pages, FetchSettings::default()).await
    }

    async fn start_in(place: Place, pages: usize, fetch: FetchSettings) -> Self {
        let (round, edition) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let (now, text, is_still) = (Arc::clone(&round), Arc::clone(&edition), Arc::new(AtomicBool::new(false)));
        let still = Arc::clone(&is_still);
        let site = Site::start(move |path, hit| {
            let hit = if still.load(Ordering::Relaxed) { 1 } else { hit };
            Reply::Html(page(path, now.load(Ordering::Relaxed), hit, text.load(Ordering::Relaxed)))
        });
        let deck = Deck::start_in(place, site.await, eager_settings(), fetch).await;
        let mut documents = Vec::new();
        for number in 0..pages {
            documents.push(deck.add(&format!("/p{number}x")).await);
        }
        Self { deck, documents, round, edition, is_still }
    }

    /// Syncs all documents; returns how often each result and change was recorded.
    async fn sync(&mut self) -> BTreeMap<(&'static str, &'static str), usize> {
        self.deck.pass(DAY);
        let request = Request {
            kind: RequestKind::Sync,
            class: QueueClass::Manual,
            by: "ana".into(),
            scope: RequestScope::Named,
        };
        let before = self.deck.seen.len();
        for some in self.documents.chunks(200) {
            self.deck.store.request(some, &request).await.expect("the store answers");
        }
        self.deck.runner.wake();
        self.deck.until(before + self.documents.len()).await;
        let mut counts = BTreeMap::new();
        for outcome in &self.deck.seen[before..] {
            let content = outcome.content.map_or("none", ContentChange::word);
            *counts.entry((outcome.result.word(), content)).or_default() += 1;
        }
        counts
    }

    async fn text(&self, index: usize) -> String {
        self.deck.content(self.documents[index]).await.expect("a text")
    }

    /// Waits until the template of the host satisfies `is`; folds are announced to nobody.
    async fn until_template(&self, is: impl Fn(&Template) -> bool) -> Template {
        let host = self.deck.site.host();
        limit::until("another template", async || {
            self.deck.store.template(&host).await.expect("the store answers").filter(|template| is(template))
        })
        .await
    }

    fn next_frame(&self) {
        self.round.fetch_add(1, Ordering::Relaxed);
    }

    fn next_text(&self) {
        self.edition.fetch_add(1, Ordering::Relaxed);
    }
}

fn all<const N: usize>(
    counts: [((&'static str, &'static str), usize); N],
) -> BTreeMap<(&'static str, &'static str), usize> {
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

const FRAME: [&str; 6] = ["All", "New in", "Day", "maps", "visitor", "cookies"];

fn has_frame(text: &str) -> bool {
    FRAME.iter().any(|words| text.contains(words))
}

async fn a_change_of_the_frame_alone_is_never_an_update(on: Backend) {
    let mut host = Host::start(on, pages()).await;
    let count = host.documents.len();
    assert_eq!(host.sync().await, all([(("unchanged", "first"), count)]));
    assert!(has_frame(&host.text(0).await), "the frame is not recognised otherwise: {}", host.text(0).await);
    host.until_template(|template| template.len() >= FRAME.len()).await;
    // Documents that were stored before the template are fetched whole, and stored quietly.
    let counts = host.sync().await;
    assert_eq!(counts, all([(("unchanged", "same"), count)]), "no 304, no identical page, no update");
    for index in [0, count / 2, count - 1] {
        let text = host.text(index).await;
        assert!(!has_frame(&text) && text.starts_with("# Number p"), "{text}");
    }
    for _ in 0..2 {
        host.next_frame();
        assert_eq!(host.sync().await, all([(("unchanged", "same"), count)]), "the frame has changed on all pages");
        assert!(!has_frame(&host.text(0).await), "{}", host.text(0).await);
    }
    host.next_text();
    assert_eq!(host.sync().await, all([(("updated", "changed"), count)]), "one sentence has changed on all pages");
    host.next_frame();
    host.next_text();
    assert_eq!(host.sync().await, all([(("updated", "changed"), count)]), "and again, together with the frame");
}

async fn hosts_with_two_pages_have_no_template(on: Backend) {
    let mut host = Host::start(on, 2).await;
    for round in 0..3 {
        let counts = host.sync().await;
        let expected = if round == 0 { ("unchanged", "first") } else { ("updated", "changed") };
        assert_eq!(counts, all([(expected, 2)]));
        host.next_frame();
    }
    limit::until("a fold", async || {
        let counts = host.deck.store.template_counts().await.expect("the store answers");
        (counts.sampled == 1).then_some(())
    })
    .await;
    assert_eq!(host.deck.store.template(&host.deck.site.host()).await.expect("the store answers"), None);
    assert!(has_frame(&host.text(0).await));
}

async fn an_identical_body_counts_while_its_template_is_current(on: Backend) {
    let mut host = Host::start(on, 4).await;
    host.is_still.store(true, Ordering::Relaxed);
    assert_eq!(host.sync().await, all([(("unchanged", "first"), 4)]));
    let first = host.until_template(|template| template.pages() == 4).await;
    // A slow machine may have folded before the last of them was stored.
    let stored_before = host.deck.store.template_counts().await.expect("the store answers");
    assert_eq!((stored_before.hosts, stored_before.sampled), (1, 1));
    let counts = host.sync().await;
    assert!(counts.get(&("unchanged", "same")).is_some_and(|same| *same >= 3), "fetched whole once: {counts:?}");
    assert!(!has_frame(&host.text(0).await));
    assert_eq!(host.sync().await, all([(("unchanged", "identical"), 4)]));
    assert!(host.deck.store.forget_template(&host.deck.site.host()).await.expect("the store answers"));
    let forgotten = host.until_template(|template| template.is_empty()).await;
    assert!(forgotten.version > first.version);
    assert_eq!(host.sync().await, all([(("unchanged", "same"), 4)]), "converted again, and the frame is no update");
    host.until_template(|template| template.pages() == 4).await;
    let counts = host.sync().await;
    assert_eq!(counts.keys().filter(|(result, _)| *result != "unchanged").count(), 0, "{counts:?}");
    assert!(!has_frame(&host.text(0).await), "learned anew");
}

async fn a_site_rule_that_names_the_content_wins(on: Backend) {
    let rule = |id| SiteRule { document: Some(DocumentId(id)), include: vec!["main".into()], ..SiteRule::default() };
    let fetch = FetchSettings { sites: SiteRules((1..=5).map(rule).collect()), ..FetchSettings::default() };
    let mut host = Host::start_in(Place::new(on).await, 5, fetch).await;
    host.sync().await;
    host.next_frame();
    assert_eq!(host.sync().await, all([(("updated", "changed"), 5)]));
    assert!(has_frame(&host.text(0).await));
    let counts = host.deck.store.template_counts().await.expect("the store answers");
    assert_eq!(counts.sampled, 0, "and its pages are no sample");
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_change_of_the_frame_alone_is_never_an_update,
    hosts_with_two_pages_have_no_template,
    an_identical_body_counts_while_its_template_is_current,
    a_site_rule_that_names_the_content_wins,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chatwoots_texts_stay_whole_and_only_the_decision_is_made_without_the_frame() {
    let database = chatwoot().await;
    migrate(&database.url, false, &mut |_| {}).await.expect("a schema of our own");
    let mut host = Host::start_in(Place::on(database), pages(), FetchSettings::default()).await;
    let count = host.documents.len();
    assert_eq!(host.sync().await, all([(("unchanged", "first"), count)]));
    let first = host.text(0).await;
    assert!(has_frame(&first));
    let learned = host.until_template(|template| template.len() >= FRAME.len()).await;
    // In a store of our own these texts, which are older than the template, would be replaced without a report.
    host.next_frame();
    assert_eq!(host.sync().await, all([(("unchanged", "same"), count)]));
    assert_eq!(host.text(0).await, first);
    host.until_template(|template| template.version > learned.version).await;
    // The template knows this frame, and would leave it out of the text that is written.
    host.next_text();
    assert_eq!(host.sync().await, all([(("updated", "changed"), count)]));
    let first = host.text(0).await;
    assert!(FRAME.iter().all(|words| first.contains(words)), "{first}");
    for changes in 0..2 {
        assert_eq!(host.sync().await, all([(("unchanged", "same"), count)]), "the frame has changed {changes} times");
        assert_eq!(host.text(0).await, first);
        host.next_frame();
    }
    host.next_text();
    assert_eq!(host.sync().await, all([(("updated", "changed"), count)]));
    let second = host.text(0).await;
    assert!(has_frame(&second) && second.contains("delta"), "the text is whole: {second}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_template_leaves_out_is_explained() {
    let mut host = Host::start(Backend::Sqlite, 5).await;
    host.sync().await;
    let template = host.until_template(|template| template.pages() == 5).await;
    let html = page("/p0x", 0, 9, 0);
    let plain = explain(&html, None).expect("a page");
    let report = explain(&html, Some(&template)).expect("a page");
    let by_template: Vec<_> = report.dropped[plain.dropped.len()..].iter().collect();
    assert!(by_template.iter().all(|one| one.reason == "stands on 5 of 5 pages of this host"), "{by_template:#?}");
    let elements: Vec<_> = by_template.iter().map(|one| one.element.as_str()).collect();
    assert_eq!(elements, ["li", "li", "p", "h3", "p", "p", "p"]);
    assert_eq!(by_template[0].text.as_str(), "All amber");
    assert!(plain.dropped.iter().all(|one| !one.text.is_empty()), "{plain:#?}");
    assert!(by_template[0].linked > 0.99 && by_template[2].linked < 0.01, "{by_template:#?}");
}
