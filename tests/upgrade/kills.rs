//! Tests processes that die while they migrate a store: at every fault point, and at random moments. The next start
//! completes the migration.

use super::copies::{assert_copied, beside};
use super::{BEFORE, FILE, install, version};
use crate::support::db;
use crate::support::figures::Figures;
use crate::support::fleet::Random;
use crate::support::install::Install;
use crate::support::place::Place;
use crate::support::postgres;
use crate::support::site::{Site, html};
use quarterdeck::store::{self, Access, SCHEMA_VERSION};
use rustix::process::Signal;
use sqlx::Connection as _;
use std::time::Duration;

const ABORTED: Option<i32> = Some(6);

async fn version_of(install: &Install) -> i64 {
    db::integers(install.file(), "PRAGMA user_version").await[0].unwrap()
}

/// Returns the statements of the migrations after the fixture's version; one fault point follows each.
fn statements() -> Vec<String> {
    let mut points = Vec::new();
    for version in BEFORE + 1..=SCHEMA_VERSION {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/migrations/sqlite");
        let file = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let file = file
            .into_iter()
            .find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&format!("{version:04}_")));
        let text = std::fs::read_to_string(file.unwrap()).unwrap();
        let code: String = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        let count = count_statements(&code);
        assert!(count > 0);
        points.extend((1..=count).map(|n| format!("migrating:abort:version {version}, statement {n}.")));
    }
    points
}

