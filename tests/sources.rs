//! Tests sources with the real program over real HTTP: a documentation site that grows, changes and shrinks, an index of
//! 50,000 pages, and a worker that is killed while it reads.

use crate::docs::pages::page;
use crate::notifications::receiver::{Behaviour, KEY, Receiver};
use crate::support::db;
use crate::support::install::{Ended, Install};
use crate::support::limit::until;
use crate::support::resident::ResidentMemory;
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tokio::sync::Semaphore;

/// Pages of a site by path, each with its text; a text that begins with `/` is a permanent redirect.
type Pages = Arc<Mutex<BTreeMap<&'static str, &'static str>>>;

async fn docs_site(pages: Pages) -> Site {
    Site::start_by_head(move |path, _, head| {
        let pages = pages.lock().expect("no test panics with it");
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        match pages.get(path) {
            Some(target) if target.starts_with('/') => Reply::Status(301, vec![("location", (*target).to_owned())]),
            Some(text) => html("Title", text),
            None if path == "/sitemap.xml" => {
                let listed = pages.iter().filter(|(_, text)| !text.starts_with('/'));
                let entry = |(path, _): (&&str, &&str)| format!("<url><loc>http://{host}{path}</loc></url>");
                Reply::Bytes(format!("<urlset>{}</urlset>", listed.map(entry).collect::<String>()).into_bytes())
            }
            None => Reply::Status(404, Vec::new()),
        }
    })
    .await
}

