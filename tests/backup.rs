//! Tests `quarterdeck backup`: a checked copy while others write, and its way back, also when it is killed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use crate::support::db;
use crate::support::install::{Install, until};
use crate::support::site::{Site, html};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const ABORTED: Option<i32> = Some(6);

async fn install() -> Install {
    install_with(1).await
}

/// Makes an installation whose pages repeat their text so many times.
async fn install_with(times: usize) -> Install {
    Install::new(
        Site::start(move |path, hits| html("Page", &format!("{path} has text {hits} ").repeat(times))).await,
        "",
    )
}

fn pages(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/page/{number}")).collect()
}

async fn number(file: &Path, sql: &str) -> i64 {
    db::integers(file, sql).await[0].unwrap()
}

async fn documents(file: &Path) -> i64 {
    number(file, "SELECT count(*) FROM captain_documents").await
}

fn files(install: &Install) -> Vec<String> {
    let names = fs::read_dir(install.folder()).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_is_made_while_a_worker_writes() {
    let install = install().await;
    install.fill(&pages(300)).await;
    fs::set_permissions(install.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let worker = install.start(&["work"]);
    let store = install.store().await;
    let outcomes = async || number(install.file(), "SELECT count(*) FROM outcomes").await;
    until(&*store, "the first outcomes", async || outcomes().await > 20).await;
    let copy = install.folder().join("copy.db");
    let name = copy.display().to_string();
    let made = install.run(&["backup", &name]);
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.out[0].starts_with("wrote 300 documents and ") && made.out[0].ends_with("and checked it"), "{made:?}");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(db::texts(&copy, "PRAGMA integrity_check").await, [Some("ok".to_owned())]);
    assert_eq!(documents(&copy).await, 300);
    // What the copy says of a document belongs together, although a worker wrote meanwhile.
    let torn = "SELECT count(*) FROM captain_documents d WHERE d.last_synced_at IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM outcomes o WHERE o.document_id = d.id)";
    assert_eq!(number(&copy, torn).await, 0);

    let again = install.run(&["backup", &name]);
    assert!(again.code == Some(2) && again.err.contains("exists; name a new file"), "{again:?}");
    let stream = install.run(&["backup", "-"]);
    assert!(stream.code == Some(2) && stream.err.contains("not a stream"), "{stream:?}");
    let nowhere = install.run(&["backup", "/no/such/folder/copy.db"]);
    assert!(nowhere.code == Some(2) && nowhere.err.contains("there is no folder /no/such/folder"), "{nowhere:?}");
    until(&*store, "all outcomes", async || outcomes().await == 300).await;
    store.close().await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().code, Some(0));
    assert!(install.is_sound().await);
    assert_eq!(files(&install).iter().filter(|name| name.starts_with("copy.db")).count(), 1, "{:?}", files(&install));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_replaces_a_store_that_nobody_uses() {
    let install = install().await;
    install.fill(&pages(3)).await;
    assert_eq!(install.run(&["work", "--drain"]).code, Some(0));
    let copy = install.folder().join("copy.db").display().to_string();
    assert_eq!(install.run(&["backup", &copy]).code, Some(0));
    install.fill(&pages(5)).await;
    assert_eq!(install.run(&["work", "--drain"]).code, Some(0));
    let fence = number(install.file(), "SELECT fence FROM sched_clock").await;

    let store = install.store().await;
    let used = install.run(&["backup", "--restore", &copy, "--yes"]);
    assert!(used.code == Some(3) && used.err.contains("a process is using the store"), "{used:?}");
    store.close().await;
    assert_eq!(documents(install.file()).await, 5, "nothing was changed");
    let asks = install.run(&["backup", "--restore", &copy]);
    assert!(asks.code == Some(2) && asks.err.contains("5 documents") && asks.err.contains("3 documents"), "{asks:?}");
    let read_only = install.run(&["backup", "--restore", &copy, "--yes", "--read-only"]);
    assert!(read_only.code == Some(2) && read_only.err.contains("--read-only"), "{read_only:?}");

    let restored = install.run(&["backup", "--restore", &copy, "--yes"]);
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert!(restored.out[0].starts_with("restored 3 documents and 3 outcomes"), "{restored:?}");
    assert_eq!((documents(install.file()).await, install.is_sound().await), (3, true));
    assert!(number(install.file(), "SELECT fence FROM sched_clock").await >= fence, "numbers of leases only grow");
    let before = restored.out[1].strip_prefix("the store from before is in ").unwrap();
    assert_eq!(documents(Path::new(before)).await, 5);
    let synced = install.run(&["sync", "--all", "--yes", "--wait"]);
    assert_eq!(synced.code, Some(0), "the restored store works: {synced:?}");

    // Into the place of a store that is gone.
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(format!("{}{end}", install.file().display()));
    }
    let anew = install.run(&["backup", "--restore", &copy, "--yes", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&anew.out[0]).unwrap();
    assert_eq!((anew.code, &json["documents"], &json["replaced_copy"]), (Some(0), &3.into(), &serde_json::Value::Null));
    assert_eq!(documents(install.file()).await, 3);
    assert_eq!(fs::metadata(install.file()).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_sound_backup_is_refused_and_the_store_stays() {
    let install = install().await;
    install.fill(&pages(2)).await;
    let copy = install.folder().join("copy.db").display().to_string();
    assert_eq!(install.run(&["backup", &copy]).code, Some(0));
    let mut torn = fs::read(&copy).unwrap();
    let (from, to) = (torn.len() / 4, torn.len() / 2);
    torn[from..to].fill(0xa5);
    let torn = install.write("torn.db", torn).display().to_string();
    let other = install.write("other.db", "");
    db::execute(&other, "CREATE TABLE notes (id INTEGER)").await;
    let (other, text) = (other.display().to_string(), install.write("text", "no database").display().to_string());
    let own = install.file().display().to_string();
    for (file, says) in [
        (torn.as_str(), "damaged"),
        (&other, "belongs to another program"),
        (&text, "is not an SQLite database"),
        ("/no/such/file", "there is no such file"),
        (&own, "is the store itself"),
    ] {
        let refused = install.run(&["backup", "--restore", file, "--yes"]);
        assert!(refused.code == Some(2) && refused.err.contains(says), "{file}: {refused:?}");
        assert_eq!(documents(install.file()).await, 2, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_leaves_the_old_store_or_the_new_one_and_no_half_backup() {
    // Enough for several steps of a restore.
    let install = install_with(4_000).await;
    install.fill(&pages(80)).await;
    assert_eq!(install.run(&["work", "--drain"]).code, Some(0));
    let copy = install.folder().join("copy.db").display().to_string();
    let killed = install.start_with(&[("QUARTERDECK_FAULT", "backup_written:abort:")], &["backup", &copy]).ended();
    assert_eq!(killed.signal, ABORTED, "{killed:?}");
    assert!(!Path::new(&copy).exists(), "no file has the name of the backup");
    assert_eq!(install.run(&["backup", &copy]).code, Some(0));
    assert!(!Path::new(&format!("{copy}.unfinished")).exists(), "{:?}", files(&install));
    install.fill(&pages(90)).await;
    let arguments = ["backup", "--restore", copy.as_str(), "--yes"];
    for point in ["before_copy", "copy_written", "copied", "restoring"] {
        let fault = format!("{point}:abort:");
        let killed = install.start_with(&[("QUARTERDECK_FAULT", &fault)], &arguments).ended();
        assert_eq!(killed.signal, ABORTED, "{point}: {killed:?}");
        let listed = install.run(&["add", "https://example.org/1"]);
        assert_eq!(listed.code, Some(0), "{point}: {listed:?}");
        assert_eq!((documents(install.file()).await, install.is_sound().await), (91, true), "{point}");
    }
    assert_eq!(install.run(&arguments).code, Some(0));
    assert_eq!((documents(install.file()).await, install.is_sound().await), (80, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_left_to_its_own_tools_and_no_password_is_printed() {
    let install = install().await;
    let env = [("QUARTERDECK_STORE", "postgres://ana:secret@db.test:6543/know%20how")];
    for (arguments, command) in [
        (
            vec!["backup", "a b.dump"],
            "  pg_dump --host=db.test --port=6543 --username=ana '--dbname=know how' \
             --format=custom --schema=public --schema=quarterdeck '--file=a b.dump'",
        ),
        (
            vec!["backup", "--restore", "k.dump"],
            "  pg_restore --host=db.test --port=6543 --username=ana \
             '--dbname=know how' --clean --if-exists --single-transaction k.dump",
        ),
    ] {
        let said = install.start_with(&env, &arguments).ended();
        assert!(said.code == Some(2) && said.err.contains(command), "{said:?}");
        assert!(!said.err.contains("secret"), "{said:?}");
    }
}
