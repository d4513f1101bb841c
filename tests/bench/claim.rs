//! What a claim costs with a million jobs ready: a claim of 16 over 500 accounts with five hosts each, on both databases.
//! The jobs are loaded by SQL; every claim is given back outside the measured time, so the queue stays what it was.
//!
//! `cargo bench --bench claim [-- JOBS]`; prints one line a database. PostgreSQL is started, or named by
//! `QUARTERDECK_TEST_POSTGRES`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[expect(dead_code, reason = "the tests use more of it")]
#[path = "../support/postgres.rs"]
mod postgres;

use quarterdeck::domain::id::WorkerId;
use quarterdeck::store::{Access, ClaimLimits, Marking, Options, SqlStore, Store, WorkerInfo};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use std::str::FromStr as _;
use std::time::{Duration, Instant};

const ACCOUNTS: usize = 500;
const CLAIMS: usize = 200;

/// Jobs as accounts queue them: each account's by one step of virtual time after the other.
fn load(jobs: usize, zero: &str) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {jobs} - 1) \
         INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, created_at, \
         updated_at) SELECT i + 1, 'n', 'https://h' || (i % {ACCOUNTS}) || '-' || (i / {ACCOUNTS} % 5) || '.test/' || i, 1, \
         i % {ACCOUNTS}, 1, {zero}, {zero} FROM n; \
         INSERT INTO document_state (document_id, host) \
         SELECT id, 'h' || account_id || '-' || ((id - 1) / {ACCOUNTS} % 5) || '.test' FROM captain_documents; \
         INSERT INTO jobs (document_id, account_id, assistant_id, url, host, class, state, run_at, vtime, requested_at) \
         SELECT d.id, d.account_id, 1, d.external_link, s.host, 2, 'ready', 0, (d.id - 1) / {ACCOUNTS} * 1000000, 0 \
         FROM captain_documents d JOIN document_state s ON s.document_id = d.id"
    )
}

async fn measure(name: &str, url: &str, jobs: usize, loaded: Duration) {
    let store = SqlStore::open(url, Options::new(Access::Write)).await.unwrap();
    store.rederive_lanes().await.unwrap();
    let worker = WorkerInfo { id: WorkerId("bench".into()), name: "bench:1".into(), capacity: 16 };
    store.register(&worker).await.unwrap();
    let limits = ClaimLimits {
        slots: 16,
        lease: Duration::from_secs(30),
        per_host: 2,
        per_account: None,
        host_interval: Duration::ZERO,
        marking: Marking::AtClaim,
    };
    let mut took = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        let begun = Instant::now();
        let claimed = store.claim(&worker.id, limits).await.unwrap();
        took.push(begun.elapsed());
        assert_eq!(claimed.len(), 16);
        store.release(&claimed.iter().map(|job| job.held).collect::<Vec<_>>()).await.unwrap();
    }
    took.sort();
    let ms = |part: usize| took[(CLAIMS - 1) * part / 100].as_secs_f64() * 1e3;
    println!(
        "{name}: a claim of 16 at {jobs} ready jobs of {ACCOUNTS} accounts: median {:.2} ms, p90 {:.2} ms, p99 {:.2} ms \
         ({CLAIMS} claims; loaded in {:.0} s)",
        ms(50),
        ms(90),
        ms(99),
        loaded.as_secs_f64()
    );
    store.close().await;
}

#[tokio::main]
async fn main() {
    let jobs = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(1_000_000_usize);
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    SqlStore::open(&url, Options::new(Access::Create)).await.unwrap().close().await;
    let begun = Instant::now();
    let mut conn = sqlx::sqlite::SqliteConnectOptions::from_str(&url).unwrap().connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(load(jobs, "0") + "; ANALYZE")).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    measure("sqlite", &url, jobs, begun.elapsed()).await;

    let database = postgres::store().await;
    let begun = Instant::now();
    let options = sqlx::postgres::PgConnectOptions::from_str(&database.url).unwrap();
    let mut conn = options.options([("search_path", "public,quarterdeck")]).connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(load(jobs, "stamp(0)") + "; ANALYZE")).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    measure("postgres", &database.url, jobs, begun.elapsed()).await;
    postgres::drop_database(database).await;
}
