//! Tests `quarterdeck copy`: what a store has is the same on the other database, also after kills.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[cfg(feature = "faults")]
mod kills;

use crate::store::support::{Backend, Scene, new, request};
use crate::support::install::Install;
use crate::support::place::Place;
use crate::support::postgres;
use crate::support::site::{Site, html};
use crate::upgrade::filled::filled;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::store::{
    Access, AddResult, CheckScope, CopyReport, CopyRequest, DocumentRef, DocumentStore, Options, Queries, Sort,
    SqlStore, StatusStore, Store, StoreError, TextStore, copy, migrate,
};
use std::sync::Arc;

/// Tables whose rows are carried, each with its columns but those that only one database has.
const CARRIED: [&str; 12] = [
    "captain_documents",
    "document_state",
    "document_versions",
    "held_contents",
    "outcomes",
    "last_outcomes",
    "outbox",
    "accounts_sched",
    "hosts_sched",
    "host_templates",
    "host_markdown",
    "pauses",
];

/// The metadata of a document on SQLite, whatever the order of its keys.
const METADATA: &str = "coalesce((SELECT group_concat(line) FROM (SELECT fullkey || type || coalesce(atom, '') AS line \
     FROM json_tree(metadata) ORDER BY fullkey)), '')";

async fn copy_of(from: &Place, on: Backend) -> Place {
    let to = Place::new(on).await;
    let report = copy_to(from, &to).await.unwrap();
    assert!(report.documents > 0 && report.rows > report.documents && report.found == 0, "{report:?}");
    to
}

async fn copy_to(from: &Place, to: &Place) -> Result<CopyReport, StoreError> {
    let request = CopyRequest { from: &from.url(), to: &to.url(), address: "the source" };
    copy(request, &mut |_| {}).await
}

/// Returns the carried rows as text that can be compared with that of the same database. `without` is a document that is
/// left out.
async fn rows(place: &Place, without: i64) -> Vec<String> {
    let mut all = Vec::new();
    for table in CARRIED {
        let is_left_out = if table == "captain_documents" { format!("WHERE id <> {without}") } else { String::new() };
        let columns = place
            .text(place.either(
                &format!(
                    "SELECT group_concat('quote(' || name || ')', ' || '' '' || ') FROM pragma_table_info('{table}')"
                ),
                "SELECT ''",
            ))
            .await
            .unwrap();
        let columns = columns.replace("quote(metadata)", METADATA);
        let sqlite = format!(
            "SELECT group_concat(line, char(10)) FROM (SELECT {columns} AS line FROM {table} {is_left_out} ORDER BY 1)"
        );
        let postgres = format!(
            "SELECT string_agg(to_jsonb(t)::text, chr(10) ORDER BY to_jsonb(t)::text) FROM {table} t {is_left_out}"
        );
        let found = place.text(place.either(&sqlite, &postgres)).await.unwrap_or_default();
        all.push(format!("{table}\n{found}"));
    }
    let once = [
        "SELECT last FROM outcome_seq",
        "SELECT concat_ws(' ', last_account, passed_at) FROM scheduler",
        "SELECT concat_ws(' ', pruned_up_to, swept_at) FROM retention",
        "SELECT concat_ws(' ', vclock_manual, vclock_retry, vclock_auto, passed_over) FROM sched_clock",
        "SELECT concat_ws(' ', uuid, epoch) FROM store_identity",
        place.either("SELECT fence FROM sched_clock", "SELECT last_value FROM fence"),
    ];
    for sql in once {
        all.push(format!("{sql}: {:?}", place.text(sql).await));
    }
    all
}

/// A store with rows of every kind, and with values that are hard to carry.
async fn source(on: Backend) -> (Scene, i64) {
    let scene = filled(on).await;
    let odd = "E'' || 'it''s \u{1f6a2} \u{7f} \"q\" \\ \t\n\u{2028}end'".trim_start_matches("E'' || ");
    for sql in [
        format!("UPDATE captain_documents SET name = {odd}, content = {odd} WHERE id = 2"),
        "UPDATE captain_documents SET name = '', content = '' WHERE id = 3".to_owned(),
        "UPDATE captain_documents SET name = NULL, metadata = NULL WHERE id = 4".to_owned(),
        r#"UPDATE captain_documents SET metadata = '{"z": 1, "a": {"y": [1, 2.5, null], "b": "é"}}' WHERE id = 5"#
            .to_owned(),
        format!("UPDATE outcomes SET stages = {}, detail = {odd} WHERE seq = 2", i64::MAX),
        "UPDATE outcomes SET bytes = -1, job_id = 9223372036854775806 WHERE seq = 3".to_owned(),
        scene
            .either(
                "UPDATE document_versions SET packed = x'00ff28b52ffd', content = '' WHERE version = 1",
                "UPDATE document_versions SET packed = '\\x00ff28b52ffd', content = '' WHERE version = 1",
            )
            .to_owned(),
        "UPDATE retention SET pruned_up_to = 1, swept_at = 77".to_owned(),
        "INSERT INTO host_markdown VALUES ('a.test', 'no', 1, 2, 3), ('Ä.test', 'yes', 1, 2, 3), ('a-.test', 'no', 4, 5, 6)"
            .to_owned(),
        "INSERT INTO host_templates VALUES ('a.test', 3, 4, 5, 'the template', 'the sample', 6)".to_owned(),
    ] {
        scene.sql(&sql).await;
    }
    let running = scene.number("SELECT id FROM captain_documents WHERE external_link = 'https://a.test/running'").await;
    (scene, running)
}

