//! Tests migrations while a worker of an older version runs.

use super::copies::beside;
use super::{BEFORE, fixture, install, set_version, version};
use crate::store::support::Backend;
use crate::support::install::Install;
use crate::support::place::Place;
use crate::support::site::{Site, html};
use quarterdeck::store::{self, OlderWorker, SCHEMA_VERSION};
use rustix::process::Signal;
use sha2::{Digest as _, Sha256};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::fs::File;
use std::str::FromStr as _;

/// The lock of a live process: the worker of the fixtures.
enum Alive {
    File(File),
    Session(PgConnection),
}

impl Alive {
    async fn of(place: &Place) -> Self {
        if place.either("sqlite", "postgres") == "sqlite" {
            return Self::on(&place.file());
        }
        let digest = Sha256::digest("quarterdeck worker w1");
        let key = i64::from_be_bytes(digest[..8].try_into().unwrap());
        let mut session = PgConnectOptions::from_str(&place.url()).unwrap().connect().await.unwrap();
        sqlx::query("SELECT pg_advisory_lock($1)").bind(key).execute(&mut session).await.unwrap();
        Self::Session(session)
    }

    fn on(store: &std::path::Path) -> Self {
        let folder = store.with_extension("db.workers");
        std::fs::create_dir_all(&folder).unwrap();
        let file = File::create(folder.join("w1")).unwrap();
        file.try_lock().unwrap();
        Self::File(file)
    }

    async fn dies(self) {
        match self {
            Self::File(file) => drop(file),
            Self::Session(session) => session.close().await.unwrap(),
        }
    }
}

async fn at(place: &Place) -> Install {
    Install::new(Site::start(|_, _| html("T", "text")).await, "").with_store(match place.either("sqlite", "postgres") {
        "sqlite" => place.file(),
        _ => place.folder().join("none.db"),
    })
}

async fn migrate_names_older_workers_and_waits_for_their_end(on: Backend) {
    let place = fixture(on).await;
    let (install, url) = (at(&place).await, place.url());
    let env = [("QUARTERDECK_STORE", url.as_str())];
    let worker = Alive::of(&place).await;
    let older = OlderWorker { name: "host:w1".into(), version: None };
    assert_eq!(store::older_workers(&url).await.unwrap(), [older]);
    let planned = install.start_with(&env, &["migrate", "--dry-run"]).ended();
    assert!(planned.code == Some(0) && planned.err.contains("an older version are running: host:w1"), "{planned:?}");

    let waiting = install.start_with(&env, &["migrate"]);
    let says = waiting.until_says("waiting for these workers to end: host:w1");
    assert!(says.contains("--force") && says.contains("do not notice"), "{says}");
    waiting.signal(Signal::INT);
    let ended = waiting.ended();
    assert_eq!((ended.code, version(&place).await), (Some(130), BEFORE), "{ended:?}");
    assert!(ended.err.contains("the store was not changed") && !ended.out.contains(&"done".to_owned()), "{ended:?}");
    if on == Backend::Sqlite {
        assert!(beside(&place.file()).is_empty(), "an interrupt leaves everything as it is");
    }

    let waiting = install.start_with(&env, &["migrate"]);
    waiting.until_says("waiting for these workers to end: host:w1");
    assert_eq!(version(&place).await, BEFORE);
    worker.dies().await;
    let ended = waiting.ended();
    assert_eq!((ended.code, version(&place).await), (Some(0), SCHEMA_VERSION), "{ended:?}");
    assert_eq!(ended.err.matches("waiting for").count(), 1, "said once: {}", ended.err);
}

async fn force_goes_on_at_once(on: Backend) {
    let place = fixture(on).await;
    let (install, url) = (at(&place).await, place.url());
    let worker = Alive::of(&place).await;
    let ended = install.start_with(&[("QUARTERDECK_STORE", &url)], &["migrate", "--force"]).ended();
    assert_eq!((ended.code, ended.err.as_str(), version(&place).await), (Some(0), "", SCHEMA_VERSION), "{ended:?}");
    // A worker that still runs is no reason to wait once there is nothing to migrate.
    assert_eq!(store::older_workers(&url).await.unwrap(), []);
    worker.dies().await;
}

/// Since the version that stores it, the worker's own version is reported.
async fn a_worker_that_says_its_version_is_named_with_it_and_one_of_this_version_is_not(on: Backend) {
    let place = fixture(on).await;
    let url = place.url();
    store::upgrade(&url, store::UpgradeOptions { standalone: false, backup: false, force: true }).await.unwrap();
    let worker = Alive::of(&place).await;
    // The state that a program of the next version finds.
    let found = async |worker: i64| {
        place.sql(&format!("UPDATE workers SET schema_version = {worker}")).await;
        set_version(&place, SCHEMA_VERSION - 1).await;
        let found = store::older_workers(&url).await.unwrap();
        set_version(&place, SCHEMA_VERSION).await;
        found
    };
    assert_eq!(found(SCHEMA_VERSION).await, []);
    let named = found(SCHEMA_VERSION - 1).await;
    assert_eq!(named, [OlderWorker { name: "host:w1".into(), version: Some(SCHEMA_VERSION - 1) }]);
    assert_eq!(OlderWorker::names(&named), format!("host:w1 (version {})", SCHEMA_VERSION - 1));
    worker.dies().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_verb_migrates_a_file_under_a_live_worker_without_being_told_to() {
    let install = install().await;
    let worker = Alive::on(install.file());
    for verb in [vec!["add", "https://example.org/new"], vec!["work", "--drain"], vec!["sync", "1"]] {
        let ran = install.run(&verb);
        assert_eq!(ran.code, Some(3), "{verb:?}: {ran:?}");
        for say in ["q.db: the store has version 8", "is using it: host:w1", "quarterdeck migrate --force"] {
            assert!(ran.err.contains(say), "{verb:?}: no {say:?} in {}", ran.err);
        }
    }
    assert_eq!(crate::support::db::integers(install.file(), "PRAGMA user_version").await, [Some(BEFORE)]);
    worker.dies().await;
    assert_eq!(install.run(&["add", "https://example.org/new"]).code, Some(0));
}

/// The migration waits for the commit of a transaction that began before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_of_a_server_waits_for_write_transactions() {
    let place = fixture(Backend::Postgres).await;
    let mut writer = PgConnectOptions::from_str(&place.url()).unwrap().connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT max(version) FROM quarterdeck.migrations").execute(&mut writer).await.unwrap();
    let url = place.url();
    let migrating = tokio::spawn(async move { store::migrate(&url, false, &mut |_| {}).await });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'";
    while place.number(waits).await == Some(0) {
        assert!(!migrating.is_finished());
        tokio::task::yield_now().await;
    }
    sqlx::raw_sql("UPDATE quarterdeck.workers SET capacity = 7; COMMIT").execute(&mut writer).await.unwrap();
    migrating.await.unwrap().unwrap();
    assert_eq!(place.number("SELECT capacity FROM workers").await, Some(7));
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    migrate_names_older_workers_and_waits_for_their_end,
    force_goes_on_at_once,
    a_worker_that_says_its_version_is_named_with_it_and_one_of_this_version_is_not,
}