/// Counts the statements of a script. The statements within a trigger belong to it.
fn count_statements(code: &str) -> usize {
    let (mut count, mut in_trigger) = (0, false);
    for piece in code.split_terminator(';') {
        in_trigger |= piece.trim_start().starts_with("CREATE TRIGGER");
        in_trigger &= piece.trim() != "END";
        count += usize::from(!in_trigger);
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_whole_whenever_its_migration_is_killed() {
    let mut points: Vec<_> = ["before_copy", "copy_written", "copied"].map(|point| format!("{point}:abort:")).into();
    points.extend(statements());
    points.extend(["before_commit:abort:".to_owned(), "migrated:abort:".to_owned()]);
    Figures { size: points.len(), faults: points.len(), kills: points.len(), ..Figures::default() }.note();
    for point in points {
        let install = install().await;
        let killed = install.start_with(&[("QUARTERDECK_FAULT", &point)], &["migrate"]).ended();
        assert_eq!(killed.signal, ABORTED, "{point}: {killed:?}");
        let done = point.starts_with("migrated");
        assert_eq!(version_of(&install).await, if done { SCHEMA_VERSION } else { BEFORE }, "{point}");
        assert!(install.is_sound().await, "{point}");
        let noted = db::integers(install.file(), "SELECT count(*) FROM sqlite_master WHERE name = 'migrations'").await;
        assert_eq!(noted, [Some(i64::from(done))], "{point}: all of it or nothing");
        let again = install.run(&["add", "https://example.org/new"]);
        assert_eq!((again.code, version_of(&install).await), (Some(0), SCHEMA_VERSION), "{point}: {again:?}");
        assert_copied(&install).await;
        assert!(install.is_sound().await, "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_killed_while_it_is_made_is_made_by_the_next() {
    for version in 1..=SCHEMA_VERSION {
        let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
        let point = format!("migrating:abort:version {version}, statement 1.");
        let killed = install.start_with(&[("QUARTERDECK_FAULT", &point)], &["add", "https://example.org/new"]).ended();
        assert_eq!(killed.signal, ABORTED, "{point}: {killed:?}");
        let again = install.run(&["add", "https://example.org/new"]);
        assert_eq!((again.code, again.out.len()), (Some(0), 1), "{point}: {again:?}");
        assert!(install.is_sound().await && beside(install.file()).is_empty(), "{point}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_is_set_up_whenever_that_was_killed() {
    let place = Place::on(postgres::empty().await);
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let (url, mut kills) = (place.url(), 0);
    let run = |point: &str| {
        let env = [("QUARTERDECK_STORE", url.as_str()), ("QUARTERDECK_FAULT", point)];
        install.start_with(&env, &["migrate", "--standalone"]).ended()
    };
    let mut steps: Vec<_> = (1..=SCHEMA_VERSION).map(|version| format!("version {version}")).collect();
    steps.insert(0, "create schema".into());
    steps.extend(["create table captain_documents".into(), "create table accounts".into()]);
    for step in &steps {
        for point in
            [format!("migrating:abort:{step}"), format!("before_commit:abort:{step}"), format!("migrated:abort:{step}")]
        {
            let killed = run(&point);
            assert_eq!(killed.signal, ABORTED, "{point}: {killed:?}");
            kills += 1;
            let refused = store::open(&url, Access::Write).await.is_err();
            assert!(refused || step.starts_with("create table"), "{point}: what is not set up is not opened");
        }
    }
    let done = run("");
    assert_eq!((done.code, version(&place).await), (Some(0), SCHEMA_VERSION), "{done:?}");
    assert_eq!(place.number("SELECT count(*) FROM migrations WHERE length(checksum) = 64").await, Some(SCHEMA_VERSION));
    let store = store::open(&url, Access::Write).await.unwrap();
    assert_eq!(store.counts().await.unwrap().total(), 0);
    store.close().await;
    Figures { size: steps.len(), faults: kills, kills, ..Figures::default() }.note();
    println!("{kills} kills of a set-up");
}

/// Number of rounds: small by default; `QUARTERDECK_CHAOS=DOCUMENTS,FAULTS` sets the full size.
fn rounds() -> usize {
    let text = std::env::var("QUARTERDECK_CHAOS").unwrap_or_default();
    text.split_once(',').and_then(|(_, faults)| faults.parse().ok()).unwrap_or(4)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_moments_lose_nothing() {
    let big = install().await;
    // 16 MB: copying takes some tens of milliseconds.
    let mut conn = db::connect(big.file()).await;
    sqlx::query(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2000) \
         INSERT INTO captain_documents (external_link, assistant_id, account_id, created_at, updated_at, content) \
         SELECT 'https://big.test/' || n, 9, 9, 0, 0, hex(randomblob(4000)) FROM n",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    conn.close().await.unwrap();
    let whole = std::fs::read(big.file()).unwrap();
    assert!(whole.len() > FILE.len() + 15_000_000);
    let mut random = Random::new(12);
    let mut found = [0; 2];
    for round in 0..rounds() {
        let install = install().await;
        std::fs::write(install.file(), &whole).unwrap();
        for kill in 0..4 {
            let process = install.start(&["migrate"]);
            // About the time that a start, a copy and the migration take together.
            tokio::time::sleep(Duration::from_millis(random.below(150) as u64)).await;
            process.signal(Signal::KILL);
            let ended = process.ended();
            let version = version_of(&install).await;
            assert!(version == BEFORE || version == SCHEMA_VERSION, "{round}.{kill}: {version}, {ended:?}");
            found[usize::from(version == SCHEMA_VERSION)] += 1;
            if version == SCHEMA_VERSION {
                break;
            }
        }
        let again = install.run(&["migrate"]);
        assert_eq!((again.code, version_of(&install).await), (Some(0), SCHEMA_VERSION), "{round}: {again:?}");
        let copies = beside(install.file());
        assert_eq!(copies.len(), 1, "{round}: {copies:?}");
        for file in [install.file(), copies[0].as_path()] {
            let count = db::integers(file, "SELECT count(*) FROM captain_documents WHERE account_id = 9").await;
            assert_eq!(count, [Some(2_000)], "{round}");
            assert_eq!(db::texts(file, "PRAGMA integrity_check").await, [Some("ok".to_owned())], "{round}");
        }
    }
    let kills = found.iter().sum();
    Figures { size: rounds(), faults: kills, kills, ..Figures::default() }.note();
    println!("random kills: {} before the commit, {} after it", found[0], found[1]);
}

/// Eight processes open a file of the earlier version at once: it is copied and migrated once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_that_find_an_old_file_migrate_it_once() {
    let install = install().await;
    let started: Vec<_> = (0..8).map(|n| install.start(&["add", &format!("https://example.org/{n}")])).collect();
    let ended: Vec<_> = started.into_iter().map(crate::support::install::Process::ended).collect();
    assert!(ended.iter().all(|ended| ended.code == Some(0)), "{ended:?}");
    assert_eq!(ended.iter().filter(|ended| ended.err.contains("was migrated from version")).count(), 1, "{ended:?}");
    assert_copied(&install).await;
    assert_eq!((version_of(&install).await, install.is_sound().await), (SCHEMA_VERSION, true));
}
