//! Tests `changes` and `log --after`: cursors, kills, restored backups.

use crate::support::db;
use crate::support::install::{Ended, Install};
use crate::support::limit::until_blocking;
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A site whose pages have the edition in their text.
async fn editions() -> (Install, Arc<AtomicU32>) {
    let edition = Arc::new(AtomicU32::new(1));
    let shown = Arc::clone(&edition);
    let reply = move |path: &str, _| -> Reply {
        match path {
            "/fixed" => html("Fixed", "This page stays as it is."),
            path => html("Page", &format!("{path} in edition {}", shown.load(Ordering::Relaxed))),
        }
    };
    (Install::new(Site::start(reply).await, ""), edition)
}

fn objects(ended: &Ended) -> Vec<Value> {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out.iter().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn kinds(objects: &[Value]) -> Vec<(&str, i64)> {
    objects.iter().map(|object| (object["kind"].as_str().unwrap(), object["id"].as_i64().unwrap())).collect()
}

fn sync(install: &Install) {
    let synced = install.run(&["sync", "--all", "--force", "--wait", "--yes"]);
    assert_eq!(synced.code, Some(0), "{synced:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_since_a_cursor_are_printed_and_followed() {
    let (install, edition) = editions().await;
    let none = install.run(&["add", &install.site.url("/a")]);
    assert_eq!(none.code, Some(0), "{none:?}");
    let empty = install.run(&["changes"]);
    assert!(empty.out.is_empty() && empty.err.contains("no document has a text"), "{empty:?}");
    install.fill(&["/b".to_owned(), "/fixed".to_owned()]).await;
    sync(&install);
    let all = objects(&install.run(&["changes"]));
    let mut ids = kinds(&all);
    ids.sort_unstable();
    assert_eq!(ids, [("new", 1), ("new", 2), ("new", 3)]);
    let last = all[2]["cursor"].as_str().unwrap().to_owned();
    let nothing = install.run(&["changes", "--after", &last]);
    assert!(nothing.code == Some(0) && nothing.out.is_empty(), "{nothing:?}");
    assert!(nothing.err.contains("nothing has changed since"), "{nothing:?}");

    let following = install.start(&["changes", "--after", &last, "-f"]);
    edition.store(2, Ordering::Relaxed);
    sync(&install);
    // The follower has read both, before one of them is gone.
    until_blocking("the second editions", || (following.lines().len() >= 2).then_some(()));
    assert_eq!(install.run(&["remove", "2", "--yes"]).code, Some(0));
    let read = || objects(&install.run(&["changes", "--after", &last]));
    let changed = read();
    assert_eq!(kinds(&changed), [("changed", 1), ("gone", 2)], "{changed:?}");
    until_blocking("the changes", || (following.lines().len() >= 3).then_some(()));
    following.signal(Signal::INT);
    let followed = objects(&following.ended());
    // It saw the second edition of the page before that was removed.
    let mut seen = kinds(&followed);
    seen.sort_unstable();
    assert_eq!(seen, [("changed", 1), ("changed", 2), ("gone", 2)], "{followed:?}");
    assert_eq!(followed.last().unwrap()["cursor"], changed[1]["cursor"]);

    let shown = objects(&install.run(&["show", "1", "--json"]));
    assert_eq!(changed[0]["fingerprint"], shown[0]["fingerprint"]);
    assert_eq!((&changed[1]["version"], &changed[1]["fingerprint"]), (&Value::Null, &Value::Null));
    let by_filter = |filter: &str| objects(&install.run(&["changes", "--filter", filter]));
    assert_eq!(kinds(&by_filter("id:1")), [("new", 1)]);
    assert_eq!(kinds(&by_filter("fixed account:1")), [("new", 3)]);
    let refused = install.run(&["changes", "--filter", "status:failed"]);
    assert!(refused.code == Some(2) && refused.err.contains("status does not apply to changes"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_another_time_or_store_is_refused() {
    let (install, edition) = editions().await;
    install.fill(&["/a".to_owned()]).await;
    sync(&install);
    let cursor = |install: &Install| {
        let all = objects(&install.run(&["changes"]));
        all.last().unwrap()["cursor"].as_str().unwrap().to_owned()
    };
    let refused = |cursor: &str, why: &str| {
        for verb in ["changes", "log"] {
            let ended = install.run(&[verb, "--after", cursor]);
            assert_eq!((ended.code, ended.out.len()), (Some(2), 0), "{verb} {cursor}: {ended:?}");
            assert!(ended.err.contains(why) && ended.err.contains("export anew"), "{verb} {cursor}: {ended:?}");
        }
    };
    let first = cursor(&install);
    let parts: Vec<&str> = first.split(':').collect();
    refused(&format!("other:{}:{}", parts[1], parts[2]), "is of another store");
    refused(&format!("{}:{}:999", parts[0], parts[1]), "is from before a backup was restored");
    let malformed = install.run(&["changes", "--after", "yesterday"]);
    assert!(malformed.code == Some(2) && malformed.err.contains("STORE-ID:EPOCH:SEQ"), "{malformed:?}");

    // A backup goes back: the same numbers are given to other outcomes.
    let copy = install.folder().join("copy.db").display().to_string();
    assert_eq!(install.run(&["backup", &copy]).code, Some(0));
    edition.store(2, Ordering::Relaxed);
    sync(&install);
    let second = cursor(&install);
    let restored = install.run(&["backup", "--restore", &copy, "--yes"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let kept = restored.out[1].strip_prefix("the store from before is in ").unwrap().to_owned();
    edition.store(3, Ordering::Relaxed);
    sync(&install);
    refused(&first, "is from before a backup was restored");
    refused(&second, "is from before a backup was restored");
    let third = cursor(&install);
    // Twice the same backup is not twice the same history, nor is the store from before.
    for from in [&kept, &copy] {
        assert_eq!(install.run(&["backup", "--restore", from, "--yes"]).code, Some(0));
        for cursor in [&first, &second, &third] {
            refused(cursor, "is from before a backup was restored");
        }
    }
    // A kill right after the restore, and a copy that somebody has put in place.
    let before = cursor(&install);
    let fault = [("QUARTERDECK_FAULT", "restored:abort:")];
    let killed = install.start_with(&fault, &["backup", "--restore", &copy, "--yes"]).ended();
    assert_eq!(killed.signal, Some(6), "{killed:?}");
    sync(&install);
    for cursor in [&first, &second, &before] {
        refused(cursor, "is from before a backup was restored");
    }
    let before = cursor(&install);
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", install.file().display()));
    }
    fs::copy(&copy, install.file()).unwrap();
    sync(&install);
    for cursor in [&first, &before] {
        refused(cursor, "is from before a backup was restored");
    }
    db::execute(install.file(), "DELETE FROM outcomes WHERE seq < (SELECT max(seq) FROM outcomes)").await;
    let now = cursor(&install);
    let (start, _) = now.rsplit_once(':').unwrap();
    if !now.ends_with(":1") {
        refused(&format!("{start}:0.7"), "is older than the oldest outcome");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_goes_on_after_a_number_or_a_cursor() {
    let (install, _) = editions().await;
    install.fill(&["/a".to_owned(), "/b".to_owned(), "/fixed".to_owned()]).await;
    sync(&install);
    let seqs = |args: &[&str]| -> Vec<i64> {
        let arguments: Vec<&str> = ["log", "--json"].into_iter().chain(args.iter().copied()).collect();
        objects(&install.run(&arguments)).iter().map(|outcome| outcome["seq"].as_i64().unwrap()).collect()
    };
    let all = seqs(&[]);
    let last = all.len() as i64;
    assert_eq!(all, (1..=last).collect::<Vec<_>>());
    assert_eq!(seqs(&["--after", "1"]), all[1..]);
    assert_eq!(seqs(&["--after", "0", "--limit", "2"]), all[..2]);
    let changes = objects(&install.run(&["changes"]));
    let cursor = changes[0]["cursor"].as_str().unwrap();
    let seq: usize = cursor.rsplit_once(':').unwrap().1.parse().unwrap();
    assert_eq!(seqs(&["--after", cursor]), all[seq..]);
    let none = install.run(&["log", "--after", &last.to_string()]);
    assert!(none.code == Some(0) && none.err.contains("no outcome matches"), "{none:?}");
    let both = install.run(&["log", "--after", "1", "--since", "1h"]);
    assert_eq!(both.code, Some(2), "{both:?}");
    assert_eq!(install.run(&["remove", "1", "--yes"]).code, Some(0));
    let removed = install.run(&["log", "--filter", "result:removed content:gone"]);
    assert!(removed.out.len() == 1 && removed.out[0].contains("removed by ana"), "{removed:?}");
}

/// A consumer is killed many times; workers go on. It has what the store has, and saw no change twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_is_killed_sees_every_change_once() {
    let (install, edition) = editions().await;
    let pages: Vec<String> = (0..30).map(|page| format!("/{page}")).collect();
    install.fill(&pages).await;
    let (mut cursor, mut copy) = (None::<String>, BTreeMap::new());
    let mut take = |lines: &[String], cursor: &mut Option<String>| {
        for line in lines {
            let change: Value = serde_json::from_str(line).unwrap();
            let (id, version) = (change["id"].as_i64().unwrap(), change["version"].as_i64());
            let before = match version {
                Some(version) => copy.insert(id, version),
                None => copy.remove(&id),
            };
            assert!(version.is_none_or(|version| before.is_none_or(|before| version > before)), "{change} twice");
            *cursor = change["cursor"].as_str().map(str::to_owned);
        }
    };
    for round in 1..8_usize {
        let mut arguments = vec!["changes", "-f"];
        let after = cursor.clone();
        if let Some(after) = &after {
            arguments.extend(["--after", after]);
        }
        let consumer = install.start(&arguments);
        edition.store(round as u32, Ordering::Relaxed);
        sync(&install);
        if round % 3 == 0 {
            assert_eq!(install.run(&["remove", &round.to_string(), "--yes"]).code, Some(0));
        }
        until_blocking("some changes", || (consumer.lines().len() >= 3 * (round % 4)).then_some(()));
        consumer.signal(Signal::KILL);
        // The last line of a killed process may be cut off; this consumer worked off less than it was given.
        let lines = consumer.ended().out;
        take(&lines[..lines.len().saturating_sub(2)], &mut cursor);
    }
    take(&install.run(&["changes", "--after", &cursor.clone().unwrap()]).out, &mut cursor);
    let listed = objects(&install.run(&["list", "--json"]));
    let ids: Vec<i64> = listed.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert_eq!(copy.keys().copied().collect::<Vec<_>>(), ids);
    assert!(copy.values().all(|version| *version == 7), "{copy:?}");
}
