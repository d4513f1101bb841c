//! Measures the queries of the accounts view and the hosts view over 200,000 documents of 500 accounts and 1,000 hosts
//! and a million outcomes. One job in forty is ready; most outcomes are older than an hour.
//!
//! `cargo bench --bench views [-- sqlite | postgres]`; prints one line per figure.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[expect(dead_code, unused_macros, reason = "each benchmark uses a part of it")]
mod harness;

use harness::place::Backend;
use harness::{Bench, START, Times, backends, timed};
use quarterdeck::store::Queries;

fn documents(backend: Backend) -> String {
    let (now, week) = (START.micros(), 604_800_000_000_i64);
    let (at, zero) = match backend {
        Backend::Sqlite => (format!("{now} - i * 3024000"), "0"),
        Backend::Postgres => (format!("stamp({now} - i::bigint * 3024000)"), "stamp(0)"),
    };
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000) \
         INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, sync_status, \
         last_synced_at, last_sync_attempted_at, created_at, updated_at, content) \
         SELECT i, 'Page ' || i, 'https://h' || (i % 1000) || '.test/' || i, 1, i % 500, 1, \
         CASE i % 20 WHEN 0 THEN NULL WHEN 1 THEN 2 ELSE 1 END, {at}, {at}, {zero}, {zero}, '{text}' FROM n; \
         INSERT INTO document_state (document_id, host) SELECT id, 'h' || (id % 1000) || '.test' FROM captain_documents; \
         INSERT INTO accounts_sched (account_id, plan, cadence) SELECT DISTINCT account_id, 'business', {week} FROM captain_documents; \
         INSERT INTO jobs (document_id, account_id, assistant_id, url, host, class, state, run_at, requested_at, attempt) \
         SELECT id, account_id, 1, external_link, 'h' || (id % 1000) || '.test', 2, \
         CASE WHEN id % 40 = 0 THEN 'ready' ELSE 'scheduled' END, {now} + id, {now}, id % 3 FROM captain_documents WHERE id % 4 = 0; \
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
         INSERT INTO outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, token, \
         queue, result, duration_ms, http_status, worker) SELECT i, {now} - (1000000 - i) * {pace}, i % 200000, i % 500, 1, \
         'Page', 'https://h.test/' || i, 'h' || (i % 1000) || '.test', i, 1, i, 2, 'unchanged', i % 3000, 200, 'w' FROM n",
        text = "0".repeat(2_000),
        // Puts 20,000 outcomes into the last hour or little more: as many as the views read.
        pace = if backend == Backend::Sqlite { "100000" } else { "100000::bigint" },
    )
}

async fn measure(backend: Backend) {
    let bench = Bench::on(backend).await;
    timed(&format!("{backend:?}: loading"), bench.load(&documents(backend))).await;
    let (mut accounts, mut hosts) = (Times::default(), Times::default());
    for _ in 0..10 {
        assert_eq!(accounts.add(bench.store.accounts()).await.unwrap().total, 500);
        assert_eq!(hosts.add(bench.store.hosts()).await.unwrap().total, 1_000);
    }
    accounts.print(&format!("{backend:?}: accounts"));
    hosts.print(&format!("{backend:?}: hosts"));
}

#[tokio::main]
async fn main() {
    for backend in backends() {
        measure(backend).await;
    }
}
