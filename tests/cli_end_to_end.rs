//! Runs the real binary on a real store and a real HTTP server: output and exit codes of every verb, as scripts see
//! them.

mod deciding;
mod extracting;
mod guidance;
mod helping;
mod manners;
mod modes;
mod place;
mod probing;
mod reasons;
mod settings;

use place::{Place, Ran};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;

fn json_lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn statuses(place: &Place) -> Vec<String> {
    json_lines(&place.run(["list", "--json"]).ok())
        .iter()
        .map(|row| row["status"].as_str().expect("a word").to_owned())
        .collect()
}

#[test]
fn what_is_added_is_listed_and_shown() {
    let place = Place::new();
    let (a, b) = (place.url("/ok/a"), place.url("/ok/b"));
    let added = place.run(["add", &a, &format!("{b}/"), "--account", "3", "--assistant", "4"]).ok();
    assert_eq!(added, format!("added 1 {a}\nadded 2 {b}\n"));
    assert_eq!(place.run(["add", &b, "--assistant", "4"]).ok(), format!("exists 2 {b}\n"), "unchanged");
    let rows = json_lines(&place.run(["list", "--json", "--filter", "assistant:4"]).ok());
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[1]["id"].as_i64(), rows[1]["account_id"].as_i64()), (Some(2), Some(3)));
    assert_eq!((rows[1]["status"].as_str(), rows[1]["url"].as_str()), (Some("never"), Some(b.as_str())));
    for name in ["2", b.as_str()] {
        let shown = json_lines(&place.run(["show", name, "--json"]).ok());
        assert_eq!((shown[0]["id"].as_i64(), &shown[0]["content"]), (Some(2), &Value::Null));
    }
    let newest = json_lines(&place.run(["list", "--json", "--sort", "-id", "--limit", "1"]).ok());
    assert_eq!(newest[0]["id"].as_i64(), Some(2));
    assert!(place.run(["list"]).ok().lines().count() == 3, "a head and two rows");
}

#[test]
fn one_wrong_url_adds_nothing() {
    let place = Place::new();
    let ran = place.run(["add", &place.url("/ok/a"), "ftp://example.org", "http://ana:secret@example.org"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("ftp://example.org: must begin with http:// or https://"), "{}", ran.err);
    assert!(ran.err.contains("http://ana:***@example.org") && !ran.err.contains("secret"), "{}", ran.err);
    assert!(!place.store().exists());
}

#[test]
fn unreadable_lines_are_named_and_the_others_imported() {
    let place = Place::new();
    let file =
        place.write("pages.csv", &format!("url,name\n{},A\nnonsense,B\n{},C\n", place.url("/a"), place.url("/c")));
    let ran = place.run(["import", &file]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), "2 documents added, 0 existed already, 1 line unreadable\n"));
    assert_eq!(ran.err, format!("{file}:3: nonsense: must begin with http:// or https://\n"));
    let listed = place.run(["list", "--json"]).ok();
    assert_eq!(json_lines(&listed).iter().map(|row| row["name"].clone()).collect::<Vec<_>>(), ["A", "C"]);
    let again = place.run_with_input(["import", "-", "--json"], &listed);
    assert_eq!(again.ok(), "{\"added\":0,\"existed\":2,\"unreadable\":0}\n", "what list prints can be imported");
    let missing = place.run(["import", "/nowhere/pages.csv"]);
    assert_eq!(missing.code, Some(2));
}

