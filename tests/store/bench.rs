//! Figures at size, printed on demand: `cargo test --release --test main store::bench -- --ignored --nocapture`.

use super::schedule::{order, pass_on, terms};
use super::support::{Backend, START, Scene, fetched, limits, request, worker};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::{Filter, Term, Test};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::plan::PlanName;
use quarterdeck::domain::schedule::DueRules;
use quarterdeck::store::{Around, BulkVerb, PageQuery, PassAnswer, PassOrder, Sort, SortBy, Store, Targets, When};
use std::time::{Duration, Instant};

#[tokio::test]
#[ignore = "prints figures, asserts none"]
async fn a_hundred_thousand_documents_on_sqlite() {
    a_hundred_thousand_documents(Backend::Sqlite).await;
}

#[tokio::test]
#[ignore = "prints figures, asserts none"]
async fn a_hundred_thousand_documents_on_postgres() {
    a_hundred_thousand_documents(Backend::Postgres).await;
}

async fn a_hundred_thousand_documents(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (at, zero) = match backend {
        Backend::Sqlite => ("1763900000000000 + i", "0"),
        Backend::Postgres => ("stamp(1763900000000000 + i)", "stamp(0)"),
    };
    scene
        .sql(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) \
             INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, sync_status, \
             last_synced_at, last_sync_attempted_at, created_at, updated_at, content) \
             SELECT i, 'Page ' || (i * 7919 % 100000), 'https://h' || (i % 1000) || '.test/' || i, 1, i % 50, 1, \
             CASE i % 10 WHEN 0 THEN NULL WHEN 1 THEN 2 ELSE 1 END, {at}, {at}, {zero}, {zero}, \
             substr('{text}', i % 7) FROM n; \
             INSERT INTO document_state (document_id, host) \
             SELECT id, 'h' || (id % 1000) || '.test' FROM captain_documents;",
            text = "0".repeat(4_000)
        ))
        .await;
    let store = &scene.store;
    let start = Instant::now();
    let ids: Vec<_> = (1..=20_000).map(DocumentId).collect();
    store.request(&ids, &request(QueueClass::Auto)).await.unwrap();
    println!("request of 20,000: {:?}", start.elapsed());
    let start = Instant::now();
    let claimed = store.claim(&worker("w1").id, limits(16)).await.unwrap();
    println!("claim of {}: {:?}", claimed.len(), start.elapsed());
    let start = Instant::now();
    let finishes = claimed.iter().map(|job| scene.finish(job, fetched("T", "text", ContentChange::First)));
    futures_util::future::join_all(finishes).await;
    println!("their finishes in one group: {:?}", start.elapsed());
    let start = Instant::now();
    for _ in 0..50 {
        let claimed = store.claim(&worker("w1").id, limits(32)).await.unwrap();
        let finishes = claimed.iter().map(|job| scene.finish(job, fetched("T", "text", ContentChange::First)));
        futures_util::future::join_all(finishes).await;
    }
    println!("50 times a claim and the finishes of 32: {:?}", start.elapsed());
    let word = Filter { terms: vec![Term { negated: false, test: Test::Word("h77.test".into()) }] };
    let failed = Filter { terms: vec![Term { negated: false, test: Test::Status(vec![Status::Failed]) }] };
    use SortBy::{Attempted, Error, Id, Name, Next, Status as ByStatus, Synced, Url};
    for by in [ByStatus, Name, Url, Error, Attempted, Synced, Next, Id] {
        for (what, filter) in [("all", Filter::default()), ("word", word.clone()), ("failed", failed.clone())] {
            for (place, around) in [
                ("first", Around::Offset(0)),
                ("middle", Around::Offset(50_000)),
                ("anchor", Around::Document { document: DocumentId(50_001), above: 10, else_at: 0 }),
            ] {
                let query =
                    PageQuery { filter: filter.clone(), sort: Sort { by, descending: false }, around, limit: 60 };
                store.page(&query).await.unwrap();
                let start = Instant::now();
                store.page(&query).await.unwrap();
                println!("page {by:?} {what} {place}: {:?}", start.elapsed());
            }
        }
    }
    let start = Instant::now();
    store.counts().await.unwrap();
    println!("counts: {:?}", start.elapsed());
    let start = Instant::now();
    store.matching(&Filter::default()).await.unwrap();
    println!("matching all: {:?}", start.elapsed());
    let start = Instant::now();
    store.preview(&Targets::Matching(failed), BulkVerb::Cancel).await.unwrap();
    println!("preview of the failed: {:?}", start.elapsed());
}

