//! Tests a worker that receives TERM while 32 jobs run (F21): jobs that finish in time are recorded, the others are
//! released unchanged. Small by default; full size with `QUARTERDECK_FULL=1 cargo test --release --test main draining
//! -- --nocapture`.

use crate::health;
use crate::support::figures::Figures;
use crate::support::install::{Install, until};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use quarterdeck::store::DocumentRef;
use rustix::process::Signal;
use std::sync::Arc;
use tokio::sync::Semaphore;

const HALF: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_loses_nothing_and_gives_back_what_does_not_end() {
    let rounds = if std::env::var_os("QUARTERDECK_FULL").is_some() { 50 } else { 3 };
    let (soon, never) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gates = (Arc::clone(&soon), Arc::clone(&never));
    let site = Site::start(move |path, _| {
        let gate = if path.starts_with("/soon") { &gates.0 } else { &gates.1 };
        Reply::When(Arc::clone(gate), Box::new(html("T", "text")))
    })
    .await;
    // A second TERM ends the drain, so that its time limit does not depend on the machine's speed. `faults::stops`
    // tests drains that end by their time limit.
    let install = Install::new(site, "runner.per_host = 64\nrunner.drain = \"1h\"\n");
    let paths: Vec<_> =
        ["soon", "never"].iter().flat_map(|half| (0..HALF).map(move |n| format!("/{half}/{n}"))).collect();
    for round in 1..=rounds {
        // Jobs released in the round before are still queued; finished documents are requested again.
        let ids = install.fill(&paths).await;
        let store = install.store().await;
        let worker = install.start(&["work", "--concurrency", "32", "--health", "0"]);
        let at = health::address(&worker);
        until(&*store, "32 running", async || store.queue().await.is_ok_and(|queue| queue.running == 32)).await;
        let before = store.last_seq().await.expect("the store answers").0;
        worker.signal(Signal::TERM);
        health::until(&at, 503, |told| told["status"] == "draining");
        soon.add_permits(HALF);
        let done = before + i64::try_from(HALF).expect("fits");
        until(&*store, "the half that ends", async || store.last_seq().await.is_ok_and(|last| last.0 >= done)).await;
        let queue = store.queue().await.expect("the store answers");
        assert_eq!((queue.running, queue.ready), (HALF as u64, 0), "round {round}: the rest runs on, and nothing new");
        worker.signal(Signal::TERM);
        let ended = worker.ended();
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert_eq!(ended.out.len(), HALF, "an outcome each, and none for what was given back: {:?}", ended.out);
        let queue = store.queue().await.expect("the store answers");
        assert_eq!((queue.running, queue.ready, queue.waiting), (0, HALF as u64, 0), "round {round}");
        for (place, id) in ids.iter().enumerate() {
            let row = store.find(&DocumentRef::Id(*id)).await.expect("the store answers").remove(0);
            let expected = if place < HALF { (Status::Synced, Some(1)) } else { (Status::Queued, Some(0)) };
            assert_eq!((row.status, row.attempt), expected, "round {round}, {}", row.url);
        }
        store.close().await;
    }
    Figures { size: 2 * HALF * rounds, faults: rounds, ..Figures::default() }.note();
    println!("F21: {rounds} drains with 32 running: half done, half given back, counters as before");
}