#[test]
fn a_packed_sitemap_is_imported_and_an_index_is_said_to_be_one() {
    let place = Place::new();
    let (a, b) = (place.url("/a"), place.url("/b"));
    let sitemap =
        format!("<urlset><url><loc>{a}</loc></url>\n<url><loc>{b}</loc></url>\n<url><loc>{a}</loc></url></urlset>");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(sitemap.as_bytes()).expect("into memory");
    let packed = packed.finish().expect("into memory");
    let file = place.write("sitemap.xml.gz", "");
    std::fs::write(&file, &packed).expect("written");
    assert_eq!(place.run(["import", &file]).ok(), "2 documents added, 1 existed already, 0 lines unreadable\n");
    let again = place.run_with_input(["import", "-"], &sitemap);
    assert_eq!(again.ok(), "0 documents added, 3 existed already, 0 lines unreadable\n");

    let cut = place.write("cut.xml", &sitemap[..sitemap.len() - 10]);
    let ran = place.run(["import", &cut]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(
        ran.err,
        format!(
            "{cut}:3: is not well-formed XML: syntax error: tag not closed: `>` not found before end of input; the rest was \
             not read\n"
        )
    );
    std::fs::write(&file, &packed[..packed.len() - 9]).expect("written");
    let ran = place.run(["import", &file]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("sitemap.xml.gz: is gzip data that is cut off; nothing was imported"), "{}", ran.err);

    let index = place
        .write("index.xml", "<sitemapindex><sitemap><loc>https://example.org/1.xml</loc></sitemap></sitemapindex>");
    let ran = place.run(["import", &index]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("is a sitemap index") && ran.err.contains("https://example.org/1.xml"), "{}", ran.err);
}

#[test]
fn sync_wait_without_a_worker_runs_the_jobs_itself() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a"), &place.url("/missing/b")]).ok();
    let good = place.run(["sync", "1", "--wait", "--json"]);
    let outcomes = json_lines(&good.ok());
    assert_eq!((outcomes.len(), outcomes[0]["result"].as_str()), (1, Some("unchanged")), "a first content");
    assert_eq!(outcomes[0]["content"].as_str(), Some("first"));
    let bad = place.run(["sync", "--all", "--wait", "--json"]);
    assert_eq!(bad.code, Some(1), "{}", bad.err);
    let results: BTreeSet<String> =
        json_lines(&bad.out).iter().map(|outcome| outcome["result"].as_str().expect("a word").to_owned()).collect();
    assert_eq!(results, BTreeSet::from(["permanent_failure".to_owned(), "unchanged".to_owned()]));
    assert_eq!(statuses(&place), ["synced", "failed"]);

    let shown = json_lines(&place.run(["show", "1", "--json"]).ok());
    assert!(shown[0]["content"].as_str().expect("content").contains("Hello"), "{}", shown[0]);
    assert_eq!(shown[0]["attempts"].as_array().map(Vec::len), Some(2));
    let failed = json_lines(&place.run(["list", "--json", "--filter", "status:failed"]).ok());
    assert_eq!((failed[0]["error_code"].as_str(), failed[0]["http_status"].as_u64()), (Some("not_found"), Some(404)));

    let log = json_lines(&place.run(["log", "--json"]).ok());
    let seqs: Vec<i64> = log.iter().map(|outcome| outcome["seq"].as_i64().expect("a number")).collect();
    assert_eq!(seqs, [1, 2, 3]);
    let newest = json_lines(&place.run(["log", "--json", "--limit", "1"]).ok());
    assert_eq!(newest[0]["seq"].as_i64(), Some(3));
    assert_eq!(place.run(["log", "--filter", "result:permanent_failure"]).ok().lines().count(), 1);
    assert_eq!(place.run(["log", "--since", "1h"]).ok().lines().count(), 3);
    assert_eq!(place.run(["log", "--since", "2100-01-01T00:00:00Z"]).ok(), "");
    let rails = place.run(["log", "--format", "rails", "--limit", "1"]).ok();
    assert!(rails.starts_with("[Captain::Documents::PerformSyncJob] {\"document_id\":"), "{rails}");

    let retried = place.run(["retry", "--all", "--wait"]);
    assert_eq!(retried.code, Some(1), "the page is still missing");
    assert!(retried.err.contains("skipped 1 document"), "{}", retried.err);
}

