//! Tests which stores are opened, created and refused.

use super::support::{Backend, START, Scene, fetched, new, open, permanent, request, worker};
use crate::support::limit::{is_announced, until, until_announced, within};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::{DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::store::{
    self, Access, DocumentStore, Finish, FinishResult, JobStore, ManualClock, Options, Queries, Store, StoreBase,
    StoreError,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

async fn refused(path: &Path, access: Access) -> String {
    match store::open(&url(path), access).await {
        Err(StoreError::Unusable(message) | StoreError::Address(message)) => message,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("was opened"),
    }
}

async fn script(path: &Path, sql: &'static str) {
    let mut conn = SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

fn files(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_new_store_is_made_with_its_folder_and_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/knowledge.db");
    let message = refused(&path, Access::Write).await;
    assert!(message.contains("no store here"), "{message}");
    assert!(files(folder.path()).is_empty(), "only Create makes anything");
    let made = store::open(&url(&path), Access::Create).await.unwrap();
    assert_eq!(made.label().as_str(), "sqlite knowledge.db");
    made.add(&[new(1, "https://a.test/x")]).await.unwrap();
    made.close().await;
    let again = store::open(&url(&path), Access::Write).await.unwrap();
    assert_eq!(again.counts().await.unwrap().of(Status::Never), 1);
    again.close().await;
    let after = again.add(&[new(1, "https://a.test/y")]).await;
    assert!(matches!(after, Err(StoreError::Unavailable(_))), "{after:?}");
    assert_eq!(files(path.parent().unwrap()), BTreeSet::from(["knowledge.db".to_owned()]), "nothing is left beside");
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "just some notes, longer than a header").unwrap();
    assert!(refused(&text, Access::Create).await.contains("not an SQLite database"));
    let foreign = folder.path().join("foreign.db");
    script(&foreign, "CREATE TABLE people (name TEXT); INSERT INTO people VALUES ('ana')").await;
    let before = std::fs::read(&foreign).unwrap();
    assert!(refused(&foreign, Access::Create).await.contains("another program"));
    assert!(refused(&foreign, Access::ReadOnly).await.contains("another program"));
    assert_eq!(std::fs::read(&foreign).unwrap(), before);
    assert!(refused(folder.path(), Access::Create).await.contains("is a folder"));
    assert_eq!(files(folder.path()).len(), 2);
    let newer = Scene::new(Backend::Sqlite).await;
    newer.store.close().await;
    newer.sql("PRAGMA user_version = 99").await;
    for access in [Access::Create, Access::ReadOnly] {
        assert!(refused(&newer.path(), access).await.contains("newer"));
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_store_only_when_one_may_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.db");
    std::fs::write(&path, "").unwrap();
    assert!(refused(&path, Access::Write).await.contains("no store in this file"));
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    store::open(&url(&path), Access::Create).await.unwrap().close().await;
}

#[tokio::test]
async fn a_file_that_may_not_be_written_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(Backend::Sqlite).await;
    scene.store.close().await;
    std::fs::set_permissions(scene.path(), std::fs::Permissions::from_mode(0o444)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(scene.path()).is_ok() {
        // Root may write everything; only a read-only mount would stop it.
        return;
    }
    assert!(refused(&scene.path(), Access::Write).await.contains("is not writable"));
    store::open(&url(&scene.path()), Access::ReadOnly).await.unwrap();
}

#[tokio::test]
async fn reading_alone_makes_no_file_and_writes_nothing() {
    let scene = Scene::new(Backend::Sqlite).await;
    let (_, job) = scene.running("https://a.test/x").await;
    let finished = scene.finish(&job, fetched("T", "x", ContentChange::First)).await;
    assert!(matches!(finished, FinishResult::Written { .. }));
    scene.store.close().await;
    let before = files(scene.place.folder());
    let reader = open(&scene.place.url(), scene.clock.clone(), Access::ReadOnly).await;
    assert_eq!(reader.counts().await.unwrap().of(Status::Synced), 1);
    assert_eq!(reader.last_seq().await.unwrap(), Seq(1));
    let one = [DocumentId(1)];
    let refused = [
        reader.add(&[]).await.map(drop),
        reader.request(&one, &request(QueueClass::Manual)).await.map(drop),
        reader.cancel(&one, &"ana".into()).await.map(drop),
        reader.remove(&one, &"ana".into()).await.map(drop),
        reader.register(&worker("w9")).await,
        reader.unregister(&worker("w9").id).await,
        reader.claim(&worker("w9").id, super::support::limits(1)).await.map(drop),
        reader.heartbeat(&worker("w9").id, &[], Duration::from_secs(30)).await.map(drop),
        reader
            .finish(
                Finish { lease: job.lease, end: permanent(), duration: Duration::ZERO, stages: None },
                &Default::default(),
            )
            .await
            .map(drop),
        reader.release(&[job.lease]).await,
        reader.rescue().await.map(drop),
    ];
    for (place, refused) in refused.into_iter().enumerate() {
        assert!(matches!(refused, Err(StoreError::ReadOnly)), "{place}: {refused:?}");
    }
    reader.close().await;
    assert_eq!(files(scene.place.folder()), before);
}

async fn a_reader_sees_what_a_writer_commits_meanwhile(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.close().await;
    let reader = open(&scene.place.url(), scene.clock.clone(), Access::ReadOnly).await;
    assert_eq!(reader.counts().await.unwrap().total(), 0);
    let writer = open(&scene.place.url(), scene.clock.clone(), Access::Write).await;
    writer.add(&[new(1, "https://a.test/x")]).await.unwrap();
    until_announced(&*reader, "a document", async || reader.counts().await.unwrap().total() == 1).await;
    writer.close().await;
}

#[tokio::test]
async fn eight_processes_that_start_at_once_make_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.db");
    let clock = Arc::new(ManualClock::at(START));
    let opening = (0..8).map(|_| {
        let options = Options { clock: clock.clone(), ..Options::new(Access::Create) };
        let url = url(&path);
        tokio::spawn(async move { store::open_with(&url, options).await })
    });
    for opened in futures_util::future::join_all(opening).await {
        let opened = opened.unwrap().unwrap();
        opened.add(&[new(1, "https://a.test/x")]).await.unwrap();
        assert_eq!(opened.counts().await.unwrap().total(), 1);
        assert_eq!(opened.now(), START);
    }
}

async fn two_instances_see_each_others_outcomes(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    let (_, job) = scene.running("https://a.test/x").await;
    scene.finish(&job, permanent()).await;
    until_announced(&*other, "an outcome", async || other.last_seq().await.unwrap() > Seq::START).await;
    assert_eq!(super::support::outcomes_after(&*other, Seq::START).await, scene.outcomes().await);
    other.add(&[new(1, "https://a.test/y")]).await.unwrap();
    let two = async || scene.store.counts().await.unwrap().total() == 2;
    until_announced(&*scene.store, "a second document", two).await;
}

async fn an_idle_claim_wakes_nobody(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut changes = scene.store.changes();
    scene.store.add(&[new(1, "https://a.test/x")]).await.unwrap();
    within("the commit", changes.changed()).await.unwrap();
    // A watcher may announce that commit once more, PostgreSQL's some seconds later. An idle call that wrote something
    // would be announced in every round.
    let mut quiet = 0;
    for round in 1.. {
        is_announced(changes.changed(), MOMENT).await;
        assert!(scene.claim(4).await.is_empty());
        scene.store.rescue().await.unwrap();
        scene.store.release(&[]).await.unwrap();
        quiet += u32::from(!is_announced(changes.changed(), MOMENT).await);
        if quiet == 2 {
            break;
        }
        assert!(round < 20, "something is written each time");
    }
}

/// Longer than an announcement takes on a quiet machine; after it none is expected.
const MOMENT: Duration = Duration::from_millis(250);

/// SQLite itself keeps using a deleted file, and loses everything that is written there.
#[tokio::test]
async fn a_file_that_is_taken_away_is_told_and_comes_back() {
    let scene = Scene::new(Backend::Sqlite).await;
    scene.add(1, "https://a.test/x").await;
    let mut changes = scene.store.changes();
    // Repeats until the watching task has read the original file: it announces no commit from before its first poll.
    let told = async || {
        scene.sql("UPDATE captain_documents SET name = name || '.'").await;
        is_announced(changes.changed(), 2 * MOMENT).await.then_some(())
    };
    until("the first look", told).await;
    let unavailable = |what: &str, error: StoreError| match error {
        StoreError::Unavailable(message) => assert!(message.contains(what), "{message}"),
        other => panic!("{other:?}"),
    };
    let away = scene.place.folder().join("away.db");
    changes.mark_unchanged();
    std::fs::rename(scene.path(), &away).unwrap();
    within("a console that looks again", changes.changed()).await.unwrap();
    unavailable("moved or removed", scene.store.counts().await.unwrap_err());
    unavailable("moved or removed", scene.store.add(&[new(1, "https://a.test/y")]).await.unwrap_err());
    assert!(!scene.path().exists(), "no empty store is made in its place");
    std::fs::write(scene.path(), "").unwrap();
    unavailable("another file", scene.store.counts().await.unwrap_err());
    std::fs::rename(&away, scene.path()).unwrap();
    scene.add(1, "https://a.test/y").await;
    assert_eq!(scene.store.counts().await.unwrap().of(Status::Never), 2);
}

on_both! {
    ()
    two_instances_see_each_others_outcomes,
    an_idle_claim_wakes_nobody,
    a_reader_sees_what_a_writer_commits_meanwhile,
}
