//! Tests `export`: folders of Markdown, incremental and killed; links that somebody has planted; JSON lines.

use super::files_below;
use crate::bad_input::disk::Disk;
use crate::support::db;
use crate::support::install::{Ended, Install};
use crate::support::limit::until_blocking;
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A site whose pages below `/e` have the edition in their text.
async fn editions() -> (Install, Arc<AtomicU32>) {
    let edition = Arc::new(AtomicU32::new(1));
    let shown = Arc::clone(&edition);
    let reply = move |path: &str, _| -> Reply {
        let number = if path.starts_with("/e") { shown.load(Ordering::Relaxed) } else { 1 };
        html(&format!("Page \"{path}\""), &format!("The text of {path} in edition {number}"))
    };
    (Install::new(Site::start(reply).await, ""), edition)
}

async fn filled(paths: &[&str]) -> (Install, Arc<AtomicU32>) {
    let (install, edition) = editions().await;
    install.fill(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>()).await;
    sync(&install);
    (install, edition)
}

fn sync(install: &Install) {
    let synced = install.run(&["sync", "--all", "--force", "--wait", "--yes"]);
    assert_eq!(synced.code, Some(0), "{synced:?}");
}

/// Returns every file below a folder with its text, but for the export's own, by its path.
fn tree(folder: &Path) -> BTreeMap<PathBuf, String> {
    let files = files_below(folder).into_iter().filter(|path| *path != folder.join(".quarterdeck-export"));
    let below = |path: &PathBuf| path.strip_prefix(folder).unwrap().to_owned();
    files.map(|path| (below(&path), fs::read_to_string(&path).unwrap_or_default())).collect()
}

/// Returns a name with the ending of exported files.
fn md(name: &str) -> String {
    format!("{name}{}", ".md")
}

fn export(install: &Install, folder: &Path, more: &[&str]) -> Ended {
    let folder = folder.display().to_string();
    install.run(&[&["export", &folder, "--json"], more].concat())
}