fn json(ended: &Ended) -> Vec<Value> {
    ended.out.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The open proposals: kind and path.
fn proposals(install: &Install) -> Vec<String> {
    let ended = install.run(&["source", "proposals", "--json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let own = install.site.url("");
    let shown = |of: &Value| {
        let text = |field: &str| of[field].as_str().unwrap_or_default().replace(&own, "");
        format!("{} {}", text("kind"), text("url"))
    };
    let mut shown: Vec<_> = json(&ended).iter().map(shown).collect();
    shown.sort();
    shown
}

/// Runs the lines of the documentation's recipe for a source, as cron does.
fn night(install: &Install) -> Vec<Ended> {
    let text = page("sources");
    let lines = text.lines().filter(|line| line.contains("/usr/local/bin/quarterdeck"));
    let run = |line: &str| {
        let command: Vec<&str> = line.split_whitespace().skip(5).collect();
        let command = command.join(" ").replace("/usr/local/bin/quarterdeck", env!("CARGO_BIN_EXE_quarterdeck"));
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &command]);
        install.spawn(shell).ended()
    };
    let ended: Vec<_> = lines.map(run).collect();
    assert!(!ended.is_empty(), "the recipe is there");
    ended
}

/// Lets a day pass: the store's times are moved back.
async fn next_day(install: &Install) {
    for change in [
        "UPDATE sources SET next_at = 1",
        "UPDATE source_pages SET missing_since = missing_since - 86400000000",
        "UPDATE captain_documents SET last_synced_at = last_synced_at - 86400000000, \
         last_sync_attempted_at = last_sync_attempted_at - 86400000000",
    ] {
        db::execute(install.file(), change).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_documentation_site_is_kept_in_step_night_by_night() {
    let pages: Pages = Arc::default();
    let set = |changes: &[(&'static str, Option<&'static str>)]| {
        let mut pages = pages.lock().expect("no test panics with it");
        for (path, text) in changes {
            match text {
                Some(text) => drop(pages.insert(path, text)),
                None => drop(pages.remove(path)),
            }
        }
    };
    set(&[("/a", Some("one")), ("/b", Some("two")), ("/c", Some("three")), ("/internal/x", Some("no"))]);
    let receiver = Receiver::start(Behaviour::Accepts).await;
    let settings = format!(
        "plans.default = \"nightly\"\nplans.nightly.every = \"12h\"\nnotify.allow_private_hosts = [{:?}]\n\
         notify.ops.kind = \"webhook\"\nnotify.ops.url = {:?}\nnotify.ops.on = [\"content:changed,first\", \
         \"result:removed\"]\nnotify.ops.secret_file = \"key\"\n",
        receiver.host(),
        receiver.url()
    );
    let install = Install::new(docs_site(Arc::clone(&pages)).await, &settings);
    install.write("key", format!("{KEY}\n"));
    let added = install.run(&[
        "source",
        "add",
        &install.site.url("/sitemap.xml"),
        "--name",
        "docs",
        "--exclude",
        "/internal/*",
        "--json",
    ]);
    assert_eq!((added.code, json(&added)[0]["name"].as_str()), (Some(0), Some("docs")), "{added:?}");
    for ended in night(&install) {
        assert_eq!((ended.code, ended.out.len(), ended.err.as_str()), (Some(0), 0, ""), "{ended:?}");
    }
    assert_eq!(proposals(&install), ["new /a", "new /b", "new /c"], "nothing is added unasked");
    let accepted = install.run(&["source", "accept", "--filter", "kind:new"]);
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    assert!(night(&install).iter().all(|ended| ended.code == Some(0)));
    assert_eq!(install.run(&["list", "--json", "--filter", "status:synced"]).out.len(), 3);

    // One page is edited, one removed, one added, one moved.
    set(&[
        ("/a", Some("one, edited")),
        ("/b", None),
        ("/c", Some("/c2")),
        ("/c2", Some("three")),
        ("/d", Some("four")),
    ]);
    next_day(&install).await;
    // The page that is gone fails its sync, which is a new failure.
    let codes: Vec<_> = night(&install).iter().map(|ended| ended.code).collect();
    assert_eq!(codes, [Some(0), Some(1)]);
    assert_eq!(proposals(&install), ["moved /c", "new /d"], "one read proves no page gone");
    next_day(&install).await;
    assert!(night(&install).iter().all(|ended| ended.code == Some(0)), "no failure is new");
    assert_eq!(proposals(&install), ["gone /b", "moved /c", "new /d"]);
    let refused = install.run(&["source", "accept", "--filter", "kind:gone"]);
    assert!(refused.code == Some(2) && refused.err.contains("removes 1 document"), "it asks: {refused:?}");
    let accepted = install.run(&["source", "accept", "--filter", "source:docs", "--yes", "--sync"]);
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    assert!(night(&install).iter().all(|ended| ended.code == Some(0)));
    let listed = install.run(&["list", "--json"]);
    let mut urls: Vec<_> = json(&listed)
        .iter()
        .map(|row| row["url"].as_str().expect("a URL").replace(&install.site.url(""), ""))
        .collect();
    urls.sort();
    assert_eq!(urls, ["/a", "/c2", "/d"]);
    assert_eq!(proposals(&install), [] as [&str; 0]);
    // The webhook has got each change, with a signature that another implementation has checked.
    let work = install.start(&["work"]);
    until("a record of each change", async || {
        let text = |data: &Value, field: &str| data[field].as_str().unwrap_or_default().to_owned();
        let records = receiver.records();
        let told: Vec<String> = records
            .values()
            .map(|(record, _)| &record["data"])
            .map(|data| format!("{} {}", text(data, "url").replace(&install.site.url(""), ""), text(data, "content")))
            .collect();
        let expected = ["/a changed", "/a first", "/b first", "/b gone", "/c gone", "/c2 first", "/d first"];
        expected.iter().all(|expected| told.iter().any(|told| told == expected)).then_some(())
    })
    .await;
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
    let shown = install.run(&["source", "show", "docs", "--json"]);
    assert_eq!(json(&shown)[0]["last_result"], "complete", "{shown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_reads_the_sources_that_are_due_and_tries_failed_reads_again() {
    let site = Site::start_by_head(|path, hit, head| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let listed = format!("<urlset><url><loc>http://{host}/page</loc></url></urlset>");
        match path {
            "/good.xml" => Reply::Bytes(listed.into_bytes()),
            "/flaky.xml" if hit == 1 => Reply::Status(503, Vec::new()),
            "/flaky.xml" => Reply::Bytes(listed.replace("/page", "/other").into_bytes()),
            "/page" => html("Title", "text"),
            _ => Reply::Status(404, Vec::new()),
        }
    })
    .await;
    let install = Install::new(site, "");
    let add = |name: &str| install.run(&["source", "add", &install.site.url(&format!("/{name}.xml")), "--name", name]);
    assert_eq!([add("good").code, add("flaky").code], [Some(0); 2]);
    let drain = install.start(&["work", "--drain"]);
    until("a read that is tried again", async || {
        let retried = db::integers(install.file(), "SELECT count(*) FROM sources WHERE result = 'retry'").await;
        (retried == [Some(1)]).then_some(())
    })
    .await;
    // It waits for half a minute.
    db::execute(install.file(), "UPDATE sources SET next_at = 1 WHERE name = 'flaky'").await;
    let ended = drain.ended();
    assert_eq!((ended.code, ended.out.len()), (Some(0), 0), "{ended:?}");
    assert!(ended.err.contains("sources have 2 proposals for you"), "{ended:?}");
    assert_eq!(proposals(&install), ["new /other", "new /page"]);
    let quiet = install.run(&["work", "--drain", "-q"]);
    assert_eq!((quiet.code, quiet.out.len(), quiet.err.as_str()), (Some(0), 0, ""), "nothing is due: {quiet:?}");
    // A source that cannot be read fails the run. What is paused is not waited for.
    assert_eq!(add("missing").code, Some(0));
    let ended = install.run(&["work", "--drain", "-q"]);
    assert!(ended.code == Some(1) && ended.err.contains("source missing: ") && ended.err.contains("404"), "{ended:?}");
    db::execute(install.file(), "UPDATE sources SET next_at = 1").await;
    assert_eq!(install.run(&["pause", "--all"]).code, Some(0));
    let paused = install.run(&["work", "--drain"]);
    assert!(paused.code == Some(0) && !paused.err.contains("source"), "{paused:?}");
}

/// An index of 12 sitemaps with 50,000 pages in all. `gate` holds back the seventh.
async fn large_site(gate: Option<Arc<Semaphore>>) -> Site {
    Site::start_by_head(move |path, _, head| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        let mut text = String::new();
        let Some(number) = path.strip_prefix("/part-").and_then(|rest| rest.strip_suffix(".xml")?.parse::<u32>().ok())
        else {
            text.push_str("<sitemapindex>");
            for number in 0..12 {
                let _ = write!(text, "<sitemap><loc>http://{host}/part-{number}.xml</loc></sitemap>");
            }
            return Reply::Bytes((text + "</sitemapindex>").into_bytes());
        };
        text.push_str("<urlset>\n");
        for page in (0..50_000).filter(|page| page % 12 == number) {
            let _ = writeln!(text, "<url><loc>http://{host}/docs/{page}/a-page-of-the-documentation</loc><lastmod>2026-11-01</lastmod></url>");
        }
        let bytes = Reply::Bytes((text + "</urlset>\n").into_bytes());
        match (&gate, number) {
            (Some(gate), 7) => Reply::When(Arc::clone(gate), Box::new(bytes)),
            _ => bytes,
        }
    })
    .await
}

/// Maximum memory of a process that reads a large source, in kB.
const MAX_MEMORY: u64 = 60 * 1_024;

async fn until_read(install: &Install) -> Value {
    until("the end of the read", async || {
        let ended = install.run(&["source", "list", "--json"]);
        json(&ended).into_iter().find(|source| source["state"] == "read")
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_of_fifty_thousand_pages_is_read_exactly_and_in_little_memory() {
    let install = Install::new(large_site(None).await, "");
    assert_eq!(
        install.run(&["source", "add", &install.site.url("/index.xml"), "--name", "large", "--at", "0 3 * * *"]).code,
        Some(0)
    );
    // A worker without anything to read takes this much.
    db::execute(install.file(), "UPDATE sources SET next_at = next_at + 3600000000").await;
    let work = install.start(&["work"]);
    until("a registered worker", async || {
        (db::integers(install.file(), "SELECT count(*) FROM workers").await == [Some(1)]).then_some(())
    })
    .await;
    let before = ResidentMemory::of(work.id()).expect("it runs");
    assert_eq!(install.run(&["source", "read", "large"]).code, Some(0));
    let source = until_read(&install).await;
    let after = ResidentMemory::of(work.id()).expect("it runs");
    println!("{before:?} before, {after:?} after");
    assert_eq!((source["pages"].as_u64(), source["proposals"].as_u64()), (Some(50_000), Some(50_000)));
    let distinct = "SELECT count(DISTINCT url) FROM proposals WHERE kind = 'new' AND state = 'open'";
    assert_eq!(db::integers(install.file(), distinct).await, [Some(50_000)]);
    assert!(after.counted() <= MAX_MEMORY, "{before:?}, then {after:?}");
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_killed_while_it_reads_loses_and_doubles_nothing() {
    let gate = Arc::new(Semaphore::new(0));
    let install = Install::new(large_site(Some(Arc::clone(&gate))).await, "");
    assert_eq!(install.run(&["source", "add", &install.site.url("/index.xml"), "--limit", "60000"]).code, Some(0));
    let work = install.start(&["work"]);
    // It hangs in the middle of the index, with half of the pages noted.
    install.site.until_hit("/part-7.xml", 1).await;
    until("noted pages", async || {
        let noted = db::integers(install.file(), "SELECT count(*) FROM source_pages").await;
        (noted[0] >= Some(20_000)).then_some(())
    })
    .await;
    work.signal(Signal::KILL);
    work.ended();
    assert_eq!(proposals(&install), [] as [&str; 0], "nothing follows from half an index");
    gate.add_permits(9);
    // Its lease ends half a minute later.
    db::execute(install.file(), "UPDATE sources SET held_until = 1").await;
    let work = install.start(&["work"]);
    let source = until_read(&install).await;
    assert_eq!((source["pages"].as_u64(), source["proposals"].as_u64()), (Some(50_000), Some(50_000)));
    let name = source["name"].as_str().expect("a name").to_owned();
    let shown = install.run(&["source", "show", &name, "--json"]);
    let reads = json(&shown)[0]["reads"].clone();
    let results: Vec<_> = reads.as_array().expect("a list").iter().map(|read| read["result"].clone()).collect();
    assert_eq!(results, ["complete", "lost"]);
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_changed_and_its_failures_are_explained() {
    let pages: Pages = Arc::default();
    let site = docs_site(Arc::clone(&pages)).await;
    {
        let mut pages = pages.lock().expect("no test panics with it");
        for path in ["/docs/a", "/tags/b"] {
            pages.insert(path, "text");
        }
    }
    let install = Install::new(site, "");
    let url = install.site.url("/sitemap.xml");
    let run = |args: &[&str]| install.run(&[&["source"], args].concat());
    assert_eq!(run(&["add", &url, "--name", "docs"]).code, Some(0));
    assert_eq!(run(&["read", "docs", "--wait", "-q"]).code, Some(0));
    assert_eq!(run(&["refuse", "--filter", "/docs/a"]).code, Some(0));
    // By its name, its URL or its ID.
    let edited = run(&["edit", &url, "--exclude", "/tags/*", "--every", "6h"]);
    assert!(edited.code == Some(0) && edited.out[0].contains("1 proposal withdrawn"), "{edited:?}");
    let shown = &json(&run(&["show", "docs", "--json"]))[0];
    assert_eq!((shown["exclude"][0].as_str(), shown["every_s"].as_u64()), (Some("/tags/*"), Some(21_600)));
    let nothing = run(&["edit", "docs", "--every", "6h"]);
    assert!(nothing.code == Some(2) && nothing.err.contains("nothing to change"), "{nothing:?}");
    for wrong in
        [&["--limit", "0"][..], &["--at", "x"], &["--match", "a b"], &["--every", "1d", "--manual"], &["--name", "7"]]
    {
        let ended = run(&[&["edit", "docs"], wrong].concat());
        assert_eq!(ended.code, Some(2), "{wrong:?}: {ended:?}");
    }
    assert_eq!(run(&["edit", "docs", "--no-exclude", "--name", "site"]).code, Some(0));
    assert_eq!(run(&["read", "site", "--wait", "-q"]).code, Some(0));
    assert_eq!(proposals(&install), ["new /tags/b"], "what was refused stays refused");
    let doctor = install.run(&["doctor"]);
    assert!(doctor.out.iter().any(|line| line.contains("1 source read as planned; 1 proposal open")), "{doctor:?}");
    // The listing is not there any more.
    assert_eq!(run(&["edit", "site", "--url", &install.site.url("/none.xml")]).code, Some(0));
    let read = run(&["read", "site", "--wait", "-q"]);
    assert_eq!(read.code, Some(1), "{read:?}");
    let doctor = install.run(&["doctor"]);
    let line = doctor.out.iter().find(|line| line.contains("site: ")).expect("a finding");
    for part in ["404", "failing since ", "next read in ", "source edit site", "source read site --wait"] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert_eq!(proposals(&install), ["new /tags/b"], "they stay open meanwhile");
    let shown = run(&["show", "site"]);
    assert!(shown.out.iter().any(|line| line.starts_with("failing     since ")), "{shown:?}");
    // One that nobody reads.
    db::execute(install.file(), "UPDATE sources SET next_at = 1, result = 'complete'").await;
    let doctor = install.run(&["doctor"]);
    assert!(doctor.out.iter().any(|line| line.contains("nobody makes it")), "{doctor:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn import_fetches_a_listing_under_the_guard() {
    let site = Site::start_by_head(|path, _, head| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
        match path {
            "/sitemap.xml" => Reply::Bytes(
                format!(
                    "<urlset><url><loc>http://{host}/1</loc><lastmod>2026-11-01</lastmod></url>\
                     <url><loc>no url</loc></url></urlset>"
                )
                .into_bytes(),
            ),
            "/cut.xml" => Reply::Bytes(format!("<urlset><url><loc>http://{host}/2</loc></url>").into_bytes()),
            "/down.xml" => Reply::Status(503, Vec::new()),
            "/links" => Reply::Html("<a href=/docs/1>1</a><a href=/docs/2>2</a><a href=/imprint>3</a>".to_owned()),
            _ => Reply::Status(404, Vec::new()),
        }
    })
    .await;
    let install = Install::new(site, "");
    let imported = install.run(&["import", &install.site.url("/sitemap.xml"), "--json"]);
    assert_eq!(
        (imported.code, &json(&imported)[0]),
        (Some(1), &serde_json::json!({"added": 1, "existed": 0, "unreadable": 1}))
    );
    for (url, code, why) in [
        (install.site.url("/cut.xml"), 2, "cut off"),
        (install.site.url("/down.xml"), 3, "503"),
        (install.site.url("/none.xml"), 2, "404"),
        ("http://169.254.169.254/latest".to_owned(), 2, "refused"),
    ] {
        let ended = install.run(&["import", &url]);
        assert!(
            ended.code == Some(code) && ended.err.contains(why) && ended.err.contains("nothing was imported"),
            "{url}: {ended:?}"
        );
    }
    let listed = json(&install.run(&["list", "--json"]));
    assert_eq!((listed.len(), listed[0]["lastmod"].as_str()), (1, Some("2026-11-01T00:00:00.000000Z")));
    let file = install.write(
        "later.xml",
        format!(
            "<urlset><url><loc>{}</loc><lastmod>2026-11-02T10:00:00Z</lastmod></url></urlset>",
            install.site.url("/1")
        ),
    );
    assert_eq!(install.run(&["import", &file.display().to_string()]).code, Some(0));
    let listed = json(&install.run(&["list", "--json"]));
    assert_eq!(listed[0]["lastmod"], "2026-11-02T10:00:00.000000Z", "also of a file, and of a document that is there");
    let links = install.site.url("/links");
    let all = install.run(&["import", &links]);
    assert!(all.code == Some(2) && all.err.contains("--match"), "{all:?}");
    assert_eq!(install.run(&["import", &links, "--match", "/docs/*"]).code, Some(0));
    assert_eq!(install.run(&["list", "--json"]).out.len(), 3);
    let unknown = install.run(&["source", "read", "nothing", "--wait"]);
    assert!(unknown.code == Some(2) && unknown.err.contains("there is no source"), "{unknown:?}");
}
