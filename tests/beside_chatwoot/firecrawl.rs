//! Tests pages that Chatwoot fetches by Firecrawl, whose API a double plays in both of its versions: what has not changed
//! is never written, and a text that was fetched in another way waits for review.

use super::{EDITIONS, Parser, Scene, quoted};
use crate::support::install::Install;
use crate::support::site::{Reply, Site};
use quarterdeck::domain::fingerprint::Fingerprint;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Chatwoot's table of settings, and that of its migrations.
pub(super) const SETTINGS: &str = "CREATE TABLE installation_configs (id bigserial PRIMARY KEY, name varchar NOT NULL, \
     serialized_value jsonb); CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);";
pub(super) const KEY: &str = "fc-0123456789abcdef";

/// Texts of the two editions by Firecrawl, with other marks than those of Chatwoot's converter, and without a link that
/// would show what has fetched the page.
pub(super) const TEXTS: [&str; 2] = [
    "Paying by *card*\n===\n\nWe accept all cards. See the prices.",
    "Paying by *card*\n===\n\nWe accept all cards but one. See the prices.",
];

/// Response of Firecrawl's API, in the form of version 1 or 2.
fn scraped(version: u8, markdown: &str) -> Reply {
    let mut metadata = json!({ "title": "Paying by card", "statusCode": 200, "sourceURL": "https://pay.test/p" });
    if version == 2 {
        metadata["url"] = json!("https://pay.test/p");
        metadata["cacheState"] = json!("miss");
    }
    Reply::Html(json!({ "success": true, "data": { "markdown": markdown, "metadata": metadata } }).to_string())
}

impl Scene {
    /// Starts a Chatwoot that has a page and uses Firecrawl. `own` are further settings of this program.
    pub(super) async fn with_firecrawl(own: &str) -> Self {
        let mut scene = Self::start(Parser::MainPart, 1).await;
        let edition = Arc::new(AtomicUsize::new(0));
        let served = Arc::clone(&edition);
        let site = Site::start(move |path, _| {
            let edition = served.load(Ordering::SeqCst);
            match path {
                "/v1/scrape" => scraped(1, TEXTS[edition]),
                "/v2/scrape" => scraped(2, TEXTS[edition]),
                _ => Reply::Html(EDITIONS[edition].html.to_owned()),
            }
        });
        let site = site.await;
        let settings = format!("fetch.firecrawl.url = \"{}\"\n{own}", site.url(""));
        scene.install = Install::new(site, &settings);
        (scene.edition, scene.by_firecrawl) = (edition, Some(TEXTS));
        let url = scene.install.site.url("/p1");
        scene.database.script(SETTINGS).await;
        scene.database.script(&format!("UPDATE captain_documents SET external_link = '{url}'")).await;
        scene.configure("CAPTAIN_FIRECRAWL_API_KEY", KEY).await;
        scene.stores(TEXTS[0], true).await;
        scene
    }

    /// Sets one of Chatwoot's settings.
    pub(super) async fn configure(&self, name: &str, value: &str) {
        let set = "DELETE FROM installation_configs WHERE name = 'NAME'; INSERT INTO installation_configs (name, \
             serialized_value) VALUES ('NAME', jsonb_build_object('value', 'WORD'))";
        self.database.script(&set.replace("NAME", name).replace("WORD", value)).await;
    }

    /// Stores a text as one of Chatwoot's, with or without its fingerprint, and forgets the writes of texts.
    async fn stores(&self, text: &str, with_fingerprint: bool) {
        let metadata = match with_fingerprint {
            true => json!({ "content_fingerprint": Fingerprint::of(text).as_str() }),
            false => json!({}),
        };
        let set = format!("content = {}, metadata = '{metadata}'", quoted(text));
        self.database.script(&format!("UPDATE captain_documents SET {set}; DELETE FROM text_writes")).await;
    }