#[test]
fn a_retry_that_succeeds_ends_with_0() {
    let place = Place::new();
    place.run(["add", &place.url("/second-time/a")]).ok();
    let ran = place.run(["sync", "1", "--wait", "--json"]);
    let results: Vec<String> =
        json_lines(&ran.ok()).iter().map(|outcome| outcome["result"].as_str().expect("a word").to_owned()).collect();
    assert_eq!(results, ["transient_failure", "unchanged"]);
}

#[test]
fn what_is_not_there_is_wrong_use() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a")]).ok();
    for args in [
        &["sync", "1", "99"][..],
        &["show", "99"],
        &["show", "https://example.org/unknown"],
        &["cancel", "nonsense"],
        &["list", "--filter", "stauts:failed"],
        &["list", "--filter", "by:ana"],
        &["log", "--filter", "status:failed"],
        &["sync", "--filter", " "],
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty(), "{args:?}");
    }
    assert_eq!(statuses(&place), ["never"], "one wrong name and nothing is asked for");
    let nothing = place.run(["sync", "--filter", "status:failed"]);
    assert_eq!((nothing.code, nothing.err.as_str()), (Some(0), "no document to sync\n"));
    let empty = place.run(["list", "--filter", "status:failed", "--json"]);
    assert_eq!((empty.code, empty.out.as_str(), empty.err.as_str()), (Some(0), "", "no document matches\n"));
}

#[test]
fn many_documents_and_removals_need_a_yes() {
    let place = Place::new();
    let urls: String = (0..101).map(|n| format!("{}\n", place.url(&format!("/ok/{n}")))).collect();
    place.run_with_input(["import", "-"], &urls).ok();
    let dry = place.run(["sync", "--all", "--dry-run"]).ok();
    assert_eq!(dry, "would sync 101 documents on 1 host\n");
    let refused = place.run(["sync", "--all"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("Sync 101 documents?") && refused.err.contains("--yes"), "{}", refused.err);
    assert!(statuses(&place).iter().all(|status| status == "never"), "nothing was asked for");
    assert_eq!(
        place.run(["sync", "--filter", "-id:1"]).ok(),
        "sync: queued 100 (batch 1)\n",
        "up to 100 are not asked about"
    );
    place.run(["sync", "--all", "--yes"]).ok();
    assert!(statuses(&place).iter().all(|status| status == "queued"));

    let kept = place.run(["remove", "1"]);
    assert_eq!(kept.code, Some(2));
    assert_eq!(statuses(&place).len(), 101);
    assert_eq!(place.run(["remove", "1", "--yes"]).ok(), "removed 1 document\n");
    assert_eq!(place.run(["remove", "--filter", "-id:2", "--yes", "--json"]).ok(), "{\"removed\":99}\n");
    assert_eq!(statuses(&place), ["queued"]);
}

#[test]
fn a_person_at_a_terminal_is_asked() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a"), &place.url("/ok/b")]).ok();
    let (code, screen) = place.answer(["remove", "1"], "n\r");
    assert_eq!(code, 0);
    assert!(screen.contains("Remove 1 document with contents and earlier versions? [y/N]"), "{screen}");
    assert!(screen.contains("nothing was done"), "{screen}");
    assert_eq!(statuses(&place).len(), 2);
    let (code, screen) = place.answer(["remove", "1"], "y\r");
    assert!(code == 0 && screen.contains("removed 1 document"), "{screen}");
    assert_eq!(statuses(&place).len(), 1);
}

#[test]
fn a_long_list_is_whole_and_in_order() {
    let place = Place::new();
    let urls: String = (0..2_500).map(|n| format!("{}\n", place.url(&format!("/ok/{n}")))).collect();
    place.run_with_input(["import", "-"], &urls).ok();
    let ids = |args: &[&str]| -> Vec<i64> {
        json_lines(&place.run(args).ok()).iter().map(|row| row["id"].as_i64().expect("a number")).collect()
    };
    // Not `assert_eq!`: its message would print thousands of numbers.
    assert!(ids(&["list", "--json"]) == (1..=2_500).collect::<Vec<_>>());
    let newest = ids(&["list", "--json", "--sort", "-id", "--limit", "1500"]);
    assert!(newest == (1_001..=2_500).rev().collect::<Vec<_>>());
}

