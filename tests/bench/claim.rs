//! Measures a claim with a million jobs ready: 16 jobs out of 500 accounts with five hosts each, on both databases. The
//! jobs are loaded by SQL; each claim is released outside the measured time, so the queue keeps its size.
//!
//! `cargo bench --bench claim [-- JOBS] [sqlite | postgres]`; prints one line per database.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[expect(dead_code, unused_macros, reason = "each benchmark uses a part of it")]
mod harness;

use harness::place::{Backend, Place};
use harness::{Times, backends, size, timed};
use quarterdeck::domain::id::WorkerId;
use quarterdeck::store::{Access, ClaimLimits, JobStore, MarkTiming, Options, SqlStore, Store, WorkerInfo};
use std::time::Duration;

const ACCOUNTS: usize = 500;
const CLAIMS: usize = 200;

/// SQL that inserts jobs as accounts queue them: within an account, each job is one step of virtual time after the
/// last.
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

async fn measure(backend: Backend, jobs: usize) {
    let place = Place::new(backend).await;
    let url = &place.url();
    SqlStore::open(url, Options::new(Access::Create)).await.unwrap().close().await;
    let zero = place.either("0", "stamp(0)");
    timed(&format!("{backend:?}: loading {jobs} ready jobs"), place.sql(&(load(jobs, zero) + "; ANALYZE"))).await;
    let store = SqlStore::open(url, Options::new(Access::Write)).await.unwrap();
    store.rederive_lanes().await.unwrap();
    let worker = WorkerInfo {
        id: WorkerId("bench".into()),
        name: "bench:1".into(),
        capacity: 16,
        unfetchable: Default::default(),
    };
    store.register(&worker).await.unwrap();
    let limits = ClaimLimits {
        slots: 16,
        lease: Duration::from_secs(30),
        per_host: 2,
        per_account: None,
        host_interval: Duration::ZERO,
        mark_timing: MarkTiming::AtClaim,
    };
    let mut claims = Times::default();
    for _ in 0..CLAIMS {
        let claimed = claims.add(store.claim(&worker.id, limits)).await.unwrap();
        assert_eq!(claimed.len(), 16);
        store.release(&claimed.iter().map(|job| job.lease).collect::<Vec<_>>()).await.unwrap();
    }
    claims.print(&format!("{backend:?}: a claim of 16 at {jobs} ready jobs of {ACCOUNTS} accounts"));
    store.close().await;
}

#[tokio::main]
async fn main() {
    for backend in backends() {
        measure(backend, size(1_000_000)).await;
    }
}
