//! Tests the demo as users run it, and what a worker prints, stores and writes to files.

use crate::support::db;
use crate::support::install::Install;
use crate::support::measure::{self, Stopwatch};
use crate::support::pty::Terminal;
use crate::support::site::{Reply, Site, html};
use quarterdeck::demo::{Behaviour, Site as DemoSite};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

const SEED: u64 = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_headless_demo_counts_the_same_each_time_and_as_its_pages_behave() {
    let place = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let sizes = [40, 40, 90, 90];
    // Runs all sizes concurrently, because most of the time is spent on slow pages.
    let runs = sizes.map(|documents: usize| {
        let (seed, documents) = (SEED.to_string(), documents.to_string());
        place.start(&["demo", "--headless", "--seed", &seed, "--documents", &documents])
    });
    let summaries: Vec<Value> = runs
        .into_iter()
        .map(|run| {
            let ended = run.ended();
            assert_eq!((ended.code, ended.out.len(), ended.err.as_str()), (Some(0), 1, ""), "{ended:?}");
            let mut summary: Value = serde_json::from_str(&ended.out[0]).expect("one JSON object");
            let seconds = summary.as_object_mut().expect("an object").remove("seconds").expect("seconds");
            println!("demo --headless: {summary} in {seconds} s");
            summary
        })
        .collect();
    assert_eq!((&summaries[0], &summaries[2]), (&summaries[1], &summaries[3]), "twice the same");
    for (documents, summary) in [(sizes[0], &summaries[0]), (sizes[2], &summaries[2])] {
        let site = DemoSite::start(SEED, documents).await.expect("the demo site");
        let pages = site.documents();
        let behaviours: HashSet<&str> = pages.iter().map(|page| page.behaviour.word()).collect();
        assert_eq!(behaviours, HashSet::from(Behaviour::WORDS), "every behaviour is among {documents} pages");
        let failing = pages.iter().filter(|page| page.behaviour.ends_failed()).count();
        let number = |of: &Value| usize::try_from(of.as_u64().expect("a number")).expect("fits");
        assert_eq!(number(&summary["failed"]), failing, "those fail that are to fail: {summary}");
        assert_eq!(number(&summary["synced"]), documents - failing);
        assert_eq!(number(&summary["results"]["unchanged"]), documents - failing, "each is asked for once");
        assert!((7..=15).contains(&(failing * 100 / documents)), "about one in ten: {failing} of {documents}");
        let failures: BTreeMap<&String, &Value> = summary["error_codes"].as_object().expect("counts").iter().collect();
        for code in ["not_found", "access_denied", "content_empty", "timeout", "fetch_failed"] {
            assert!(failures.contains_key(&code.to_owned()), "no {code} among {failures:?}");
        }
        site.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_worker_prints_is_what_is_stored_and_what_is_filed() {
    let site = Site::start(|path, hit| match path.split('/').nth(1).unwrap_or_default() {
        "gone" => Reply::Status(404, vec![]),
        "later" if hit == 1 => Reply::Status(503, vec![("retry-after", "0".into())]),
        "down" => Reply::Status(500, vec![]),
        "empty" => html("T", ""),
        _ => html("Title \u{1b}[31m\u{202e}", &format!("{path} \"quoted\" \\ text")),
    });
    let waits = "retry.transient_waits = [\"50ms\"]\nrunner.per_host = 16\n";
    let place = Install::new(site.await, waits);
    let kinds = ["ok", "gone", "later", "down", "empty"];
    let paths: Vec<String> = (0..60).map(|page| format!("/{}/{page}", kinds[page % kinds.len()])).collect();
    place.fill(&paths).await;
    let worked = place.run(&["work", "--drain"]);
    assert_eq!(worked.code, Some(1), "some pages fail for good: {}", worked.err);

    let stored = place.run(&["log", "--json"]).out;
    assert_eq!(worked.out, stored, "line by line, in order");
    let folder = place.folder().join("home/.local/state/quarterdeck/log");
    let files = std::fs::read_dir(folder).expect("there").map(|file| file.expect("listed").path());
    let files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    assert_eq!(files.len(), 1, "one file per process that recorded something: {files:?}");
    let filed = std::fs::read_to_string(&files[0]).expect("text");
    assert_eq!(filed.lines().collect::<Vec<_>>(), stored);
    // The rows, read by SQL and without the program's own code.
    let rows = "select seq || ' ' || document_id || ' ' || job_id || ' ' || attempt || ' ' || result from outcomes order by seq";
    let rows: Vec<String> = db::texts(place.file(), rows).await.into_iter().flatten().collect();
    let lines: Vec<String> = stored
        .iter()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let field = |name: &str| line[name].to_string().trim_matches('"').to_owned();
            ["seq", "document_id", "job_id", "attempt", "result"].map(field).join(" ")
        })
        .collect();
    assert_eq!(lines, rows);
    // 12 of each kind; a page that is down fails twice and then for good, a page that comes later fails once.
    assert_eq!(rows.len(), 12 + 12 + 24 + 36 + 12);
}

#[test]
fn the_first_sync_follows_the_first_frame() {
    let mut terminal = Terminal::start(120, 40, &[], &["demo"]);
    terminal.until("the first frame", |screen| screen.alternate_screen() && screen.contents().contains("outcomes"));
    let frame = Stopwatch::start();
    terminal.until_text("first content");
    let took = frame.took();
    println!("demo: the first sync is on the screen {} ms after the first frame", took.as_millis());
    // The limit applies to a release build.
    measure::at_most("the first sync is on the screen", took, Duration::from_secs(1));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}
