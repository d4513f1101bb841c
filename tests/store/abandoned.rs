//! Tests that a read whose caller goes away ends in the database, and that its connection is free again.

use super::support::{Backend, Scene, new, open};
use crate::support::db;
use crate::support::limit::{is_announced, until, within};
use crate::support::pgbouncer::PgBouncer;
use crate::support::place::Place;
use quarterdeck::domain::filter::Filter;
use quarterdeck::store::{Access, DocumentStore, PagePosition, PageQuery, Queries, Sort, SqlStore, Store, StoreBase};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Number of abandoned reads; more than a store has connections for reads.
const READS: usize = 8;
/// A moment after which a read that was begun most likely runs. Nothing fails if it does not.
const MOMENT: Duration = Duration::from_millis(250);

/// Makes the store's identity a view that yields nothing until the test ends: on SQLite its query never ends, on
/// PostgreSQL it waits for a lock of the test.
async fn make_identity_slow(place: &Place) {
    let sqlite = "ALTER TABLE store_identity RENAME TO identity; CREATE VIEW store_identity AS \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 1 AS id, CAST(count(*) AS TEXT) AS uuid \
         FROM n";
    let postgres = "ALTER TABLE quarterdeck.store_identity RENAME TO identity; \
         CREATE VIEW quarterdeck.store_identity AS SELECT 1 AS id, pg_advisory_lock(7)::text AS uuid; \
         SELECT pg_advisory_lock(7)";
    place.sql(place.either(sqlite, postgres)).await;
}

/// Does the same with the documents, of which there must be one.
async fn make_documents_slow(place: &Place) {
    let sqlite = "ALTER TABLE captain_documents RENAME TO documents; CREATE VIEW captain_documents AS \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT documents.* FROM documents, n";
    let postgres = "ALTER TABLE captain_documents RENAME TO documents; CREATE VIEW captain_documents AS \
         SELECT * FROM documents WHERE pg_advisory_lock(7)::text = ''; SELECT pg_advisory_lock(7)";
    place.sql(place.either(sqlite, postgres)).await;
}

fn first_page() -> PageQuery {
    PageQuery { filter: Filter::default(), sort: Sort::BY_ID, position: PagePosition::Offset(0), limit: 20 }
}

/// A read of either kind, outside and within a snapshot.
async fn read(store: Arc<SqlStore>, in_snapshot: bool) {
    if in_snapshot {
        let _ = store.page(&first_page()).await;
    } else {
        let _ = store.id().await;
    }
}

/// Returns the process ids of the server processes in which a slow read waits for the test's lock.
async fn slow_reads(place: &Place) -> Vec<String> {
    let pids = "SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE datname = current_database() \
         AND wait_event_type = 'Lock'";
    place.text(pids).await.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Begins this number of slow reads, abandons them, and waits until none runs in the database.
async fn abandon_reads(number: usize, store: &Arc<SqlStore>, place: &Place, backend: Backend, in_snapshot: bool) {
    let mut reads = JoinSet::new();
    for _ in 0..number {
        reads.spawn(read(Arc::clone(store), in_snapshot));
    }
    if backend == Backend::Sqlite {
        is_announced(store.changes().changed(), MOMENT).await;
        return reads.shutdown().await;
    }
    let running = until("a slow read", async || {
        let running = slow_reads(place).await;
        (!running.is_empty()).then_some(running)
    });
    let running = running.await;
    reads.shutdown().await;
    // Without a cancel request the server would run the statements on, and then end processes without a client.
    for pid in running {
        until("the end of a read", async || {
            let state = place.text(&format!("SELECT state FROM pg_stat_activity WHERE pid = {pid}")).await;
            let state = state.expect("the connection stays open");
            (state == "idle").then_some(())
        })
        .await;
    }
}

async fn reads_end_with_their_callers(backend: Backend) {
    for in_snapshot in [false, true] {
        let scene = Scene::new(backend).await;
        scene.store.add(&[new(1, "https://a.test/x")]).await.unwrap();
        if in_snapshot {
            make_documents_slow(&scene.place).await;
        } else {
            make_identity_slow(&scene.place).await;
        }
        abandon_reads(READS, &scene.store, &scene.place, backend, in_snapshot).await;
        // All connections would be in use for ever.
        for _ in 0..READS {
            within("a connection", scene.store.pauses()).await.unwrap();
        }
        within("the end of all reads", scene.store.close()).await;
    }
}

#[tokio::test]
async fn reads_end_with_their_callers_behind_pgbouncer() {
    for in_snapshot in [false, true] {
        let scene = Scene::new(Backend::Postgres).await;
        scene.store.add(&[new(1, "https://a.test/x")]).await.unwrap();
        let bouncer = PgBouncer::before(&scene.place.url()).await;
        let behind = open(&bouncer.url, scene.clock.clone(), Access::Write).await;
        if in_snapshot {
            make_documents_slow(&scene.place).await;
        } else {
            make_identity_slow(&scene.place).await;
        }
        // PgBouncer must have a server connection left for the cancel requests.
        abandon_reads(2, &behind, &scene.place, Backend::Postgres, in_snapshot).await;
        within("a connection", behind.pauses()).await.unwrap();
        within("the end of all reads", behind.close()).await;
    }
}

/// A store that is opened read-only opens a connection for each read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_of_a_read_only_store_end_with_their_callers() {
    let scene = Scene::new(Backend::Sqlite).await;
    make_identity_slow(&scene.place).await;
    let store = open(&scene.place.url(), scene.clock.clone(), Access::ReadOnly).await;
    abandon_reads(READS, &store, &scene.place, Backend::Sqlite, false).await;
    // A checkpoint that truncates SQLite's log waits until no statement reads.
    let file = scene.path();
    let busy = db::integers(&file, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_eq!(within("the end of all reads", busy).await, [Some(0)]);
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    reads_end_with_their_callers,
}