#[test]
fn a_queued_job_is_cancelled() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a")]).ok();
    let queued = place.run(["sync", "1"]);
    assert!(queued.err.contains("no worker is running"), "{}", queued.err);
    assert_eq!(queued.ok(), "queued 1\n");
    assert_eq!(place.run(["cancel", "1"]).ok(), "cancelled 1\n");
    assert_eq!(statuses(&place), ["never"]);
    let log = json_lines(&place.run(["log", "--json"]).ok());
    assert_eq!((log.len(), log[0]["result"].as_str()), (1, Some("cancelled")));
    let again = place.run(["cancel", "1"]);
    assert_eq!((again.code, again.out.as_str(), again.err.as_str()), (Some(0), "", "1 has nothing to cancel\n"));
}

#[test]
fn read_only_changes_and_makes_nothing() {
    let place = Place::new();
    let ran = place.run(["--read-only", "list"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    assert!(!place.store().exists(), "no file is made");
    place.run(["add", &place.url("/ok/a")]).ok();
    for args in [&["add", "https://example.org"][..], &["sync", "1"], &["work"], &["remove", "1", "--yes"]] {
        let ran = place.run([&["--read-only"], args].concat());
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.err);
    }
    assert_eq!(place.run(["--read-only", "sync", "1", "--dry-run"]).ok(), "would sync 1 document on 1 host\n");
    assert_eq!(statuses(&place), ["never"]);
}

#[test]
fn verbs_that_only_read_make_no_store() {
    let place = Place::new();
    let dry_runs: [&[&str]; 3] = [&["sync", "--all", "--dry-run"], &["purge", "--dry-run"], &["schedule", "--dry-run"]];
    for args in [&["list"][..], &["show", "1"], &["log"], &["resume"]].into_iter().chain(dry_runs) {
        let ran = place.run(args.iter().copied());
        assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains("there is no store here; `quarterdeck add` creates one"), "{args:?}: {}", ran.err);
        assert!(!place.store().exists(), "{args:?}");
    }
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let place = Place::new();
    let file = place.write("notes.db", &"these are my notes\n".repeat(100));
    let ran = place.run(["--store", &format!("sqlite:{file}"), "list"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{}", ran.err);
    assert!(!ran.err.is_empty());
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "these are my notes\n".repeat(100));
}

#[test]
fn a_wrong_setting_is_named_with_its_line() {
    let place = Place::new();
    let file = place.write("wrong.toml", "[runner]\nconcurency = 3\n");
    let ran = place.run(["--config", &file, "list"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains(&format!("{file}:2: unknown key runner.concurency (did you mean")), "{}", ran.err);
    assert_eq!(place.run(["--config", &file, "config"]).ok(), quarterdeck::config::TEMPLATE);
    let file = place.write("old.toml", "[fetch]\n\nsources = []\n");
    let ran = place.run(["--config", &file, "list"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "there is no store yet: {}", ran.err);
    let warning = format!("{file}:3: fetch.sources is now called fetch.sites; rename the key\n");
    assert!(ran.err.starts_with(&warning), "{}", ran.err);
}

#[test]
fn a_broken_pipe_ends_quietly() {
    let place = Place::new();
    let urls: String = (0..3_000).map(|n| format!("{}\n", place.url(&format!("/ok/{n}")))).collect();
    place.run_with_input(["import", "-"], &urls).ok();
    let mut list = place::start(place.command(["list", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut line = String::new();
    let mut out = BufReader::new(list.stdout.take().expect("piped"));
    out.read_line(&mut line).expect("a line");
    drop(out);
    let mut err = String::new();
    list.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    assert_eq!((list.wait().expect("ends").code(), err.as_str()), (Some(0), ""));
}

#[test]
fn work_drains_and_says_whether_all_went_well() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a"), &place.url("/missing/b"), &place.url("/ok/c")]).ok();
    place.run(["sync", "1", "3"]).ok();
    let good = place.run(["work", "--drain", "--concurrency", "2"]);
    assert_eq!(good.code, Some(0), "{}", good.err);
    let lines = json_lines(&good.out);
    let documents: BTreeSet<i64> = lines.iter().filter_map(|line| line["document_id"].as_i64()).collect();
    assert_eq!((lines.len(), documents), (2, BTreeSet::from([1, 3])));
    place.run(["sync", "2"]).ok();
    let bad = place.run(["work", "--drain"]);
    assert_eq!((bad.code, json_lines(&bad.out).len()), (Some(1), 1), "{}", bad.err);
    assert_eq!(statuses(&place), ["synced", "failed", "synced"]);
    place.run(["sync", "2"]).ok();
    place.run(["cancel", "2"]).ok();
    let mut stored: Vec<String> = place.run(["log", "--json"]).ok().lines().map(str::to_owned).collect();
    let mut filed = place.outcome_files();
    stored.sort();
    filed.sort();
    assert_eq!(filed, stored, "every outcome is in a file, whichever process recorded it");
    assert_eq!(stored.len(), 4);
}

#[test]
fn work_drains_on_term_and_log_follows_it() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a")]).ok();
    let mut log = place::start(place.command(["log", "-f", "--json"]).stdout(Stdio::piped()));
    let mut followed = BufReader::new(log.stdout.take().expect("piped")).lines();
    let mut work = place::start(place.command(["work"]).stdout(Stdio::piped()));
    let mut lines = BufReader::new(work.stdout.take().expect("piped")).lines();
    place.run(["sync", "1"]).ok();
    let line = lines.next().expect("an outcome").expect("text");
    assert_eq!(followed.next().expect("the same outcome").expect("text"), line);
    place::tell(&work, rustix::process::Signal::TERM);
    assert_eq!(work.wait().expect("ends").code(), Some(0));
    assert!(lines.next().is_none());
    place::tell(&log, rustix::process::Signal::INT);
    assert_eq!(log.wait().expect("ends").code(), Some(0));
}

#[test]
fn sync_wait_leaves_the_work_to_a_worker() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a"), &place.url("/ok/b")]).ok();
    let mut work = place::start(place.command(["work"]).stdout(Stdio::piped()));
    let mut lines = BufReader::new(work.stdout.take().expect("piped")).lines();
    place.run(["sync", "1"]).ok();
    let first = lines.next().expect("the worker is there").expect("text");
    let waited = json_lines(&place.run(["sync", "2", "--wait", "--json"]).ok());
    let first: Value = serde_json::from_str(&first).expect("JSON");
    assert_eq!(waited[0]["worker"], first["worker"], "run by the worker, not here");
    place::tell(&work, rustix::process::Signal::TERM);
    assert_eq!(work.wait().expect("ends").code(), Some(0));
}

#[test]
fn the_same_seed_gives_the_same_summary() {
    let place = Place::new();
    let summary = || {
        let Ran { out, err, code } = place.run(["demo", "--headless", "--documents", "60", "--seed", "3"]);
        assert_eq!(code, Some(0), "{err}");
        let mut summary: Value = serde_json::from_str(&out).expect("one JSON object");
        let keys: Vec<&String> = summary.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["documents", "synced", "failed", "attempts", "results", "error_codes", "seconds"]);
        assert!(summary["seconds"].take().as_f64().expect("seconds") > 0.0);
        summary
    };
    let (first, second) = std::thread::scope(|scope| {
        let other = scope.spawn(summary);
        (summary(), other.join().expect("no panic"))
    });
    assert_eq!(first["documents"].as_u64(), Some(60));
    assert_eq!(first["synced"].as_u64().zip(first["failed"].as_u64()).map(|(s, f)| s + f), Some(60));
    assert_eq!(second, first);
    assert_eq!(place.leftovers(), 0, "the throwaway store is gone");
}
