//! Tests `doctor --compact` with the real program: it makes a file smaller that does not shrink by itself, refuses while
//! somebody uses the store or the disk is too full, and changes nothing when it does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use crate::bad_input::disk::Disk;
use crate::support::db;
use crate::support::install::Install;
use crate::support::site::{Site, html};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

/// Makes a store whose file does not shrink by itself, as earlier versions made them, and is mostly unused.
async fn swollen(install: &Install) -> u64 {
    let added = install.run(&["add", "https://example.org/page"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let mut conn = db::connect(install.file()).await;
    for statement in [
        "PRAGMA journal_mode = DELETE",
        "PRAGMA auto_vacuum = NONE",
        "VACUUM",
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE ballast AS WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 3000) \
         SELECT n, zeroblob(3000) AS z FROM n",
        "DROP TABLE ballast",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    ] {
        sqlx::raw_sql(statement).execute(&mut conn).await.unwrap();
    }
    sqlx::Connection::close(conn).await.unwrap();
    assert_eq!(db::integers(install.file(), "PRAGMA auto_vacuum").await, [Some(0)]);
    fs::metadata(install.file()).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_compacted_and_shrinks_by_itself_from_then_on() {
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let before = swollen(&install).await;
    fs::set_permissions(install.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let asked = install.run(&["doctor", "--compact"]);
    assert!(asked.code == Some(2) && asked.err.contains("confirm with --yes"), "{asked:?}");
    let listed = install.run(&["list", "--json"]).out;
    let compacted = install.run(&["doctor", "--compact", "--yes"]);
    assert!(compacted.err.contains("was compacted from 1"), "{compacted:?}");
    let disk = install.run(&["doctor", "--full"]);
    assert!(disk.out.iter().any(|line| line.contains("disk") && line.contains("the store takes")), "{disk:?}");
    let after = fs::metadata(install.file()).unwrap();
    assert!(after.len() * 10 < before, "{} of {before}", after.len());
    assert_eq!(after.mode() & 0o777, 0o640);
    assert_eq!(db::integers(install.file(), "PRAGMA auto_vacuum").await, [Some(2)]);
    assert_eq!(install.run(&["list", "--json"]).out, listed);
    assert!(install.is_sound().await);
    let folder: Vec<String> = fs::read_dir(install.file().parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("compacting"))
        .collect();
    assert_eq!(folder, Vec::<String>::new());
    let added = install.run(&["add", "https://example.org/other"]);
    assert_eq!(added.code, Some(0), "{added:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_use_is_not_compacted_and_its_workers_are_named() {
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let before = swollen(&install).await;
    let worker = install.start(&["work"]);
    crate::support::install::until(&*install.store().await, "the worker is registered", async || {
        db::integers(install.file(), "SELECT count(*) FROM workers").await == [Some(1)]
    })
    .await;
    let refused = install.run(&["doctor", "--compact", "--yes"]);
    let name = format!(":{} is using the store; stop every console and worker", worker.id());
    assert!(refused.code == Some(3) && refused.err.contains(&name), "{name}: {refused:?}");
    assert!(fs::metadata(install.file()).unwrap().len() >= before);
    let added = install.run(&["add", "https://example.org/other"]);
    assert_eq!(added.code, Some(0), "others go on: {added:?}");
    worker.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_too_full_and_a_server_are_refused() {
    let server = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let args = ["doctor", "--compact", "--yes"];
    let ended = server.start_with(&[("QUARTERDECK_STORE", "postgres://localhost/x")], &args).ended();
    assert!(ended.code == Some(2) && ended.err.contains("autovacuum"), "{ended:?}");
    let Some(disk) = Disk::mounted(65_536) else { return };
    let install = server.with_store(disk.path("q.db"));
    let before = swollen(&install).await;
    disk.fill();
    let refused = install.run(&args);
    assert!(refused.code == Some(3) && refused.err.contains("not enough disk space?"), "{refused:?}");
    // SQLite's own small files have space, the compacted one has not.
    let filler = fs::OpenOptions::new().write(true).open(disk.path("filler")).unwrap();
    filler.set_len(filler.metadata().unwrap().len() - 300_000).unwrap();
    let refused = install.run(&args);
    assert!(refused.code == Some(3) && refused.err.contains("not enough disk space"), "{refused:?}");
    assert!(refused.err.contains("MB are needed and"), "{refused:?}");
    assert_eq!(fs::metadata(install.file()).unwrap().len(), before);
    assert!(install.is_sound().await);
}
