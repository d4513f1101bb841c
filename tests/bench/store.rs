//! Measures the store with 100,000 documents: requests, claims, finishes, every order and filter of the list, counts.
//!
//! `cargo bench --bench store [-- sqlite | postgres]`; prints one line per figure.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[expect(dead_code, unused_macros, reason = "each benchmark uses a part of it")]
mod harness;

use harness::place::Backend;
use harness::{Bench, Times, backends, timed};
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::{Filter, FilterCondition, Term};
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::{DocumentId, WorkerId};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::store::{
    BulkVerb, ClaimLimits, ClaimedJob, DocumentStore, Finish, FinishResult, JobStore, MarkTiming, PagePosition,
    PageQuery, Queries, Sort, SortBy, Targets,
};
use std::time::Duration;

const DOCUMENTS: i64 = 100_000;
const REQUESTED: i64 = 20_000;
const ROUNDS: usize = 50;

/// SQL that inserts documents of 50 accounts and 1,000 hosts, with 4,000 characters each; one in ten was never synced,
/// one in ten failed.
fn documents(backend: Backend) -> String {
    let (at, zero) = match backend {
        Backend::Sqlite => ("1763900000000000 + i", "0"),
        Backend::Postgres => ("stamp(1763900000000000 + i)", "stamp(0)"),
    };
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {DOCUMENTS}) \
         INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, sync_status, \
         last_synced_at, last_sync_attempted_at, created_at, updated_at, content) \
         SELECT i, 'Page ' || (i * 7919 % 100000), 'https://h' || (i % 1000) || '.test/' || i, 1, i % 50, 1, \
         CASE i % 10 WHEN 0 THEN NULL WHEN 1 THEN 2 ELSE 1 END, {at}, {at}, {zero}, {zero}, \
         substr('{text}', i % 7) FROM n; \
         INSERT INTO document_state (document_id, host) \
         SELECT id, 'h' || (id % 1000) || '.test' FROM captain_documents;",
        text = "0".repeat(4_000)
    )
}

async fn finish(store: &dyn JobStore, claimed: &[ClaimedJob]) {
    let finishes = claimed.iter().map(async |job| {
        let page = Page::new(Some("T"), "text".to_owned(), 4, 200).unwrap();
        let fingerprint = Fingerprint::of(&page.content);
        let end = AttemptEnd::Fetched { page: Box::new(page), fingerprint, change: ContentChange::First };
        let finish = Finish { lease: job.lease, end, duration: Duration::from_millis(120), stages: None };
        store.finish(finish, &RetryPolicy::default()).await.unwrap()
    });
    let ended = futures_util::future::join_all(finishes).await;
    assert!(ended.iter().all(|ended| matches!(ended, FinishResult::Written { .. })));
}

async fn measure(backend: Backend) {
    let bench = Bench::on(backend).await;
    timed(&format!("{backend:?}: loading {DOCUMENTS} documents"), bench.load(&documents(backend))).await;
    let store = &bench.store;
    let worker = WorkerId("bench".into());
    let limits = |slots| ClaimLimits {
        slots,
        lease: Duration::from_secs(30),
        per_host: 1_000,
        per_account: None,
        host_interval: Duration::ZERO,
        mark_timing: MarkTiming::AtClaim,
    };
    let ids: Vec<_> = (1..=REQUESTED).map(DocumentId).collect();
    let request =
        Request { kind: RequestKind::Sync, class: QueueClass::Auto, by: "bench".into(), scope: RequestScope::Named };
    timed(&format!("{backend:?}: request of {REQUESTED}"), store.request(&ids, &request)).await.unwrap();
    let (mut claims, mut finishes) = (Times::default(), Times::default());
    for _ in 0..ROUNDS {
        let claimed = claims.add(store.claim(&worker, limits(32))).await.unwrap();
        assert_eq!(claimed.len(), 32);
        finishes.add(finish(&**store, &claimed)).await;
    }
    claims.print(&format!("{backend:?}: claim of 32"));
    finishes.print(&format!("{backend:?}: their finishes in one group"));

    let word = Filter { terms: vec![Term { negated: false, condition: FilterCondition::Word("h77.test".into()) }] };
    let failed =
        Filter { terms: vec![Term { negated: false, condition: FilterCondition::Status(vec![Status::Failed]) }] };
    use SortBy::{Attempted, Error, Id, Name, Next, Status as ByStatus, Synced, Url};
    for by in [ByStatus, Name, Url, Error, Attempted, Synced, Next, Id] {
        for (what, filter) in [("all", Filter::default()), ("word", word.clone()), ("failed", failed.clone())] {
            for (at, around) in [
                ("first", PagePosition::Offset(0)),
                ("middle", PagePosition::Offset(50_000)),
                ("anchor", PagePosition::Document { document: DocumentId(50_001), rows_above: 10, fallback_offset: 0 }),
            ] {
                let query = PageQuery {
                    filter: filter.clone(),
                    sort: Sort { by, descending: false },
                    position: around,
                    limit: 60,
                };
                store.page(&query).await.unwrap();
                timed(&format!("{backend:?}: page {by:?} {what} {at}"), store.page(&query)).await.unwrap();
            }
        }
    }
    timed(&format!("{backend:?}: counts"), store.counts()).await.unwrap();
    timed(&format!("{backend:?}: matching all"), store.matching(&Filter::default(), Sort::BY_ID, None)).await.unwrap();
    let targets = Targets::Matching(failed);
    timed(&format!("{backend:?}: preview of the failed"), store.preview(&targets, BulkVerb::Cancel)).await.unwrap();
}

#[tokio::main]
async fn main() {
    for backend in backends() {
        measure(backend).await;
    }
}
