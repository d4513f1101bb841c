//! Tests that changes of Chatwoot's own way of fetching pages are followed by processes that run already.

use super::Scene;
use super::firecrawl::KEY;
use crate::support::install::{Process, environment_of};
use crate::support::limit::until;
use crate::support::pty::Terminal;
use rustix::process::Signal;

const BY_FIRECRAWL: &str = "Chatwoot's settings have changed: pages are fetched by Firecrawl, with its key";
const DIRECTLY: &str = "Chatwoot's settings have changed: pages are fetched directly";

fn worker(scene: &Scene) -> Process {
    let env = environment_of(&scene.database, &scene.redis);
    scene.install.start_with(&env, &["work"])
}

/// Requests a sync, and waits until the page was fetched `hits` times at `path`.
async fn fetched(scene: &Scene, path: &str, hits: u32) {
    assert_eq!(scene.run(&["sync", "1"]).code, Some(0));
    scene.install.site.until_hit(path, hits).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_follows_changes_of_chatwoots_way_of_fetching() {
    let scene = Scene::with_firecrawl("").await;
    scene.configure("WEB_CRAWLING_PROVIDER", "native").await;
    let worker = worker(&scene);
    fetched(&scene, "/p1", 1).await;
    scene.configure("WEB_CRAWLING_PROVIDER", "auto").await;
    worker.until_says(BY_FIRECRAWL);
    fetched(&scene, "/v2/scrape", 1).await;
    scene.database.script("DELETE FROM installation_configs").await;
    worker.until_says(DIRECTLY);
    fetched(&scene, "/p1", 2).await;
    worker.signal(Signal::TERM);
    let ended = worker.ended();
    assert_eq!(ended.code, Some(0));
    assert!(!format!("{ended:?}").contains(KEY), "the key is never printed");
    assert_eq!(scene.install.site.hits("/v1/scrape"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn previews_of_an_open_console_name_the_credits_as_the_settings_are_now() {
    let scene = Scene::with_firecrawl("").await;
    scene.database.script("DELETE FROM installation_configs").await;
    let mut command = scene.install.on_terminal(&["--no-runner"]);
    command.env("QUARTERDECK_STORE", &scene.database.url);
    let mut console = Terminal::spawn(100, 30, command);
    console.until_text("A name");
    console.keys("S");
    let screen = console.until_text("document matches");
    assert!(!screen.contents().contains("Firecrawl"), "{}", screen.contents());
    console.keys("\x1b");
    console.until("the list alone", |screen| !screen.contents().contains("document matches"));
    scene.configure("CAPTAIN_FIRECRAWL_API_KEY", KEY).await;
    console.keys("S");
    let screen = console.until_text("credit of Firecrawl at most");
    assert!(!screen.contents().contains(KEY));
    console.keys("\x1b");
    console.until("the list alone", |screen| !screen.contents().contains("of Firecrawl at most"));
    console.keys("q");
    assert_eq!(console.ended(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_console_makes_passes_while_no_worker_runs() {
    let scene = Scene::with_firecrawl("").await;
    let mut command = scene.install.on_terminal(&["--no-runner"]);
    command.env("QUARTERDECK_STORE", &scene.database.url);
    let mut console = Terminal::spawn(100, 30, command);
    console.until_text("A name");
    until("a complete pass", async || {
        let read = "SELECT (read_at IS NOT NULL)::text FROM quarterdeck.shadow_passes";
        (scene.database.text(read).await == "true").then_some(())
    })
    .await;
    assert_eq!(scene.database.text("SELECT count(*)::text FROM quarterdeck.document_status").await, "1");
    console.keys("q");
    assert_eq!(console.ended(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_of_a_pass_names_the_credits() {
    let own = "plans.default = \"daily\"\nplans.daily.every = \"1 day\"\nschedule.enabled = true\n";
    let scene = Scene::with_firecrawl(own).await;
    scene.database.script("UPDATE captain_documents SET last_synced_at = now() - interval '9 days'").await;
    let pass = scene.run(&["schedule", "--dry-run"]);
    assert!(pass.err.contains("would cost up to 1 credit of Firecrawl"), "{pass:?}");
    scene.configure("WEB_CRAWLING_PROVIDER", "native").await;
    let pass = scene.run(&["schedule", "--dry-run"]);
    assert!(!pass.err.contains("credit") && pass.code == Some(0), "{pass:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn extract_prints_the_text_that_would_be_stored_and_names_it() {
    let scene = Scene::with_firecrawl("").await;
    let extracted = |args: &[&str]| {
        let ended = scene.run(&[&["extract"], args].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        (ended.out.join("\n"), ended.err)
    };
    let (text, says) = extracted(&["1"]);
    assert!(text.contains("We accept all cards. See the prices."), "{text}");
    assert!(says.contains("stored would be the text as it was received, as Chatwoot stores it"), "{says}");
    scene.configure("WEB_CRAWLING_PROVIDER", "native").await;
    for (generation, name) in [(super::EDITIONS[0].whole, "the whole body"), (super::EDITIONS[0].main, "the main part")]
    {
        let stored = super::quoted(generation);
        scene.database.script(&format!("UPDATE captain_documents SET content = {stored}, metadata = '{{}}'")).await;
        let (text, says) = extracted(&["1"]);
        assert!(text.ends_with(generation.trim_end()), "{text}");
        assert!(says.contains(&format!("stored would be Chatwoot's own text, made of {name}")), "{says}");
        let (json, _) = extracted(&["1", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((json["extract"].as_str(), json["content"].as_str()), (Some("chatwoot"), Some(generation)));
    }
    let page = scene.install.write("page.html", super::EDITIONS[0].html);
    let (json, _) = extracted(&[page.to_str().expect("a path"), "--url", "https://pay.test/p", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((json["extract"].as_str(), json["content"].as_str()), (Some("chatwoot"), Some(super::EDITIONS[0].main)));
    // A rule that names the content wins, and so does a choice of ours.
    let (text, says) = extracted(&["1", "--include", "main"]);
    assert!(text.contains("Paying by *card*") && !says.contains("stored would be"), "{text} {says}");
}
