//! Tests the copy that is made of a file before it is migrated.

use super::filled::TABLES;
use super::{BEFORE, FILE, install};
use crate::bad_input::disk::Disk;
use crate::support::db;
use crate::support::install::Install;
use crate::support::site::{Site, html};
use quarterdeck::store::SCHEMA_VERSION;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Returns the files next to a store that are not part of it.
pub fn beside(store: &Path) -> Vec<PathBuf> {
    let name = store.file_name().unwrap().to_string_lossy().into_owned();
    let parts = [name.clone(), format!("{name}-wal"), format!("{name}-shm"), format!("{name}.workers")];
    let mut found: Vec<_> = fs::read_dir(store.parent().unwrap())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| {
            let found = path.file_name().unwrap().to_string_lossy();
            found.starts_with(&name) && !parts.contains(&found.to_string())
        })
        .collect();
    found.sort();
    found
}

async fn version_of(file: &Path) -> i64 {
    db::integers(file, "PRAGMA user_version").await[0].unwrap()
}

/// Columns that versions after the fixture's have added.
const LATER_COLUMNS: [&str; 34] = [
    "schema_version",
    "body_digest",
    "unfetchable",
    "template_version",
    "machine",
    "boot_id",
    "uptime",
    "heartbeats",
    "lease",
    "main_digest",
    "generation",
    "generation_seen_at",
    "text_at",
    "epoch",
    "is_copy",
    "text_seq",
    "first_text_seq",
    "text_version",
    "text_changed_at",
    "last_content",
    "restored_version",
    "stages",
    "outcome_seq",
    "packed",
    "failure_cluster",
    "failed_since",
    "failed_at",
    "tried_at",
    "opens_at",
    "at_rule",
    "day_window",
    "lastmod",
    "sources",
    "batch_id",
];

