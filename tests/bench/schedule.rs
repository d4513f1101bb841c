//! Measures a pass of the schedule over 200,000 documents of 500 accounts. The plan's cadence is a week and each
//! document was synced at some time within it; one in ten failed or is new.
//!
//! `cargo bench --bench schedule [-- sqlite | postgres]`; prints one line per figure.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[expect(dead_code, unused_macros, reason = "each benchmark uses a part of it")]
mod harness;

use harness::place::Backend;
use harness::{Bench, START, Times, backends, timed};
use quarterdeck::domain::plan::{Cadence, Plan, PlanName};
use quarterdeck::domain::schedule::{DueRules, ScheduleSettings};
use quarterdeck::store::{DocumentStore, PassMode, PassRequest, PassResult, PassTrigger, Queries, ScheduleStore};
use std::time::Duration;

const DOCUMENTS: i64 = 200_000;
const WEEK: Duration = Duration::from_secs(7 * 86_400);

fn documents(backend: Backend) -> String {
    let begun = START.minus(WEEK).micros();
    let (at, zero) = match backend {
        Backend::Sqlite => (format!("{begun} + i * 3024000"), "0"),
        Backend::Postgres => (format!("stamp({begun} + i::bigint * 3024000)"), "stamp(0)"),
    };
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {DOCUMENTS}) \
         INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, sync_status, \
         last_synced_at, last_sync_attempted_at, created_at, updated_at, content) \
         SELECT i, 'Page ' || i, 'https://h' || (i % 1000) || '.test/' || i, i % 2, i % 500, 1, \
         CASE i % 20 WHEN 0 THEN NULL WHEN 1 THEN 2 ELSE 1 END, {at}, {at}, {zero}, {zero}, '{text}' FROM n; \
         INSERT INTO document_state (document_id, host, failures) \
         SELECT id, 'h' || (id % 1000) || '.test', id % 7 FROM captain_documents;",
        text = "0".repeat(2_000)
    )
}

/// Runs one pass; returns the number of jobs it created.
async fn pass(store: &dyn ScheduleStore, terms: &ScheduleSettings, when: PassTrigger) -> u64 {
    let order = PassRequest {
        terms,
        only_plan: None,
        trigger: when,
        mode: PassMode::Enqueue,
        holder: "bench",
        lease: Duration::from_secs(30),
        seed: 7,
    };
    match store.schedule(&order).await.unwrap() {
        PassResult::Completed(passes, _) => passes[0].enqueued().into(),
        other => panic!("{other:?}"),
    }
}

async fn measure(backend: Backend) {
    let bench = Bench::on(backend).await;
    timed(&format!("{backend:?}: loading {DOCUMENTS} documents"), bench.load(&documents(backend))).await;
    let store = &*bench.store;
    let plan = PlanName::new("business").unwrap();
    let mut terms = ScheduleSettings { rules: DueRules::Continuous, ..ScheduleSettings::default() };
    terms.plans.plans.insert(plan.clone(), Plan { cadence: Cadence::new(WEEK), ..Plan::default() });
    terms.plans.default = Some(plan);
    for (what, seconds) in
        [("first", 0), ("second", 15), ("third", 15), ("after an hour", 3_600), ("after a day", 86_400)]
    {
        bench.clock.advance(Duration::from_secs(seconds));
        let made = timed(&format!("{backend:?}: {what} pass"), pass(store, &terms, PassTrigger::Now)).await;
        println!("    {made} jobs");
    }
    // First works off the backlog of failed and new documents; then a pass finds only what has come due since.
    while pass(store, &terms, PassTrigger::Now).await > 0 {}
    let waiting = store.purgeable().await.unwrap();
    let mut idle = Times::default();
    for _ in 0..3 {
        idle.add(pass(store, &terms, PassTrigger::Now)).await;
    }
    idle.print(&format!("{backend:?}: a pass while {waiting} jobs wait and nothing more is due"));
    // Passes as a runner makes them: every few seconds, with the times remembered from the pass before.
    let (mut next, mut made) = (Times::default(), 0);
    let every = Duration::from_secs(15);
    for _ in 0..8 {
        bench.clock.advance(every);
        made += next.add(pass(store, &terms, PassTrigger::Interval(every))).await;
    }
    next.print(&format!("{backend:?}: a runner's next pass, {made} jobs in all"));
    let counts = timed(&format!("{backend:?}: counts"), store.counts()).await.unwrap();
    println!("    {counts:?}");
    let purged = timed(&format!("{backend:?}: purge"), store.purge(&"ana".into())).await.unwrap();
    println!("    {purged} jobs");
}

#[tokio::main]
async fn main() {
    for backend in backends() {
        measure(backend).await;
    }
}