#[tokio::test]
#[ignore = "prints figures, asserts none"]
async fn a_pass_of_the_schedule_on_sqlite() {
    a_pass_of_the_schedule(Backend::Sqlite).await;
}

#[tokio::test]
#[ignore = "prints figures, asserts none"]
async fn a_pass_of_the_schedule_on_postgres() {
    a_pass_of_the_schedule(Backend::Postgres).await;
}

/// 200,000 documents of 500 accounts on a plan of a week, synced at some time within it; one in ten failed or is new.
async fn a_pass_of_the_schedule(backend: Backend) {
    let scene = Scene::new(backend).await;
    let week = 604_800_000_000_i64;
    let begun = START.micros() - week;
    let (at, zero) = match backend {
        Backend::Sqlite => (format!("{begun} + i * 3024000"), "0"),
        Backend::Postgres => (format!("stamp({begun} + i::bigint * 3024000)"), "stamp(0)"),
    };
    scene
        .sql(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
             INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, sync_status, \
             last_synced_at, last_sync_attempted_at, created_at, updated_at, content) \
             SELECT i, 'Page ' || i, 'https://h' || (i % 1000) || '.test/' || i, i % 2, i % 500, 1, \
             CASE i % 20 WHEN 0 THEN NULL WHEN 1 THEN 2 ELSE 1 END, {at}, {at}, {zero}, {zero}, '{text}' FROM n; \
             INSERT INTO document_state (document_id, host, failures) \
             SELECT id, 'h' || (id % 1000) || '.test', id % 7 FROM captain_documents;",
            text = "0".repeat(2_000)
        ))
        .await;
    if backend == Backend::Postgres {
        scene.sql("ANALYZE captain_documents; ANALYZE document_state").await;
    }
    let mut terms = terms(DueRules::Continuous, "business");
    terms.plans.accounts.clear();
    terms.plans.default = PlanName::new("business");
    for (what, seconds) in
        [("first", 0), ("second", 15), ("third", 15), ("after an hour", 3_600), ("after a day", 86_400)]
    {
        scene.clock.advance(Duration::from_secs(seconds));
        let start = Instant::now();
        let enqueued = pass_on(&scene.store, &terms).await.enqueued();
        println!("{backend:?}: {what} pass: {enqueued} jobs in {:?}", start.elapsed());
    }
    // The backlog of failed and new ones is worked off; then a pass finds what has come due since.
    while pass_on(&scene.store, &terms).await.enqueued() > 0 {}
    let waiting = scene.store.purgeable().await.unwrap();
    for _ in 0..3 {
        let start = Instant::now();
        let enqueued = pass_on(&scene.store, &terms).await.enqueued();
        println!("{backend:?}: {waiting} jobs wait, nothing more is due: {enqueued} jobs in {:?}", start.elapsed());
    }
    // As a runner makes them: every few seconds, with what it saw before in mind.
    for _ in 0..8 {
        scene.clock.advance(Duration::from_secs(15));
        let every = PassOrder { when: When::Every(Duration::from_secs(15)), ..order(&terms, "test") };
        let start = Instant::now();
        let made = Store::schedule(&*scene.store, &every).await.unwrap();
        let took = start.elapsed();
        let PassAnswer::Made(made, _) = made else { panic!("{made:?}") };
        println!("{backend:?}: a runner's next pass: {} jobs in {took:?}", made[0].enqueued());
    }
    let start = Instant::now();
    println!("counts: {:?} in {:?}", scene.store.counts().await.unwrap(), start.elapsed());
    let start = Instant::now();
    let purged = scene.store.purge(&"ana".into()).await.unwrap();
    println!("{backend:?}: purge of {purged}: {:?}", start.elapsed());
}
