//! Tests that stores of earlier versions open with this program and work.

use super::filled::{STATUSES, left_at};
use super::{BEFORE, fixture, install, steps, version};
use crate::store::support::{Backend, fetched, limits, new, open, outcomes_after, request, worker};
use crate::support::place::Place;
use crate::support::postgres;
use quarterdeck::chatwoot::faq_job::{ChangedDocument, FaqSettings, SUBSCRIBER};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{DocumentRow, Status};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{AccountId, DocumentId, OutboxId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::retention::Retention;
use quarterdeck::lock::FaqJobs;
use quarterdeck::store::{
    self, Access, Decision, DecisionResult, DocumentStore, Finish, FinishResult, JobStore, ManualClock, MigrationStep,
    OutboxStore, PagePosition, PageQuery, Queries, RetentionStep, RetentionStore, ReviewTarget, SCHEMA_VERSION, Sort,
    SortBy, SqlStore, Store, StoreBase, StoreError,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

async fn rows(store: &SqlStore) -> Vec<DocumentRow> {
    let sort = Sort { by: SortBy::Id, descending: false };
    let query = PageQuery { filter: Filter::default(), sort, position: PagePosition::Offset(0), limit: 1_000 };
    store.page(&query).await.unwrap().rows
}

/// Migrates a database in the way that its kind needs, and opens it at the final time of the fixture's clock.
async fn opened(place: &Place) -> (Arc<SqlStore>, Arc<ManualClock>) {
    if place.either("sqlite", "postgres") == "postgres" {
        store::migrate(&place.url(), false, &mut |_| {}).await.unwrap();
    }
    let clock = Arc::new(ManualClock::at(left_at()));
    (open(&place.url(), clock.clone(), Access::Write).await, clock)
}

async fn a_store_of_the_version_before_is_read_as_it_was(on: Backend) {
    let place = fixture(on).await;
    assert_eq!(version(&place).await, BEFORE);
    let refused = store::open(&place.url(), Access::ReadOnly).await.err().unwrap();
    assert!(matches!(refused, StoreError::Unusable(_)) && refused.to_string().contains("run `quarterdeck migrate`"));
    let (store, _) = opened(&place).await;
    assert_eq!(version(&place).await, SCHEMA_VERSION);
    let rows = rows(&store).await;
    for (url, status) in STATUSES {
        let row = rows.iter().find(|row| row.url.as_str() == url).unwrap();
        assert_eq!(row.status, status, "{url}");
    }
    assert_eq!(rows.len(), STATUSES.len() + 6);
    let of = |url: &str| rows.iter().find(|row| row.url.as_str() == url).unwrap();
    let synced = of("https://a.test/synced").id;
    let content = store.content(synced).await.unwrap().unwrap();
    assert_eq!(content.text, "Text number 3 of a page \u{1f6a2} that changes.");
    assert_eq!(store.versions(synced).await.unwrap().len(), 2);
    let first = store.version_text(synced, 1).await.unwrap();
    assert_eq!(first.as_deref(), Some("Text number 1 of a page \u{1f6a2} that changes."));
    let held = store.quarantined_content(of("https://a.test/held").id).await.unwrap().unwrap();
    assert_eq!((held.text.as_str(), held.title.as_deref()), ("# Sign in", Some("Sign in")));
    assert!(of("https://busy.test/1").host_backoff.is_some());
    let pauses = store.pauses().await.unwrap();
    assert_eq!(pauses.iter().map(|pause| pause.scope.clone()).collect::<Vec<_>>(), [PauseScope::Account(AccountId(2))]);
    let outcomes = outcomes_after(&*store, Seq::START).await;
    assert!(outcomes.len() > 10 && (1..).zip(&outcomes).all(|(seq, outcome)| outcome.seq == Seq(seq)));
    assert!(outcomes.iter().any(|outcome| outcome.result == OutcomeResult::WorkerLost));
    assert!(store.pending_deliveries().await.unwrap()[0].pending > 0);
    let accounts = store.accounts().await.unwrap();
    assert_eq!(accounts.rows.len(), 2);
    assert_eq!(store.queue().await.unwrap().running, 1);
    store.close().await;
}

async fn a_store_of_the_version_before_works_to_its_end(on: Backend) {
    let place = fixture(on).await;
    let (store, clock) = opened(&place).await;
    let before = store.last_seq().await.unwrap();
    store.register(&worker("w2")).await.unwrap();
    // The worker that ran a job is gone and had an older version: the loss is not charged to the job.
    clock.advance(Duration::from_secs(5));
    assert!(store.rescue().await.unwrap().outcomes.is_empty());
    assert_eq!((store.last_seq().await.unwrap(), store.queue().await.unwrap().running), (before, 0));
    assert_eq!(place.number("SELECT count(*) FROM workers").await, Some(1));
    let ids: Vec<DocumentId> = rows(&store).await.iter().map(|row| row.id).collect();
    let held = rows(&store).await.into_iter().find(|row| row.quarantine_reason.is_some()).unwrap().id;
    let decided =
        store.decide(&[ReviewTarget { document: held, fingerprint: None }], Decision::Accept, &"bo".into()).await;
    assert_eq!(decided.unwrap(), [DecisionResult::Done]);
    assert!(store.resume(&PauseScope::Account(AccountId(2))).await.unwrap());
    assert_eq!(store.add(&[new(1, "https://a.test/new")]).await.unwrap().len(), 1);
    assert_eq!(store.remove(&ids[..1], &"ana".into()).await.unwrap(), 1);
    // After every wait: those of retries, and that of the host that asked for an hour.
    clock.advance(Duration::from_secs(2 * 3_600));
    let ids: Vec<DocumentId> = rows(&store).await.iter().map(|row| row.id).collect();
    store.request(&ids, &request(QueueClass::Manual)).await.unwrap();
    let mut ended = 0;
    while ended < ids.len() {
        let claimed = store.claim(&worker("w2").id, limits(8)).await.unwrap();
        assert!(!claimed.is_empty(), "{ended} of {}", ids.len());
        for job in claimed {
            let end = fetched("T", &format!("New text of {}", job.url), ContentChange::Changed);
            let finish = Finish { lease: job.lease, end, duration: Duration::ZERO, stages: None };
            let finished = store.finish(finish, &Default::default()).await.unwrap();
            assert!(matches!(finished, FinishResult::Written { .. }), "{finished:?}");
            ended += 1;
        }
    }
    assert_eq!(store.counts().await.unwrap().of(Status::Synced), u64::try_from(ids.len()).unwrap());
    let outcomes = outcomes_after(&*store, Seq::START).await;
    assert!((1..).zip(&outcomes).all(|(seq, outcome)| outcome.seq == Seq(seq)), "dense, over the migration");
    assert_eq!(store.rederive_lanes().await.unwrap(), 0);
    store.unregister(&worker("w2").id).await.unwrap();
    store.close().await;
    assert_eq!(place.number("SELECT count(*) FROM jobs WHERE state IN ('ready', 'running')").await, Some(0));
}

/// Returns the tables and indexes of a database, as text.
async fn schema(place: &Place) -> String {
    let sqlite = "SELECT group_concat(name || ' ' || coalesce(sql, ''), char(10)) FROM \
         (SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name)";
    let postgres = "SELECT string_agg(line, chr(10) ORDER BY line) FROM (\
         SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || \
         coalesce(column_default, '') AS line FROM information_schema.columns WHERE table_schema = 'quarterdeck' \
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'quarterdeck') AS lines";
    place.text(place.either(sqlite, postgres)).await.unwrap()
}

async fn a_migrated_store_has_the_tables_of_a_new_one(on: Backend) {
    let (place, new) = (fixture(on).await, Place::new(on).await);
    let (migrated, _) = opened(&place).await;
    migrated.close().await;
    store::open(&new.url(), Access::Create).await.unwrap().close().await;
    assert_eq!(schema(&place).await, schema(&new).await);
}

fn files(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/migrations").join(kind);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.file_name().unwrap().to_string_lossy().starts_with('0'));
    files.sort();
    assert_eq!(i64::try_from(files.len()).unwrap(), SCHEMA_VERSION, "{kind}: one file for each version");
    files
}

/// First version whose program keeps the statuses of a table of documents that it makes.
const FIRST_WITH_STATUSES: i64 = 11;

/// Makes a store as the program of `version` did, with one document.
async fn of_version(on: Backend, version: i64) -> Place {
    let applied = files(if on == Backend::Sqlite { "sqlite" } else { "postgres" });
    let applied: Vec<_> = applied.iter().take(usize::try_from(version).unwrap()).collect();
    let text = |file: &Path| std::fs::read_to_string(file).unwrap();
    if on == Backend::Sqlite {
        let place = Place::new(on).await;
        std::fs::write(place.file(), "").unwrap();
        for file in applied {
            place.sql(&text(file)).await;
        }
        place.sql(&format!("PRAGMA user_version = {version}")).await;
        place
            .sql(
                "INSERT INTO captain_documents (external_link, assistant_id, account_id, status, created_at, updated_at) \
                 VALUES ('https://a.test/x', 1, 1, 1, 0, 0); \
                 INSERT INTO document_state (document_id, host) VALUES (1, 'a.test')",
            )
            .await;
        return place;
    }
    let database = postgres::empty().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/migrations/postgres");
    database.script("CREATE SCHEMA quarterdeck").await;
    for (version, file) in (1..).zip(applied) {
        database.script(&text(file)).await;
        database.script(&format!("INSERT INTO quarterdeck.migrations (version) VALUES ({version})")).await;
    }
    for (table, file) in [("captain_documents", "documents"), ("accounts", "accounts")] {
        database.script(&text(&folder.join(format!("standalone_{file}.sql")))).await;
        database.script(&format!("INSERT INTO quarterdeck.made VALUES ('{table}')")).await;
    }
    if version >= FIRST_WITH_STATUSES {
        database.script("SELECT quarterdeck.keep_statuses()").await;
    }
    database
        .script(
            "INSERT INTO captain_documents (external_link, assistant_id, account_id, status, created_at, updated_at) \
             VALUES ('https://a.test/x', 1, 1, 1, now(), now())",
        )
        .await;
    Place::on(database)
}

async fn a_store_of_any_earlier_version_is_brought_up_to_date(on: Backend) {
    for before in 1..SCHEMA_VERSION {
        let place = of_version(on, before).await;
        let plan = store::plan(&place.url(), false).await.unwrap();
        let mut steps: Vec<_> = (before + 1..=SCHEMA_VERSION).map(MigrationStep::Version).collect();
        if on == Backend::Sqlite {
            steps.insert(0, MigrationStep::Copy);
        }
        assert_eq!(plan, steps, "{before}");
        let (store, _) = opened(&place).await;
        assert_eq!(rows(&store).await.len(), 1, "{before}");
        store.request(&[DocumentId(1)], &request(QueueClass::Manual)).await.unwrap();
        let job = store.claim(&worker("w1").id, limits(1)).await.unwrap().remove(0);
        let finish = Finish {
            lease: job.lease,
            end: fetched("T", "x", ContentChange::First),
            duration: Duration::ZERO,
            stages: None,
        };
        assert!(
            matches!(store.finish(finish, &Default::default()).await.unwrap(), FinishResult::Written { .. }),
            "{before}"
        );
        store.close().await;
        assert_eq!(store::plan(&place.url(), false).await.unwrap(), [], "{before}");
    }
}

async fn undelivered_messages_of_the_version_before_are_delivered(on: Backend) {
    let place = of_version(on, 9).await;
    let keys: Vec<String> = (1..=3).map(|n| format!("{n:024x}")).collect();
    for (n, key) in (1..).zip(&keys) {
        let row = format!("'{key}', {n}, 7, {}", left_at().minus(Duration::from_secs(60 - n)).micros());
        let table = place.either("outbox", "quarterdeck.outbox");
        place.sql(&format!("INSERT INTO {table} (jid, document_id, account_id, created_at) VALUES ({row})")).await;
    }
    // One message was delivered: its id is not used again.
    place.sql(&format!("DELETE FROM {} WHERE id = 3", place.either("outbox", "quarterdeck.outbox"))).await;
    let (store, clock) = opened(&place).await;
    let pending = store.due_deliveries(SUBSCRIBER, 9).await.unwrap();
    for (n, (message, key)) in (1..).zip(pending.iter().zip(&keys)) {
        assert_eq!((message.id, &message.key, message.attempts), (OutboxId(n), key, 0));
        let changed: ChangedDocument = serde_json::from_str(&message.payload).unwrap();
        assert_eq!(changed, ChangedDocument { document_id: DocumentId(n), account_id: AccountId(7) });
    }
    assert_eq!(pending.len(), 2);
    let status = store.pending_deliveries().await.unwrap();
    assert_eq!((status.len(), status[0].pending, status[0].oldest_at), (1, 2, pending[0].created_at));
    // New messages come after the old ones, in the same form.
    store.subscribe(Arc::new(FaqJobs::new(FaqSettings::default(), None)));
    store.request(&[DocumentId(1)], &request(QueueClass::Manual)).await.unwrap();
    let job = store.claim(&worker("w1").id, limits(1)).await.unwrap().remove(0);
    let finish = Finish {
        lease: job.lease,
        end: fetched("T", "x", ContentChange::First),
        duration: Duration::ZERO,
        stages: None,
    };
    store.finish(finish, &Default::default()).await.unwrap();
    let after = store.due_deliveries(SUBSCRIBER, 9).await.unwrap();
    assert_eq!((&after[..2], after.len()), (&pending[..], 3));
    assert!(after[2].id > OutboxId(2) && after[2].key.len() == keys[0].len(), "{:?}", after[2]);
    assert_eq!(after[2].payload, r#"{"document_id":1,"account_id":1}"#);
    // It is not known which outcomes the old messages are about, so all are kept until they are delivered.
    clock.advance(Duration::from_secs(400 * 86_400));
    let remove_all = async || {
        while let RetentionStep::More(_) = store.remove_old(&Retention::default(), "one").await.unwrap() {}
        store.pruned_up_to().await.unwrap()
    };
    assert_eq!(remove_all().await, Seq::START);
    for message in &after {
        assert_eq!(remove_all().await, Seq::START);
        store.delivered(message.id, None).await.unwrap();
    }
    assert!(store.pending_deliveries().await.unwrap().is_empty());
    assert_eq!(remove_all().await, store.last_seq().await.unwrap());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_itself_reads_and_works_on_the_file_of_the_version_before() {
    let install = install().await;
    let planned = install.run(&["migrate", "--dry-run"]);
    assert_eq!((planned.code, planned.err.as_str()), (Some(0), ""), "{planned:?}");
    assert_eq!(planned.out.len(), 1 + steps().len(), "the copy and the steps: {planned:?}");
    let migrated = install.run(&["migrate"]);
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    assert!(migrated.out[..planned.out.len()] == planned.out && migrated.out.last().unwrap() == "done", "{migrated:?}");
    assert_eq!(install.run(&["migrate"]).out, ["nothing to do: the store is up to date"]);
    let listed = install.run(&["list", "--json"]);
    assert_eq!((listed.code, listed.out.len()), (Some(0), STATUSES.len() + 6), "{listed:?}");
    for args in [["show", "2"], ["log", "--json"], ["doctor", "--json"]] {
        let ran = install.run(&args);
        assert!(ran.code == Some(0) && !ran.out.is_empty(), "{args:?}: {ran:?}");
    }
    // The fixture's hosts do not exist; a document that is added now is synced.
    let page = install.site.url("/page");
    let added = install.run(&["add", &page]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let synced = install.run(&["sync", &page, "--wait"]);
    assert_eq!(synced.code, Some(0), "{synced:?}");
    assert!(install.is_sound().await);
}

on_both! {
    ()
    a_store_of_the_version_before_is_read_as_it_was,
    a_store_of_the_version_before_works_to_its_end,
    a_migrated_store_has_the_tables_of_a_new_one,
    a_store_of_any_earlier_version_is_brought_up_to_date,
    undelivered_messages_of_the_version_before_are_delivered,
}