    /// Asserts that nothing was written and no FAQ job started, and the results of all syncs.
    async fn assert_untouched(&self, results: &[&str], what: &str) {
        assert_eq!(self.results(), results, "{what}");
        assert_eq!((self.text_writes().await.as_str(), self.faq_jobs()), ("0", 0), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_both_fetch_by_firecrawl_is_written_when_it_changes_and_never_else() {
    for (migration, version) in [("20260525093000", 1), ("20260611184600", 2)] {
        for (steps, writes) in [("QUQUQQUU", 0), ("QUQcQUQUU", 1), ("QUQcUQUQQ", 1)] {
            let scene = Scene::with_firecrawl("").await;
            scene.database.script(&format!("INSERT INTO schema_migrations VALUES ('{migration}')")).await;
            let all = scene.sequence(steps).await;
            assert_eq!(all, (writes.to_string(), writes), "{migration} {steps}: {:?}", scene.results());
            let hits = [1, 2].map(|version| scene.install.site.hits(&format!("/v{version}/scrape")) > 0);
            assert_eq!(hits, [version == 1, version == 2], "{migration}");
            assert!(scene.install.site.head(&format!("/v{version}/scrape")).contains(&format!("bearer {KEY}")));
            assert_eq!(scene.install.site.hits("/p1"), 0, "the page's own server is not asked");
        }
    }
}

/// Versions of Firecrawl differ in marks; rows of the first crawl have no fingerprint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_by_firecrawl_is_compared_by_its_words() {
    let other_marks = TEXTS[0].replace("\n===", "").replace("Paying by *card*", "# Paying by _card_");
    for (text, with_fingerprint) in [(TEXTS[0], false), (other_marks.as_str(), true), (other_marks.as_str(), false)] {
        let scene = Scene::with_firecrawl("").await;
        scene.stores(text, with_fingerprint).await;
        scene.syncs();
        scene.syncs();
        scene.assert_untouched(&["unchanged same"; 2], text).await;
    }
}

/// Nobody can say of such a text whether the page has changed, whatever its links are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_difference_of_a_text_that_was_fetched_in_another_way_waits_for_review() {
    let plain = "Paying by card. We accept most cards. No page of ours has these words.";
    let not_followed = "fetch.from_installation = false\n";
    let own_key = "fetch.firecrawl.api_key = \"fc-own\"\n";
    for (own, provider, by_firecrawl) in [
        // Chatwoot by Firecrawl, this program directly.
        (not_followed, "auto", false),
        // Chatwoot directly, this program by Firecrawl.
        (own_key, "native", true),
        // Chatwoot in a way that is not known here.
        ("", "context_dev", false),
        (own_key, "context_dev", true),
    ] {
        let scene = Scene::with_firecrawl(own).await;
        scene.configure("WEB_CRAWLING_PROVIDER", provider).await;
        scene.stores(plain, true).await;
        scene.syncs();
        scene.syncs();
        let what = format!("{own} {provider}");
        scene.assert_untouched(&["unchanged held"; 2], &what).await;
        assert_eq!(scene.install.site.hits("/v2/scrape") > 0, by_firecrawl, "{what}");
        let says = scene.run(&["doctor", "--sample"]).out.join("\n");
        assert!(says.contains("1 text that Chatwoot has fetched in another way would wait for review"), "{says}");
        let probe = scene.run(&["show", "1", "--probe"]).out.join("\n");
        assert!(probe.contains("The text would need review, and the stored one would stay."), "{probe}");
        // Once a person has decided, the text is written, and compared from then on.
        assert_eq!(scene.run(&["accept", "1"]).code, Some(0));
        scene.syncs();
        assert_eq!(scene.text_writes().await, "1");
        assert_eq!(scene.results().last().map(String::as_str), Some("unchanged same"), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_of_ours_waits_for_review_too_when_the_way_of_fetching_has_changed() {
    let scene = Scene::with_firecrawl("").await;
    scene.configure("WEB_CRAWLING_PROVIDER", "native").await;
    // Written by this program, which fetched the page directly.
    scene.database.script("UPDATE captain_documents SET content = NULL, metadata = '{}'").await;
    scene.syncs();
    let written = scene.database.text("SELECT content FROM captain_documents").await;
    assert_eq!(written, EDITIONS[0].main);
    scene.database.script("DELETE FROM text_writes").await;
    let jobs = scene.faq_jobs();
    scene.configure("WEB_CRAWLING_PROVIDER", "firecrawl").await;
    scene.syncs();
    assert_eq!(scene.results().last().map(String::as_str), Some("unchanged held"), "{:?}", scene.results());
    assert_eq!((scene.text_writes().await.as_str(), scene.faq_jobs()), ("0", jobs));
}