/// Returns every row of every table, as text.
async fn rows(file: &Path) -> Vec<Option<String>> {
    let mut rows = Vec::new();
    for table in TABLES {
        let columns = db::texts(file, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
        // Columns of later versions are empty.
        let columns = columns.into_iter().flatten().filter(|column| !LATER_COLUMNS.contains(&column.as_str()));
        let columns: Vec<_> = columns.map(|column| format!("quote({column})")).collect();
        rows.extend(
            db::texts(file, &format!("SELECT '{table} ' || {} FROM {table}", columns.join(" || ' ' || "))).await,
        );
    }
    rows
}

/// Asserts that there is one copy next to the store, with the data of the old store; returns its path.
pub async fn assert_copied(install: &Install) -> PathBuf {
    let copies = beside(install.file());
    assert_eq!(copies.len(), 1, "{copies:?}");
    let name = copies[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(name.starts_with(&format!("q.db.v{BEFORE}.20")) && name.ends_with("Z.backup"), "{name}");
    assert_eq!(version_of(&copies[0]).await, BEFORE);
    assert_eq!(db::texts(&copies[0], "PRAGMA integrity_check").await, [Some("ok".to_owned())]);
    let before = install.write("before.db", FILE);
    assert_eq!(rows(&copies[0]).await, rows(&before).await);
    copies[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verb_that_finds_an_old_store_copies_it_migrates_it_and_says_where_the_copy_is() {
    let install = install().await;
    fs::set_permissions(install.file(), fs::Permissions::from_mode(0o640)).unwrap();
    let before = rows(install.file()).await;
    let listed = install.run(&["list"]);
    assert_eq!((listed.code, listed.out.len()), (Some(3), 0), "{listed:?}");
    assert!(listed.err.contains("run `quarterdeck migrate`"), "reading migrates nothing: {}", listed.err);
    assert_eq!(version_of(install.file()).await, BEFORE);
    let added = install.run(&["add", "https://example.org/new"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let copy = assert_copied(&install).await;
    let says = format!(
        "the store was migrated from version {BEFORE} to {SCHEMA_VERSION}; a copy from before the migration is at "
    );
    assert!(added.err.contains(&says) && added.err.contains(&copy.display().to_string()), "{}", added.err);
    let (store, copied) = (fs::metadata(install.file()).unwrap(), fs::metadata(&copy).unwrap());
    assert_eq!((copied.mode() & 0o7777, copied.uid(), copied.gid()), (0o640, store.uid(), store.gid()));
    assert_eq!(version_of(install.file()).await, SCHEMA_VERSION);
    db::execute(install.file(), "DELETE FROM captain_documents WHERE external_link = 'https://example.org/new'").await;
    db::execute(install.file(), "DELETE FROM document_state WHERE host = 'example.org'").await;
    // The outbox has a different form since version 10; the tests of fixtures check its rows. Lanes are derived from the
    // jobs, and those of jobs that have lost one worker are no longer apart.
    let others = |mut rows: Vec<Option<String>>| {
        let differs = |row: &str| row.starts_with("outbox ") || row.starts_with("lanes ");
        rows.retain(|row| !row.as_deref().is_some_and(differs));
        rows
    };
    assert_eq!(others(rows(install.file()).await), others(before), "the rows are what they were");
    let again = install.run(&["list"]);
    assert_eq!((again.code, again.err.contains("migrated")), (Some(0), false), "said once: {again:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_copy_is_kept_and_nothing_else_is_touched() {
    let install = install().await;
    let store = install.file().to_owned();
    let ours =
        ["q.db.v7.20200101T000000Z.backup", "q.db.v8.20200101T000000Z.backup", "q.db.v8.20200101T000000Z.backup.tmp"];
    let others = ["q.db.backup", "q.db.v8.backup", "q.db.v8.mine.backup", "other.db.v7.20200101T000000Z.backup"];
    for name in ours.iter().chain(&others) {
        install.write(name, "kept?");
    }
    let migrated = install.run(&["migrate"]);
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    for name in others {
        let path = install.folder().join(name);
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept?", "{name}");
        fs::remove_file(path).unwrap();
    }
    let copy = assert_copied(&install).await;
    assert!(migrated.out.contains(&format!("copied to {}", copy.display())), "{migrated:?}");
    assert_eq!(beside(&store), [copy], "those of before are gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_copy_is_made_of_nothing_or_when_none_is_wanted() {
    let unwanted = install().await;
    let planned = unwanted.run(&["migrate", "--no-backup", "--dry-run"]);
    assert!(planned.out.iter().all(|line| !line.contains("copy")), "{planned:?}");
    let migrated = unwanted.run(&["migrate", "--no-backup"]);
    assert_eq!((migrated.code, beside(unwanted.file())), (Some(0), vec![]), "{migrated:?}");
    assert_eq!(version_of(unwanted.file()).await, SCHEMA_VERSION);
    // A store that was created and never filled.
    let empty = install().await;
    for table in ["captain_documents", "outcomes"] {
        db::execute(empty.file(), &format!("DELETE FROM {table}")).await;
    }
    let migrated = empty.run(&["migrate"]);
    assert_eq!((migrated.code, beside(empty.file())), (Some(0), vec![]), "{migrated:?}");
    // A store that does not exist.
    let new = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let made = new.run(&["migrate"]);
    assert_eq!((made.code, beside(new.file())), (Some(0), vec![]), "{made:?}");
    let server =
        new.start_with(&[("QUARTERDECK_STORE", "postgres://localhost/x")], &["migrate", "--no-backup"]).ended();
    assert!(server.code == Some(2) && server.err.contains("--no-backup is for SQLite"), "{server:?}");
}

/// Asserts that the program refused and that the store is unchanged.
async fn assert_refused(install: &Install, ran: &crate::support::install::Ended, says: &[&str]) {
    assert_eq!((ran.code, ran.out.last().map(String::as_str) == Some("done")), (Some(3), false), "{ran:?}");
    for say in says {
        assert!(ran.err.contains(say), "no {say:?} in {}", ran.err);
    }
    assert!(ran.err.contains("quarterdeck migrate --no-backup") && ran.err.contains("q.db"), "{}", ran.err);
    assert_eq!(version_of(install.file()).await, BEFORE);
    assert!(install.is_sound().await);
    assert_eq!(beside(install.file()), Vec::<PathBuf>::new(), "half a copy is no copy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_room_for_a_copy_nothing_is_migrated() {
    // Too small from the start: the copy needs more space than the file's own size.
    let Some(disk) = Disk::mounted(2_048) else { return };
    let install = install().await.with_store(disk.path("q.db"));
    fs::write(install.file(), FILE).unwrap();
    for args in [vec!["migrate"], vec!["add", "https://example.org/new"]] {
        assert_refused(&install, &install.run(&args), &["not enough disk space for the copy", "free some space"]).await;
    }
    let migrated = install.run(&["migrate", "--no-backup"]);
    assert_eq!((migrated.code, version_of(install.file()).await), (Some(0), SCHEMA_VERSION), "{migrated:?}");

    // Full only when the copy's own file is written: SQLite's log has taken the last two.
    let Some(disk) = Disk::mounted(16_384) else { return };
    let install = install.with_store(disk.path("q.db"));
    fs::write(install.file(), FILE).unwrap();
    disk.leave_files(2);
    assert_refused(&install, &install.run(&["migrate"]), &["cannot be written", "No space left"]).await;
}

/// A limit on the file size stops the copy half way, as a full disk does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_fails_half_way_leaves_the_store_as_it_was() {
    let install = install().await;
    let mut shell = std::process::Command::new("sh");
    let limit = "trap '' XFSZ; ulimit -f 64; exec \"$0\" migrate";
    shell.args(["-c", limit, env!("CARGO_BIN_EXE_quarterdeck")]);
    assert_refused(&install, &install.spawn(shell).ended(), &["cannot be written", "was not changed"]).await;
    let migrated = install.run(&["migrate"]);
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    assert_copied(&install).await;
}