/// Exports and returns written, unchanged, removed, left and failed.
fn exported(install: &Install, folder: &Path, more: &[&str]) -> [i64; 5] {
    let ended = export(install, folder, more);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let summary: Value = serde_json::from_str(&ended.out[0]).unwrap();
    ["written", "unchanged", "removed", "left", "failed"].map(|key| summary[key].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_follows_the_store() {
    let (install, edition) = filled(&["/e/one", "/two", "/Three", "/four?page=2", ""]).await;
    let folder = install.folder().join("out");
    assert_eq!(exported(&install, &folder, &[]), [5, 0, 0, 0, 0]);
    let host = install.site.host().replace(':', "_");
    let files = tree(&folder);
    let names: Vec<_> = files.keys().map(|path| path.display().to_string()).collect();
    let expected = ["Three~3", "e/one", "four_page_2~4", "index", "two"].map(md);
    assert_eq!(names, expected.map(|name| format!("{host}/{name}")));
    let one = &files[Path::new(&format!("{host}/{}", md("e/one")))];
    assert!(one.starts_with("---\ndocument_id: 1\ntitle: \"Page \\\"/e/one\\\"\"\nurl: \"http://"), "{one}");
    assert!(one.ends_with("---\n\nThe text of /e/one in edition 1\n"), "{one}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // Those that any program's new files have here.
    let usual = install.folder().join("usual");
    fs::create_dir(&usual).unwrap();
    assert_eq!(mode(&folder.join(&host).join(md("two"))), mode(&install.write("usual-file", "")));
    assert_eq!((mode(&folder), mode(&folder.join(&host))), (mode(&usual), mode(&usual)));

    assert_eq!(exported(&install, &folder, &[]), [0, 5, 0, 0, 0], "nothing has changed");
    let inode = fs::metadata(folder.join(&host).join(md("two"))).unwrap().ino();
    edition.store(2, Ordering::Relaxed);
    install.fill(&["/e/new".to_owned()]).await;
    sync(&install);
    assert_eq!(install.run(&["remove", "3", "--yes"]).code, Some(0));
    assert_eq!(exported(&install, &folder, &[]), [2, 3, 0, 1, 0], "one changed, one new; one gone, which stays");
    assert_eq!(fs::metadata(folder.join(&host).join(md("two"))).unwrap().ino(), inode, "not written again");
    assert!(tree(&folder)[Path::new(&format!("{host}/{}", md("e/one")))].contains("edition 2"));
    assert_eq!(exported(&install, &folder, &["--prune"]), [0, 5, 1, 0, 0]);
    assert!(!folder.join(&host).join(md("Three~3")).exists());

    let anew = install.folder().join("anew");
    assert_eq!(exported(&install, &anew, &[]), [5, 0, 0, 0, 0]);
    assert_eq!(tree(&folder), tree(&anew));
    // All gone, and with them their folders.
    assert_eq!(install.run(&["remove", "--filter", "account:1", "--yes"]).code, Some(0));
    assert_eq!(exported(&install, &folder, &["--prune"]), [0, 0, 5, 0, 0]);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "the index");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_is_of_one_store_and_filter() {
    let (install, _) = filled(&["/one", "/two"]).await;
    let folder = install.folder().join("out");
    assert_eq!(exported(&install, &folder, &["--filter", "id:1,2"]), [2, 0, 0, 0, 0]);
    let refused = |install: &Install, folder: &Path, more: &[&str], why: &str| {
        let ended = export(install, folder, more);
        assert!(ended.code == Some(2) && ended.err.contains(why) && ended.err.contains("empty folder"), "{ended:?}");
    };
    refused(&install, &folder, &[], "an export with another filter (id:1,2)");
    let (other, _) = filled(&["/one"]).await;
    refused(&other, &folder, &["--filter", "id:1,2"], "an export of another store");
    let notes = install.folder().join("notes");
    fs::create_dir(&notes).unwrap();
    fs::write(notes.join(md("mine")), "mine").unwrap();
    refused(&install, &notes, &[], "there are other files in this folder");
    fs::remove_file(notes.join(md("mine"))).unwrap();
    fs::create_dir(notes.join(".git")).unwrap();
    assert_eq!(exported(&install, &notes, &[]), [2, 0, 0, 0, 0], "hidden files are no texts");
    fs::write(notes.join(".quarterdeck-export"), "{}").unwrap();
    refused(&install, &notes, &[], "cannot be read");

    // What leaves a filter counts as removed.
    let by_status = install.folder().join("status");
    assert_eq!(exported(&install, &by_status, &["--filter", "status:synced"]), [2, 0, 0, 0, 0]);
    db::execute(install.file(), "UPDATE captain_documents SET sync_status = 2 WHERE id = 1").await;
    assert_eq!(exported(&install, &by_status, &["--filter", "status:synced"]), [0, 1, 0, 1, 0]);
    assert_eq!(exported(&install, &by_status, &["--filter", "status:synced", "--prune"]), [0, 1, 1, 0, 0]);
    // A page that was removed and added again has another id and the same file.
    let url = install.site.url("/two");
    assert_eq!(install.run(&["remove", "2", "--yes"]).code, Some(0));
    assert_eq!(install.run(&["add", &url]).code, Some(0));
    sync(&install);
    let both = install.folder().join("both");
    assert_eq!(exported(&install, &both, &[]), [2, 0, 0, 0, 0]);
    assert_eq!(install.run(&["remove", "3", "--yes"]).code, Some(0));
    assert_eq!(install.run(&["add", &url]).code, Some(0));
    sync(&install);
    assert_eq!(exported(&install, &both, &[]), [1, 1, 0, 1, 0]);
    assert_eq!(exported(&install, &both, &["--prune"]), [0, 2, 0, 0, 0], "the file is the new document's");
    assert_eq!(tree(&both).len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_point_changes_nothing_of_the_end() {
    let paths: Vec<String> = (0..40).map(|n| format!("/{}/{n}", ["e", "f", "G"][n % 3])).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (install, edition) = filled(&paths).await;
    let folder = install.folder().join("out");
    let name = folder.display().to_string();
    let compare = |when: &str| {
        let anew = tempfile::tempdir().unwrap();
        exported(&install, anew.path(), &[]);
        assert_eq!(tree(&folder), tree(anew.path()), "{when}");
    };
    let kill = |point: &str, part: &str| {
        let fault = format!("{point}:abort:{part}");
        let arguments = ["export", name.as_str(), "--prune"];
        let killed = install.start_with(&[("QUARTERDECK_FAULT", &fault)], &arguments).ended();
        assert_eq!(killed.signal, Some(6), "{point} {part}: {killed:?}");
    };
    // A first run is killed again and again.
    for (point, part) in [("export_index", ""), ("export_written", "7"), ("exported", "31"), ("export_indexed", "")] {
        kill(point, part);
    }
    assert_eq!(exported(&install, &folder, &["--prune"])[4], 0);
    compare("after the first runs");
    // Then runs in which pages change and go. A page that a killed run has written may be gone at the next.
    for (round, (point, part)) in
        [("export_written", "12"), ("exported", "21"), ("unexported", ""), ("export_index", ""), ("export_indexed", "")]
            .into_iter()
            .enumerate()
    {
        edition.fetch_add(1, Ordering::Relaxed);
        install.fill(&[format!("/e/new-{round}")]).await;
        sync(&install);
        assert_eq!(install.run(&["remove", &(round + 3).to_string(), "--yes"]).code, Some(0));
        kill(point, part);
        assert_eq!(install.run(&["remove", &(41 + round).to_string(), "--yes"]).code, Some(0));
        exported(&install, &folder, &["--prune"]);
        compare(point);
    }
    // Killed by the system at any moment.
    for round in 0..6_u32 {
        edition.fetch_add(1, Ordering::Relaxed);
        sync(&install);
        let running = install.start(&["export", &name, "--prune"]);
        let (inside, wanted) = (folder.join(".quarterdeck-export.journal"), u64::from(round) * 400);
        until_blocking("some of the journal", || {
            let length = fs::metadata(&inside).map_or(u64::MAX, |file| file.len());
            (length >= wanted).then_some(())
        });
        running.signal(Signal::KILL);
        running.ended();
    }
    exported(&install, &folder, &["--prune"]);
    compare("after kills");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "the index and the host");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_outside_is_touched_through_planted_links() {
    let (install, edition) = filled(&["/e/one", "/e/two", "/e/pipe", "/e/below/three", "/e/four"]).await;
    let folder = install.folder().join("out");
    exported(&install, &folder, &[]);
    let inside = folder.join(install.site.host().replace(':', "_")).join("e");
    let outside = install.folder().join("outside");
    fs::create_dir(&outside).unwrap();
    for name in ["secret".to_owned(), md("three")] {
        fs::write(outside.join(name), "untouched").unwrap();
    }
    let replace = |name: &str| {
        let path = inside.join(name);
        let _ = fs::remove_file(&path);
        path
    };
    symlink(outside.join("secret"), replace(&md("one"))).unwrap();
    fs::create_dir(replace(&md("two"))).unwrap();
    let pipe = replace(&md("pipe"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    fs::remove_dir_all(inside.join("below")).unwrap();
    symlink(&outside, inside.join("below")).unwrap();
    symlink(outside.join("secret"), inside.join(".quarterdeck-new")).unwrap();
    edition.store(2, Ordering::Relaxed);
    sync(&install);
    let ended = export(&install, &folder, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let summary: Value = serde_json::from_str(&ended.out[0]).unwrap();
    assert_eq!((&summary["written"], &summary["failed"]), (&3.into(), &2.into()), "{ended:?}");
    assert!(
        ended.err.contains(&format!("{}: ", md("e/two"))) && ended.err.contains(&format!("{}: ", md("e/below/three"))),
        "{ended:?}"
    );
    let untouched = || {
        for name in ["secret".to_owned(), md("three")] {
            assert_eq!(fs::read_to_string(outside.join(name)).unwrap(), "untouched");
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 2);
    };
    untouched();
    let link = fs::symlink_metadata(inside.join(md("one"))).unwrap();
    assert!(link.is_file(), "the link itself was replaced");
    // Nor is anything removed there, or what is not the document's.
    symlink(outside.join("secret"), replace(&md("four"))).unwrap();
    assert_eq!(install.run(&["remove", "--filter", "account:1", "--yes"]).code, Some(0));
    export(&install, &folder, &["--prune"]);
    untouched();
    assert!(fs::symlink_metadata(inside.join(md("four"))).unwrap().is_symlink());
    // Once the links are gone, all is removed.
    fs::remove_file(inside.join("below")).unwrap();
    fs::remove_dir(inside.join(md("two"))).unwrap();
    assert_eq!(export(&install, &folder, &["--prune"]).code, Some(0));
    assert_eq!(tree(&folder).keys().filter(|path| path.ends_with(md("four"))).count(), 1);
    // An index that somebody has changed leads nowhere else.
    let index = folder.join(".quarterdeck-export");
    let header = fs::read_to_string(&index).unwrap().lines().next().unwrap().to_owned();
    let lines: Vec<String> = [md("../outside/three"), "/etc/passwd".to_owned(), md("a/../../outside/three")]
        .iter()
        .map(|path| format!("{{\"id\":7,\"path\":\"{path}\",\"state\":\"\"}}"))
        .collect();
    fs::write(outside.join(md("three")), "---\ndocument_id: 7\ntitle: x").unwrap();
    fs::write(&index, format!("{header}\n{}\n", lines.join("\n"))).unwrap();
    assert_eq!(export(&install, &folder, &["--prune"]).code, Some(0));
    assert!(outside.join(md("three")).exists());
}

/// URLs that are made to leave the folder, to collide, or to break what reads them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_urls_and_titles_have_files_of_their_own() {
    let (install, _) = filled(&["/one"]).await;
    let urls = [
        "https://a.test/../../../../etc/passwd",
        "https://a.test/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "https://a.test/..%5c..%5cwindows",
        "https://a.test/x/CON",
        "https://a.test/x/con",
        "https://a.test/X/con",
        "https://a.test/aux.txt",
        "https://a.test/a",
        "https://a.test/A",
        "https://a.test/a.MD",
        "https://a.test/a%2Emd/b",
        "https://a.test/a%2Emd_/b",
        "https://a.test/a/",
        "https://a.test//a",
        "https://a.test/a%00b",
        "https://a.test/a%0ab",
        "https://a.test/trailing./dots...",
        "https://a.test/space%20",
        "https://a.test/%ff%fe",
        "https://a.test/?q=../../x",
        "https://a.test/.git/config",
        "https://a.test/.quarterdeck-export",
        "http://a.test/a",
        "http://a.test:443/a",
        "https://a.test:80/a",
        "https://a.test_80/a",
        "https://[::1]/a",
        "javascript:alert(1)",
        "../../outside",
        "\u{1b}[31mred\u{7}",
        "https://a.test/\u{202e}fdp",
        "",
    ];
    let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let title = "\"\n---\nevil: [yes]\n\u{1b}]0;pwned\u{7} ${HOME} {{x}}";
    let mut all = urls.map(str::to_owned).to_vec();
    all.push(format!("https://a.test/{}", "deep/".repeat(300)));
    all.push(format!("https://a.test/{}", "%E8%AA%9E".repeat(400)));
    for url in &all {
        let row = format!(
            "INSERT INTO captain_documents (name, external_link, assistant_id, account_id, status, created_at, updated_at, \
             content) VALUES ({}, {}, 1, 1, 1, 1, 1, 'the text of {}')",
            quote(title),
            quote(url),
            url.len()
        );
        db::execute(install.file(), &row).await;
    }
    let folder = install.folder().join("out");
    let total = all.len() as i64 + 1;
    assert_eq!(exported(&install, &folder, &[]), [total, 0, 0, 0, 0]);
    let files = tree(&folder);
    assert_eq!(files.len() as i64, total);
    let folded: std::collections::BTreeSet<_> =
        files.keys().map(|path| path.display().to_string().to_lowercase()).collect();
    assert_eq!(folded.len() as i64, total, "also where case does not matter");
    for (path, text) in &files {
        let (_, rest) = text.split_once("---\n").unwrap();
        let (front, _) = rest.split_once("\n---\n\n").unwrap();
        assert_eq!(front.lines().count(), 9, "{path:?}: {front}");
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{path:?}: {text}");
        assert!(!path.to_str().unwrap().contains(|c: char| c.is_control() || c == '\u{202e}'), "{path:?}");
    }
    assert_eq!(exported(&install, &folder, &[]), [0, total, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_lines_have_the_texts_whole_or_in_chunks() {
    let reply = |path: &str, _| -> Reply {
        Reply::Html(format!(
            "<html><title>T</title><main><h1>Guide</h1><p>Before {path}.</p><h2>Install</h2><p>First one.</p>\
             <p>Then another.</p><h2>Use</h2><p>Use it.</p></main></html>"
        ))
    };
    let install = Install::new(Site::start(reply).await, "");
    install.fill(&["/a".to_owned(), "/b".to_owned()]).await;
    sync(&install);
    let objects = |ended: &Ended| -> Vec<Value> {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let texts = objects(&install.run(&["export", "-"]));
    assert_eq!(texts.len(), 2);
    let shown = objects(&install.run(&["show", "1", "--json"]));
    assert_eq!((&texts[0]["content"], &texts[0]["id"]), (&shown[0]["content"], &1.into()));
    assert_eq!((&texts[0]["document_id"], texts[0].get("chunk")), (&1.into(), None));
    let chunks = objects(&install.run(&["export", "-", "--chunks", "200", "--filter", "id:2"]));
    let headings: Vec<_> = chunks.iter().map(|chunk| chunk["headings"].clone()).collect();
    assert_eq!(
        headings,
        [serde_json::json!(["Guide"]), serde_json::json!(["Guide", "Install"]), serde_json::json!(["Guide", "Use"])]
    );
    assert_eq!((&chunks[2]["chunk"], &chunks[2]["chunks"], &chunks[2]["id"]), (&3.into(), &3.into(), &2.into()));
    let short = objects(&install.run(&["export", "-", "--chunks", "24"]));
    assert!(short.len() > 6 && short.iter().all(|chunk| chunk["content"].as_str().unwrap().chars().count() <= 24));

    let file = install.folder().join("texts.jsonl");
    let name = file.display().to_string();
    fs::write(&file, "old").unwrap();
    let killed = install.start_with(&[("QUARTERDECK_FAULT", "export_written:abort:")], &["export", &name]).ended();
    assert_eq!((killed.signal, fs::read_to_string(&file).unwrap().as_str()), (Some(6), "old"));
    let wrote = install.run(&["export", &name]);
    assert_eq!((wrote.code, wrote.out[0].starts_with("wrote 2 lines to ")), (Some(0), true), "{wrote:?}");
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 2);
    for (arguments, why) in [
        (vec!["export", "-", "--prune"], "--prune removes files of a folder"),
        (vec!["export", &name, "--prune"], "--prune removes files of a folder"),
        (vec!["export", "-", "--json"], "on stdout are the texts"),
        (vec!["export", "out", "--chunks", "100"], "--chunks is for JSON lines"),
        (vec!["export", "-", "--chunks", "0"], "--chunks"),
        (vec!["export", "-", "--filter", "status:faild"], "did you mean failed"),
    ] {
        let refused = install.run(&arguments);
        assert!(refused.code == Some(2) && refused.err.contains(why), "{refused:?}");
    }
    let nowhere = install.run(&["export", "/no/such/folder/texts.jsonl"]);
    assert!(nowhere.code == Some(3) && nowhere.err.contains("/no/such/folder"), "{nowhere:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_ends_an_export_which_goes_on_when_there_is_space() {
    let Some(disk) = Disk::mounted(96) else { return };
    let paths: Vec<String> = (0..60).map(|n| format!("/e/{n}")).collect();
    let (install, _) = filled(&paths.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let folder = disk.path("out");
    let ended = export(&install, &folder, &[]);
    assert!(ended.code == Some(3) && ended.err.contains("No space left"), "{ended:?}");
    let whole = |text: &String| text.ends_with("in edition 1\n");
    let files = tree(&folder);
    let texts = files.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "md"));
    assert!(texts.clone().count() > 3 && texts.clone().all(|(_, text)| whole(text)), "{files:?}");
    let anew = install.folder().join("anew");
    exported(&install, &anew, &[]);
    assert_eq!(exported(&install, &anew, &[]), [0, 60, 0, 0, 0]);
    let file = disk.path("texts.jsonl").display().to_string();
    disk.fill();
    let full = install.run(&["export", &file]);
    assert!(full.code == Some(3) && full.err.contains("No space left"), "{full:?}");
    assert!(!Path::new(&file).exists());
}
