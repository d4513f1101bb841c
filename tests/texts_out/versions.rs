//! Tests `versions`, `diff`, `restore` and the forms of `show`.

use crate::support::install::{Ended, Install};
use crate::support::site::{Reply, Site, html};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const TEXTS: [&str; 3] = ["The price is 10 euros.", "The price is 12 euros.", "The price is 15 euros, or less."];

/// A site with one page that has one of the texts, synced with the first and the second one.
async fn synced_twice() -> (Install, Arc<AtomicU32>) {
    let edition = Arc::new(AtomicU32::new(0));
    let shown = Arc::clone(&edition);
    let reply = move |_: &str, _| -> Reply { html("Prices", TEXTS[shown.load(Ordering::Relaxed) as usize]) };
    let install = Install::new(Site::start(reply).await, "");
    install.fill(&["/prices".to_owned()]).await;
    for text in [0, 1] {
        edition.store(text, Ordering::Relaxed);
        sync(&install, false);
    }
    (install, edition)
}

fn sync(install: &Install, whole: bool) {
    let mut arguments = vec!["sync", "1", "--wait"];
    arguments.extend(whole.then_some("--force"));
    let synced = install.run(&arguments);
    assert_eq!(synced.code, Some(0), "{synced:?}");
}

fn objects(ended: &Ended) -> Vec<Value> {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn text(install: &Install) -> String {
    objects(&install.run(&["show", "1", "--json"]))[0]["content"].as_str().unwrap().trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_earlier_text_is_listed_compared_and_restored() {
    let (install, edition) = synced_twice().await;
    let versions = objects(&install.run(&["versions", "1", "--json"]));
    let listed: Vec<_> = versions.iter().map(|line| (line["version"].as_i64(), line["current"].as_bool())).collect();
    assert_eq!(listed, [(Some(2), Some(true)), (Some(1), Some(false))]);
    assert_eq!(install.run(&["versions", "1"]).out.len(), 2);
    let diff = install.run(&["diff", "1"]);
    assert_eq!((diff.code, diff.out), (Some(0), vec!["The price is [-10-] {+12+} euros.".to_owned()]));
    let json = objects(&install.run(&["diff", "1", "2", "1", "--json"]));
    let kinds: Vec<_> = json[0]["changes"].as_array().unwrap().iter().map(|change| change["kind"].clone()).collect();
    assert_eq!(
        (kinds, &json[0]["from"]),
        (vec!["same".into(), "removed".into(), "added".into(), "same".into()], &2.into())
    );
    let first = install.run(&["show", "1", "--version", "1"]);
    assert_eq!((first.code, first.out), (Some(0), vec![TEXTS[0].to_owned()]));

    let changes = objects(&install.run(&["changes"]));
    let cursor = changes[0]["cursor"].as_str().unwrap().to_owned();
    let restored = install.run(&["restore", "1", "1"]);
    assert_eq!((restored.code, restored.out), (Some(0), vec!["1: version 1 is restored, as version 3".to_owned()]));
    assert_eq!(text(&install), TEXTS[0]);
    let followed = objects(&install.run(&["changes", "--after", &cursor]));
    assert_eq!((&followed[0]["kind"], &followed[0]["version"]), (&"changed".into(), &3.into()));
    assert_eq!(followed[0]["fingerprint"], changes[0]["fingerprint"], "that of the page");
    let outcome = &objects(&install.run(&["log", "--json", "--filter", "result:restored"]))[0];
    assert_eq!((&outcome["content"], &outcome["detail"]), (&"changed".into(), &"version 1 restored by ana".into()));

    // Syncs leave it as long as the page is the same, also without what is known of the response.
    sync(&install, false);
    assert_eq!(text(&install), TEXTS[0]);
    crate::support::db::execute(
        install.file(),
        "UPDATE document_state SET etag = NULL, last_modified = NULL, body_digest = NULL",
    )
    .await;
    sync(&install, false);
    assert_eq!(text(&install), TEXTS[0]);
    sync(&install, true);
    assert_eq!(text(&install), TEXTS[1], "--force brings the page's text back");
    let last = &objects(&install.run(&["log", "--json", "--limit", "1"]))[0];
    assert_eq!((&last["result"], &last["content"]), (&"updated".into(), &"changed".into()));
    // A restored text is replaced when the page changes.
    assert_eq!(install.run(&["restore", "1", "1"]).code, Some(0));
    edition.store(2, Ordering::Relaxed);
    sync(&install, false);
    assert_eq!(text(&install), TEXTS[2]);
    let changed = install.run(&["list", "--filter", "changed:<1d content:changed"]);
    assert_eq!(changed.out.len(), 2, "a head and a row: {changed:?}");
    assert!(install.run(&["list", "--filter", "content:first"]).out.is_empty());

    let current = objects(&install.run(&["versions", "1", "--json"]))[0]["version"].to_string();
    for (version, why) in [(current.as_str(), "stored already"), ("99", "is not stored")] {
        let refused = install.run(&["restore", "1", version]);
        assert!(refused.code == Some(2) && refused.err.contains(why), "{refused:?}");
    }
    let read_only = install.run(&["restore", "1", "1", "--read-only"]);
    assert!(read_only.code == Some(2) && read_only.err.contains("--read-only"), "{read_only:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_documents_are_shown_and_texts_alone() {
    let (install, _) = synced_twice().await;
    install.fill(&["/other".to_owned()]).await;
    let both = objects(&install.run(&["show", "1", "2", "--json"]));
    assert_eq!(both.iter().map(|row| row["id"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!((&both[0]["document_id"], both[0]["changed_at"].is_string()), (&1.into(), true));
    let markdown = install.run(&["show", "1", "--format", "markdown"]);
    assert_eq!((markdown.code, markdown.out[0].as_str(), markdown.out[1].as_str()), (Some(0), "---", "document_id: 1"));
    assert_eq!(markdown.out.last().map(String::as_str), Some(TEXTS[1]));
    let none = install.run(&["show", "2", "--format", "markdown"]);
    assert!(none.code == Some(2) && none.err.contains("no text is stored"), "{none:?}");
    let missing = install.run(&["show", "1", "--version", "7"]);
    assert!(missing.code == Some(2) && missing.err.contains("version 7 is not stored"), "{missing:?}");
    let alone = install.run(&["diff", "2"]);
    assert!(alone.code == Some(2) && alone.err.contains("no earlier text"), "{alone:?}");
}