/// Copies there and back, twice. All copies of one database have the same rows.
async fn a_store_is_the_same_after_it_was_copied_there_and_back(on: Backend) {
    let other = if on == Backend::Sqlite { Backend::Postgres } else { Backend::Sqlite };
    let (scene, running) = source(on).await;
    let there = copy_of(&scene.place, other).await;
    let back = copy_of(&there, on).await;
    assert_eq!(rows(&back, running).await, rows(&scene.place, running).await);
    let (there_again, back_again) = (copy_of(&back, other).await, copy_of(&back, on).await);
    assert_eq!(rows(&there_again, 0).await, rows(&there, 0).await);
    assert_eq!(rows(&back_again, 0).await, rows(&back, 0).await);
    let source = scene.another().await;
    let history = source.history().await.unwrap();
    let texts =
        source.text_heads(&source.matching(&Filter::default(), Sort::BY_ID, None).await.unwrap()).await.unwrap();
    for place in [there, back, there_again, back_again] {
        let url = place.url();
        let store = SqlStore::open(&url, Options::new(Access::Write)).await.unwrap();
        assert_eq!(store.history().await.unwrap(), history, "{url}");
        let check = store.check_statuses(CheckScope::All).await.unwrap();
        assert!(check.is_clean() && check.documents > 10, "{url}: {check:?}");
        let ids = store.matching(&Filter::default(), Sort::BY_ID, None).await.unwrap();
        assert_eq!(store.text_heads(&ids).await.unwrap(), texts, "{url}");
        for table in ["jobs", "lanes", "workers"] {
            assert_eq!(place.number(&format!("SELECT count(*) FROM {table}")).await, Some(0), "{table}");
        }
        let row = store.find(&DocumentRef::Id(DocumentId(running))).await.unwrap().remove(0);
        assert_eq!(row.status, Status::Never, "{url}: as it was before its attempt");
        store.close().await;
    }
}

async fn what_is_added_to_a_copy_gets_the_next_numbers(on: Backend) {
    let (scene, _) = source(Backend::Sqlite).await;
    let last = async |place: &Place, table: &str| place.number(&format!("SELECT max(id) FROM {table}")).await;
    let (documents, jobs) = (last(&scene.place, "captain_documents").await, last(&scene.place, "jobs").await);
    let copied = copy_of(&scene.place, on).await;
    let store = SqlStore::open(&copied.url(), Options::new(Access::Write)).await.unwrap();
    let added = store.add(&[new(1, "https://new.test/")]).await.unwrap();
    let [AddResult::New(added)] = added[..] else { panic!("{added:?}") };
    assert_eq!(Some(added.0), documents.map(|last| last + 1));
    store.request(&[added], &request(QueueClass::Manual)).await.unwrap();
    assert!(last(&copied, "jobs").await > jobs);
    let before = store.history().await.unwrap().last;
    store.remove(&[added], &"ana".into()).await.unwrap();
    assert_eq!(store.history().await.unwrap().last.0, before.0 + 2, "cancelled and removed");
    store.close().await;
}

async fn a_store_that_is_not_empty_or_not_ours_is_not_filled(on: Backend) {
    let (scene, _) = source(Backend::Sqlite).await;
    let full = Scene::new(on).await;
    full.add(1, "https://b.test/").await;
    full.store.close().await;
    let refused = copy_to(&scene.place, &full.place).await.unwrap_err().to_string();
    assert!(refused.contains("this store is not empty (table captain_documents)"), "{refused}");
    assert_eq!(full.number("SELECT count(*) FROM captain_documents").await, 1);
    let chatwoot = postgres::empty().await;
    chatwoot.script(postgres::CHATWOOT_TABLES).await;
    migrate(&chatwoot.url, false, &mut |_| {}).await.unwrap();
    let chatwoot = Place::on(chatwoot);
    for (from, to) in [(&scene.place, &chatwoot), (&chatwoot, &full.place)] {
        let refused = copy_to(from, to).await.unwrap_err().to_string();
        assert!(refused.contains("its documents belong to Chatwoot"), "{refused}");
    }
    let missing = Place::new(Backend::Sqlite).await;
    let refused = copy_to(&missing, &full.place).await.unwrap_err().to_string();
    assert!(refused.contains("there is no store here") && !missing.file().exists(), "{refused}");
}

async fn install() -> Install {
    Install::new(Site::start(|_, _| html("T", "text")).await, "")
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_store_is_the_same_after_it_was_copied_there_and_back,
    what_is_added_to_a_copy_gets_the_next_numbers,
    a_store_that_is_not_empty_or_not_ours_is_not_filled,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_workers_use_is_copied_only_if_somebody_agrees() {
    let install = install().await;
    install.fill(&["/1".to_owned()]).await;
    let worker = install.start(&["work"]);
    let store: Arc<dyn Store> = install.store().await;
    crate::support::install::until(&*store, "the worker", async || !store.workers().await.unwrap().is_empty()).await;
    store.close().await;
    let to = Place::new(Backend::Sqlite).await;
    let from = format!("sqlite:{}", install.file().display());
    let asked = install.run(&["copy", "--from", &from, "--to", &to.url()]);
    assert!(asked.code == Some(2) && asked.err.contains("1 worker (") && asked.err.contains("--yes"), "{asked:?}");
    let copied = install.run(&["copy", "--from", &from, "--to", &to.url(), "--yes", "--json"]);
    assert!(copied.code == Some(0) && copied.out[0].contains("\"documents\":1,"), "{copied:?}");
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.ended().code, Some(0));
}
