//! Simulates a year of 20,000 documents with one sync a day, and prints the size of each table. By hand:
//! `cargo test --test main -- --ignored --nocapture store::retention_year`; `QUARTERDECK_DAYS` sets another time.

use super::retention::{DAY, remove_all};
use super::support::*;
use quarterdeck::domain::retention::Retention;
use quarterdeck::store::{DocumentStore, Queries, StoreBase};

const DOCUMENTS: i64 = 20_000;
/// Size that a store may have, apart from the texts: 200 MB.
const MOST: u64 = 200_000_000;

/// Inserts a day's outcomes and jobs, each job in place of the document's last one, as a sync does.
async fn one_day(scene: &Scene, day: i64) {
    let (first, now) = (day * DOCUMENTS, scene.store.now().micros());
    let numbers = scene.either(
        "(WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000) SELECT n FROM n) g",
        "generate_series(1, 20000) AS g(n)",
    );
    scene
        .sql(&format!(
            "INSERT INTO outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, \
             token, queue, result, error_code, duration_ms, http_status, detail, content, bytes, next_attempt_at, worker, \
             requested_by) SELECT {first} + n, {now} + n * CAST(4000000 AS BIGINT), n, n % 50 + 1, n % 50 + 1, \
             'How to change the settings of an account ' || n, \
             'https://help' || (n % 200) || '.example.org/en/articles/' || n || '-how-to-change-the-settings', \
             'help' || (n % 200) || '.example.org', {first} + n, 1, {first} + n, 2, \
             CASE WHEN n % 100 = 0 THEN 'transient_failure' WHEN n % 20 = 0 THEN 'updated' ELSE 'unchanged' END, \
             CASE WHEN n % 100 = 0 THEN 'timeout' END, 200 + n % 700, CASE WHEN n % 3 = 0 THEN 200 ELSE 304 END, \
             CASE WHEN n % 100 = 0 THEN 'no answer within 20 s from the server' END, \
             CASE WHEN n % 20 = 0 THEN 'changed' ELSE 'same' END, 20000 + n, NULL, 'worker-1.example.org:31415', \
             'schedule' FROM {numbers}"
        ))
        .await;
    scene.sql(&format!("UPDATE outcome_seq SET last = {first} + {DOCUMENTS}")).await;
    scene
        .sql(&format!(
            "INSERT INTO jobs (id, document_id, account_id, assistant_id, url, host, class, state, run_at, attempt, \
             requested_at, requested_by, finished_at) SELECT {first} + n, n, n % 50 + 1, n % 50 + 1, \
             'https://help' || (n % 200) || '.example.org/en/articles/' || n || '-how-to-change-the-settings', \
             'help' || (n % 200) || '.example.org', 2, 'done', {now}, 1, {now}, 'schedule', {now} FROM {numbers}; \
             DELETE FROM jobs WHERE id <= {first}"
        ))
        .await;
}

async fn a_year_of_20_000_documents_stays_below_200_mb(on: Backend) {
    let days: i64 = std::env::var("QUARTERDECK_DAYS").map_or(365, |days| days.parse().unwrap());
    let place = Place::in_memory(on).await;
    let clock = std::sync::Arc::new(quarterdeck::store::ManualClock::at(START));
    let store = open(&place.url(), clock.clone(), quarterdeck::store::Access::Create).await;
    let scene = Scene { clock, store, place };
    let url = |n: i64| format!("https://help{}.example.org/en/articles/{n}-how-to-change-the-settings", n % 200);
    let documents: Vec<_> = (1..=DOCUMENTS).map(|n| new(n % 50 + 1, &url(n))).collect();
    scene.store.add(&documents).await.unwrap();
    let mut steps = 0;
    for day in 0..days {
        one_day(&scene, day).await;
        scene.clock.advance(DAY);
        steps += remove_all(&*scene.store, &Retention::default()).await.1;
        // A day lasts a second here, so these stand for autovacuum, which would run at as many dead rows.
        if on == Backend::Postgres {
            scene.sql("VACUUM quarterdeck.jobs").await;
            if day % 3 == 0 {
                scene.sql("VACUUM quarterdeck.outcomes").await;
            }
        }
    }
    let used = scene.store.disk_use().await.unwrap();
    println!(
        "{on:?}, {days} days: {} bytes, unused {:?}, {} outcomes, {steps} steps",
        used.bytes, used.unused, used.outcomes
    );
    for (table, bytes) in used.tables.iter().filter(|(_, bytes)| *bytes > 1_000_000) {
        println!("  {table} {bytes}");
    }
    assert!(used.bytes < MOST, "{used:?}");
    assert!(used.outcomes <= 200_000 + 2 * DOCUMENTS.unsigned_abs());
}

mod by_hand {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "takes minutes"]
    async fn on_sqlite() {
        a_year_of_20_000_documents_stays_below_200_mb(Backend::Sqlite).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "takes minutes"]
    async fn on_postgres() {
        a_year_of_20_000_documents_stays_below_200_mb(Backend::Postgres).await;
    }
}
